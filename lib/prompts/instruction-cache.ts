import * as s from '../kernel/shape.js'

import type { Clock } from '../kernel/clock.js'
import { messageOf } from '../kernel/errors.js'
import { readTextFile } from '../kernel/files/json-file.js'
import { writeFileAtomic } from '../kernel/files/replace-file.js'
import type { Logger } from '../kernel/logger.js'
import { askText } from './ask-text.js'
import { FALLBACK_INSTRUCTIONS } from './fallback-instructions.js'

/** Instructions for requests that bring none: shipped ones at first, those of the Codex CLI once they are known. */
export interface InstructionCache {
  /** The best there is at the moment. Looks for newer ones in the background when the last look is old; never waits. */
  current(): string
  /** Reads what an earlier process kept. Never throws. */
  load(): Promise<void>
  /** Ends a look that is under way. Never throws. */
  close(): Promise<void>
}

interface InstructionCacheDeps {
  readonly file: string
  readonly fetch: typeof globalThis.fetch
  readonly userAgent: string
  readonly clock: Clock
  readonly log: Logger
}

/** The only address that is asked; nothing of the request goes there. */
export const INSTRUCTIONS_URL =
  'https://raw.githubusercontent.com/openai/codex/main/codex-rs/core/gpt_5_codex_prompt.md'
/** A look this young is not repeated, whatever came of it, ms. */
export const FRESH_MS = 15 * 60_000
/** Longer instructions are not taken, bytes. */
export const MAX_BYTES = 256 * 1024

const cachedSchema = s.object({
  version: s.literal(1),
  text: s.string({ min: 1, max: MAX_BYTES }),
  etag: s.string({ max: 256 }).optional(),
  /** Epoch ms. */
  checkedAtMs: s.number(),
})
type Cached = s.Infer<typeof cachedSchema>

/** Creates the cache over its file; nothing is read before `load` and nothing asked before `current`. */
export function createInstructionCache(deps: InstructionCacheDeps): InstructionCache {
  const { file, clock, log } = deps
  const ended = new AbortController()
  let cached: Cached | undefined
  let lookedAtMs = -Infinity
  let looking: Promise<void> | undefined

  async function look(): Promise<void> {
    try {
      const next = await ask(deps, cached, ended.signal)
      if (next === undefined || ended.signal.aborted) return
      cached = next
      await writeFileAtomic(file, JSON.stringify(next))
    } catch (error) {
      if (!ended.signal.aborted)
        log.log('debug', 'The instructions of the Codex CLI could not be brought up to date.', {
          reason: messageOf(error),
        })
    }
  }

  return {
    current() {
      const nowMs = clock.now()
      // A clock that went backwards makes a look old too.
      const isOld = Math.abs(nowMs - lookedAtMs) > FRESH_MS
      if (isOld && looking === undefined && !ended.signal.aborted) {
        lookedAtMs = nowMs
        looking = look().finally(() => (looking = undefined))
      }
      return cached?.text ?? FALLBACK_INSTRUCTIONS
    },
    async load() {
      try {
        const found = await readTextFile(file)
        if (found === undefined) return
        cached = cachedSchema.parse(JSON.parse(found.text))
        lookedAtMs = cached.checkedAtMs
      } catch (error) {
        log.log('debug', `${file} could not be understood and is replaced.`, {
          reason: messageOf(error),
        })
      }
    },
    async close() {
      ended.abort()
      await looking
    },
  }
}

/** What to keep from now on; undefined when the answer is of no use. */
async function ask(
  deps: InstructionCacheDeps,
  cached: Cached | undefined,
  ended: AbortSignal,
): Promise<Cached | undefined> {
  const checkedAtMs = deps.clock.now()
  const { status, text, tag } = await askText(
    deps.fetch,
    {
      url: INSTRUCTIONS_URL,
      userAgent: deps.userAgent,
      etag: cached?.etag,
      maxBytes: MAX_BYTES,
      isWanted: (headers) => headers.get('content-type')?.startsWith('text/plain') === true,
    },
    ended,
  )
  if (status === 304 && cached !== undefined) return { ...cached, checkedAtMs }
  return text === undefined || text.trim() === ''
    ? undefined
    : { version: 1, text, checkedAtMs, ...tag }
}
