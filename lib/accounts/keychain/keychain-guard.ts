import { abortReason } from '../../kernel/clock.js'
import { isCodexError } from '../../kernel/errors.js'
import { type Keychain, unavailable, type Waiting } from './keychain.js'

/** How a keychain is waited for. */
export interface Patience {
  /** A call ends then, ms. */
  readonly limitMs: number
  /** What it may be asking its owner, and what to do, in sentences; absent where nobody can be asked. */
  readonly question?: string
}

/** A keychain that can be asked without its secret. */
export type AskedKeychain = Keychain & Required<Pick<Keychain, 'has'>>

/** A keychain that answers by itself is done by then, ms. */
const SAY_AFTER_MS = 1_500
/** Questions of one act follow each other; they are told once, ms. */
const SAID_FOR_MS = 60_000

/**
 * The keychain with a time limit on each call, and with errors the user can act on. Whoever asks for a secret that is being
 * asked for already gets that answer, also when the first one has stopped waiting for it: a person sees one question.
 * @throws CodexError `keychain_unreachable` from each call that fails or takes longer than the limit; the reason of the signal
 */
export function guarded(
  keychain: Keychain,
  { limitMs, question }: Patience,
  { onWait, signal }: Waiting = {},
): AskedKeychain {
  const reads = new Map<string, Promise<string | undefined>>()
  const isOver = (): boolean => signal?.aborted === true
  let saidAt = -Infinity
  const say = (): void => {
    if (question === undefined || performance.now() - saidAt < SAID_FOR_MS) return
    saidAt = performance.now()
    onWait?.(question)
  }
  const call = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    if (signal !== undefined && isOver()) throw abortReason(signal)
    const ended = whenOver(say, signal, limitMs, () =>
      unavailable(
        `The OS keychain could not ${what} within ${limitMs / 1000} s (${keychain.via}); it may be waiting to be unlocked, or for an answer to its question.`,
      ),
    )
    try {
      return await Promise.race([work(), ended.over])
    } catch (cause) {
      if (isCodexError(cause) || isOver()) throw cause
      // The system's own text may name the secret; it goes along as the cause and is never shown.
      throw unavailable(`The OS keychain could not ${what} (${keychain.via}).`, { cause })
    } finally {
      ended.clear()
    }
  }
  const read = (name: string): Promise<string | undefined> => {
    const running = reads.get(name)
    if (running !== undefined) return running
    const started = keychain.get(name).finally(() => reads.delete(name))
    reads.set(name, started)
    return started
  }
  // An empty secret is what a way that failed has left: it is no key, and its place is free.
  const get = async (name: string): Promise<string | undefined> =>
    (await call('be read', () => read(name))) || undefined
  const { has } = keychain
  return {
    via: keychain.via,
    get,
    has:
      has === undefined
        ? async (name) => (await get(name)) !== undefined
        : (name) => call('be read', () => has(name)),
    set: (name, secret) => call('be written', () => keychain.set(name, secret)),
    delete: (name) => call('be changed', () => keychain.delete(name)),
  }
}

/** Rejects at the limit, and when the signal aborts; says before that it takes long. */
function whenOver(
  say: () => void,
  signal: AbortSignal | undefined,
  limitMs: number,
  late: () => Error,
): { readonly over: Promise<never>; clear(): void } {
  const saying = setTimeout(say, SAY_AFTER_MS)
  let clear = (): void => clearTimeout(saying)
  const over = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(late()), limitMs)
    const onAbort = (): void => {
      if (signal !== undefined) reject(abortReason(signal))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    clear = () => {
      clearTimeout(saying)
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  })
  // Nobody may be left to hear it.
  over.catch(() => undefined)
  return { over, clear: () => clear() }
}
