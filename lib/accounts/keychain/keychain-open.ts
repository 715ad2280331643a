import type { HostPort } from '../../kernel/host-port.js'
import { lazily } from '../../kernel/lazy.js'
import { type AskedKeychain, guarded, type Patience } from './keychain-guard.js'
import {
  type Keychain,
  type KeychainPlace,
  KEYCHAIN_SERVICE,
  unavailable,
  type Waiting,
} from './keychain.js'

/** A person reads a question, looks for a password and types it, ms. */
const PERSON_MS = 60_000
/** Where nobody can be asked, a keychain that does not answer is broken, ms. */
const MACHINE_MS = 5_000

/** How long the keychain of a place is waited for, and what it may be asking there meanwhile. Pure. */
export function patienceAt({ env, platform, secrets }: KeychainPlace): Patience {
  if (platform === 'darwin') {
    const program = secrets === undefined ? '“security”' : 'OpenCode'
    return {
      limitMs: PERSON_MS,
      question: `Waiting for the keychain: macOS may be asking in a window whether ${program} may use “${KEYCHAIN_SERVICE}”. Answer there within a minute; with Always Allow it does not ask again.`,
    }
  }
  const hasWindows = [env.DISPLAY, env.WAYLAND_DISPLAY].some((value = '') => value !== '')
  if (platform !== 'linux' || !hasWindows) return { limitMs: MACHINE_MS }
  return {
    limitMs: PERSON_MS,
    question:
      'Waiting for the keyring: your desktop may be asking for its password in a window. Answer there within a minute.',
  }
}

/**
 * The keychain of a place, with the patience it needs.
 * @param via the way to it
 */
export function openKeychain(place: KeychainPlace, via: string, waiting?: Waiting): AskedKeychain {
  const patience = patienceAt(place)
  const { env, platform, secrets } = place
  const start = { env, limitMs: patience.limitMs, signal: waiting?.signal }
  const commands = lazily(() => import('./keychain-command.js'))
  const inner = lazily(async (): Promise<Keychain> => {
    if (secrets !== undefined) return bunKeychain(secrets)
    if (platform === 'linux') return (await commands()).secretToolKeychain(start)
    return platform === 'darwin' ? (await commands()).securityKeychain(start) : modulesOwn()
  })
  const keychain: Keychain = {
    via,
    get: async (name) => (await inner()).get(name),
    set: async (name, secret) => (await inner()).set(name, secret),
    delete: async (name) => (await inner()).delete(name),
    ...(platform === 'darwin' && {
      has: async (name: string) => (await commands()).securityKeychain(start).has(name),
    }),
  }
  return guarded(keychain, patience, { onWait: shownBy(waiting?.host), ...waiting })
}

/** Says on the screen of the host what the keychain asks. */
function shownBy(host: HostPort | undefined): (question: string) => void {
  return (question) => {
    host?.log('warn', question)
    host?.toast({
      variant: 'warning',
      title: 'Codex accounts',
      message: question,
      durationMs: 20_000,
    })
  }
}

async function modulesOwn(): Promise<Keychain> {
  const keychain = await (await import('./keychain-module.js')).moduleKeychain()
  if (keychain !== undefined) return keychain
  throw unavailable(
    'The OS keychain cannot be reached from Node on this system without the package @napi-rs/keyring; inside OpenCode it can.',
  )
}

/** The part of `Bun.secrets` that is used (Bun 1.3). */
interface BunSecrets {
  get(options: { service: string; name: string }): Promise<string | null>
  set(options: { service: string; name: string; value: string }): Promise<void>
  delete(options: { service: string; name: string }): Promise<boolean>
}

/** The keychain through the runtime of the host. */
export function bunKeychain(secrets: unknown): Keychain {
  const bun = secrets as BunSecrets
  const service = KEYCHAIN_SERVICE
  const via = 'Bun.secrets'
  const told = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call
    } catch (error) {
      const { bunProblem, keychainError } = await import('./keychain-problem.js')
      const problem = bunProblem(error)
      const isKnown = problem === 'refused' || problem === 'cannot-ask'
      throw isKnown ? keychainError(problem, via) : error
    }
  }
  return {
    via,
    get: async (name) => (await told(bun.get({ service, name }))) ?? undefined,
    set: (name, value) => told(bun.set({ service, name, value })),
    delete: (name) => told(bun.delete({ service, name })),
  }
}
