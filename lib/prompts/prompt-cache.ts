import type { Clock } from '../kernel/clock.js'
import { messageOf } from '../kernel/errors.js'
import { readTextFile } from '../kernel/files/json-file.js'
import { sha256Hex } from '../kernel/hash.js'
import type { Logger } from '../kernel/logger.js'
import * as s from '../kernel/shape.js'
import { askText } from './ask-text.js'
import {
  CODEX_PROMPTS,
  type PinnedPrompt,
  PROMPT_BASE,
  PROMPT_RELEASE,
  type PromptName,
} from './codex-prompts.js'

/** The Codex CLI's own texts, as far as they are at hand. */
export interface PromptCache {
  /** The text, or undefined where ours has to stand in. Looks for it in the background when that is due; never waits. */
  current(name: PromptName): string | undefined
  /** Reads what an earlier process kept. Never throws. */
  load(): Promise<void>
  /** Ends a look that is under way. Never throws. */
  close(): Promise<void>
}

interface PromptCacheDeps {
  readonly file: string
  readonly fetch: typeof globalThis.fetch
  readonly userAgent: string
  readonly clock: Clock
  readonly log: Logger
  readonly pinned?: Readonly<Record<PromptName, PinnedPrompt>>
}

/** A look this young that found everything is not repeated, ms. */
export const PROMPTS_FRESH_MS = 24 * 3_600_000
/** Nor is one this young that did not, ms. */
export const PROMPTS_RETRY_MS = 3_600_000
/** A file from this far ahead is from the future: its clock, or ours, is wrong, ms. */
const CLOCK_SLACK_MS = 5 * 60_000
const LARGEST_BYTES = 64 * 1024

const keptShape = s.object({
  text: s.string({ min: 1, max: LARGEST_BYTES }),
  etag: s.string({ max: 256 }).optional(),
})
const fileShape = s.object({
  version: s.literal(1),
  release: s.string({ max: 64 }),
  /** Of the last look, epoch ms. */
  checkedAtMs: s.number(),
  prompts: s.record(keptShape),
})
type Kept = s.Infer<typeof keptShape>
type PromptFile = s.Infer<typeof fileShape>

/** Creates the cache over its file; nothing is read before `load` and nothing asked before `current`. */
export function createPromptCache(deps: PromptCacheDeps): PromptCache {
  const { file, clock, log, pinned = CODEX_PROMPTS } = deps
  const names = Object.keys(pinned) as PromptName[]
  const ended = new AbortController()
  let kept: Readonly<Partial<Record<PromptName, Kept>>> = {}
  let lookedAtMs = -Infinity
  let looking: Promise<void> | undefined

  /** A clock that went backwards makes a look old too. */
  function isOld(texts: typeof kept, atMs: number): boolean {
    const isComplete = names.every((one) => texts[one] !== undefined)
    return Math.abs(clock.now() - atMs) > (isComplete ? PROMPTS_FRESH_MS : PROMPTS_RETRY_MS)
  }

  async function look(): Promise<void> {
    // Windows share the file: what another one has looked for is not asked for again.
    const others = await readPrompts(file, clock.now(), pinned)
    if (others.state === 'kept' && !isOld(others.prompts, others.checkedAtMs)) {
      kept = { ...kept, ...others.prompts }
      lookedAtMs = others.checkedAtMs
      return
    }
    const found = await Promise.all(names.map(async (name) => [name, await lookAt(name)] as const))
    if (ended.signal.aborted) return
    kept = Object.fromEntries(found.filter(([, one]) => one !== undefined))
    try {
      const { writeFileAtomic } = await import('../kernel/files/writing.js')
      await writeFileAtomic(file, JSON.stringify(fileOf(kept, lookedAtMs)))
    } catch (error) {
      log.log('debug', `${file} could not be written.`, { reason: messageOf(error) })
    }
  }

  async function lookAt(name: PromptName): Promise<Kept | undefined> {
    const before = kept[name]
    try {
      return (await ask(deps, pinned[name], before, ended.signal)) ?? before
    } catch (error) {
      if (!ended.signal.aborted)
        log.log('debug', `The text ${name} of the Codex CLI could not be had; ours stands in.`, {
          reason: messageOf(error),
        })
      return before
    }
  }

  return {
    current(name) {
      const nowMs = clock.now()
      if (isOld(kept, lookedAtMs) && looking === undefined && !ended.signal.aborted) {
        lookedAtMs = nowMs
        looking = look().finally(() => (looking = undefined))
      }
      return kept[name]?.text
    },
    async load() {
      const read = await readPrompts(file, clock.now(), pinned)
      if (read.state === 'unusable')
        log.log('warn', `${file} ${read.why}; our own texts stand in until it is replaced.`)
      if (read.state !== 'kept') return
      kept = read.prompts
      lookedAtMs = read.checkedAtMs
    },
    async close() {
      ended.abort()
      await looking
    },
  }
}

/** What a file of the cache is worth. */
type ReadPrompts =
  | { readonly state: 'none' }
  | { readonly state: 'unusable'; readonly why: string }
  | {
      readonly state: 'kept'
      readonly prompts: Readonly<Partial<Record<PromptName, Kept>>>
      readonly checkedAtMs: number
    }

/** Reads the file of the cache. A text that is not the pinned one is not in it. Never throws. */
export async function readPrompts(
  file: string,
  nowMs: number,
  pinned: Readonly<Record<PromptName, PinnedPrompt>> = CODEX_PROMPTS,
): Promise<ReadPrompts> {
  let content: PromptFile
  try {
    const found = await readTextFile(file)
    if (found === undefined) return { state: 'none' }
    content = fileShape.parse(JSON.parse(found.text))
  } catch {
    return { state: 'unusable', why: 'could not be understood' }
  }
  // Another version of the plugin was here: its texts are not ours, and no fault.
  if (content.release !== PROMPT_RELEASE) return { state: 'none' }
  if (content.checkedAtMs > nowMs + CLOCK_SLACK_MS)
    return { state: 'unusable', why: 'comes from the future' }
  const prompts = Object.fromEntries(
    (Object.keys(pinned) as PromptName[]).flatMap((name) => {
      const one = Object.hasOwn(content.prompts, name) ? content.prompts[name] : undefined
      return one !== undefined && isPinned(one.text, pinned[name]) ? [[name, one] as const] : []
    }),
  )
  if (Object.keys(content.prompts).length > Object.keys(prompts).length)
    return { state: 'unusable', why: 'holds other texts than those of the release' }
  return { state: 'kept', prompts, checkedAtMs: content.checkedAtMs }
}

function fileOf(
  kept: Readonly<Partial<Record<PromptName, Kept>>>,
  checkedAtMs: number,
): PromptFile {
  return {
    version: 1,
    release: PROMPT_RELEASE,
    checkedAtMs,
    prompts: { ...kept },
  }
}

function isPinned(text: string, { bytes, sha256 }: PinnedPrompt): boolean {
  return Buffer.byteLength(text) === bytes && sha256Hex(text) === sha256
}

/**
 * The text as it is to be kept from now on; undefined when the one that is there still holds.
 * @throws Error when the answer is of no use
 */
async function ask(
  deps: PromptCacheDeps,
  pinned: PinnedPrompt,
  before: Kept | undefined,
  ended: AbortSignal,
): Promise<Kept | undefined> {
  const { status, text, tag } = await askText(
    deps.fetch,
    {
      url: `${PROMPT_BASE}/${pinned.path}`,
      userAgent: deps.userAgent,
      etag: before?.etag,
      maxBytes: pinned.bytes,
    },
    ended,
  )
  if (status === 304 && before !== undefined) return undefined
  if (text === undefined || !isPinned(text, pinned))
    throw new Error(
      status === 200
        ? 'it is another text than that of the release'
        : `the answer was ${String(status)}`,
    )
  return { text, ...tag }
}
