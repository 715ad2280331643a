import { CodexError, isCodexError } from '../../kernel/errors.js'

/** Where the OS keeps secrets for the user who is logged in. Errors of an implementation are its own; see `guarded`. */
export interface Keychain {
  /** Name of the way to it, for messages: `Bun.secrets`, `secret-tool`. */
  readonly via: string
  /** The secret of that name; undefined when there is none, or when a locked keychain does not say. */
  get(name: string): Promise<string | undefined>
  set(name: string, secret: string): Promise<void>
  /** True when there was one. */
  delete(name: string): Promise<boolean>
}

/** Every item of ours has this service name, whichever way it is reached. */
export const KEYCHAIN_SERVICE = 'oc-codex-multi-auth'
/** A keychain that asks the user something and gets no answer must not hang a request, ms. */
export const KEYCHAIN_TIMEOUT_MS = 5_000

/**
 * The keychain with a time limit on each call, and with errors the user can act on.
 * @throws CodexError `keychain_unreachable` from each call that fails or takes longer than `timeoutMs`
 */
export function guarded(keychain: Keychain, timeoutMs = KEYCHAIN_TIMEOUT_MS): Keychain {
  const call = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () =>
          reject(
            unavailable(
              `The OS keychain could not ${what} within ${timeoutMs / 1000} s (${keychain.via}); it may be waiting to be unlocked.`,
            ),
          ),
        timeoutMs,
      )
    })
    try {
      return await Promise.race([work(), late])
    } catch (cause) {
      if (isCodexError(cause)) throw cause
      // The system's own text may name the secret; it goes along as the cause and is never shown.
      throw unavailable(`The OS keychain could not ${what} (${keychain.via}).`, { cause })
    } finally {
      clearTimeout(timer)
    }
  }
  return {
    via: keychain.via,
    // An empty secret is what a way that failed has left: it is no key, and its place is free.
    get: async (name) => (await call('be read', () => keychain.get(name))) || undefined,
    set: (name, secret) => call('be written', () => keychain.set(name, secret)),
    delete: (name) => call('be changed', () => keychain.delete(name)),
  }
}

/** An error about the keychain; the hint of the table says what to do, unless there is a better one. */
export function unavailable(
  message: string,
  options: { cause?: unknown; hint?: string } = {},
): CodexError {
  return new CodexError('keychain_unreachable', message, options)
}
