import { chosenEnvironment, runProgram } from '../../kernel/start-program.js'
import { type Keychain, KEYCHAIN_SERVICE, unavailable } from './keychain.js'
import { keychainError, securityProblem, typedCommandCode } from './keychain-problem.js'

/** Bun marks its items in libsecret with this schema and finds no others (measured with Bun 1.3.14). */
const BUN_SCHEMA = ['xdg:schema', 'com.oven-sh.bun.Secret']
/** Where a desktop keeps its keyring. */
const KEYRING = /^(?:GNOME_KEYRING_\w+|KDE_\w+|DESKTOP_SESSION)$/

/** How such a program is started and ended. */
interface Start {
  readonly env: NodeJS.ProcessEnv
  /** A program that hangs is ended then, ms. */
  readonly limitMs: number
  readonly signal?: AbortSignal | undefined
}

type Ask = (
  args: readonly string[],
  stdin?: string,
) => Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>

/** The secret service of a Linux desktop through `secret-tool`. Secrets pass by stdin and stdout, never as arguments. */
export function secretToolKeychain(start: Start): Keychain {
  const via = 'secret-tool'
  const ask = asking(
    via,
    start,
    'Install it (Debian: libsecret-tools), or run the command inside OpenCode.',
  )
  const itemOf = (name: string): string[] => [
    ...BUN_SCHEMA,
    ...['service', KEYCHAIN_SERVICE],
    ...['account', name],
  ]
  return {
    via,
    async get(name) {
      const { code, stdout, stderr } = await ask(['lookup', ...itemOf(name)])
      if (code === 0) return stdout
      // No item and no service both end with 1; only the second has something to say.
      if (stderr.trim() === '') return undefined
      throw keychainError('failed', via)
    },
    async set(name, secret) {
      const label = `--label=${KEYCHAIN_SERVICE}/${name}`
      const { code } = await ask(['store', label, ...itemOf(name)], secret)
      if (code !== 0) throw keychainError('failed', via)
    },
    async delete(name) {
      const { code, stderr } = await ask(['clear', ...itemOf(name)])
      if (code !== 0 && stderr.trim() !== '') throw keychainError('failed', via)
      return code === 0
    },
  }
}

/**
 * The keychain of macOS through `security`; a secret to be stored passes by stdin, as a command of its shell. Who has made an
 * item is not asked about it; every other program is, by the owner of the keychain, until they choose "Always Allow".
 */
export function securityKeychain(start: Start): Keychain & Required<Pick<Keychain, 'has'>> {
  const via = 'security'
  const ask = asking(via, start, 'It is part of macOS; check PATH.')
  const itemOf = (name: string): string[] => ['-s', KEYCHAIN_SERVICE, '-a', name]
  /** False when there is no such item. */
  const isFound = (code: number): boolean => {
    const problem = securityProblem(code)
    if (problem !== undefined && problem !== 'missing')
      throw keychainError(problem, `${via}, ${code}`)
    return problem === undefined
  }
  return {
    via,
    async get(name) {
      const { code, stdout } = await ask(['find-generic-password', ...itemOf(name), '-w'])
      return isFound(code) ? stdout.replace(/\n$/, '') : undefined
    },
    has: async (name) => isFound((await ask(['find-generic-password', ...itemOf(name)])).code),
    async set(name, secret) {
      // The shell splits at blanks and cuts a line at 4,095 bytes; what is stored here is short base64url and needs no quotes.
      if (!/^[\w.-]{1,200}$/.test(secret + name)) throw keychainError('failed', via)
      const command = ['add-generic-password', '-U', ...itemOf(name), '-w', secret].join(' ')
      const { code, stderr } = await ask(['-i'], `${command}\n`)
      const stored = typedCommandCode(code, stderr)
      if (!isFound(stored)) throw keychainError('no-keychain', `${via}, ${stored}`)
    },
    delete: async (name) => isFound((await ask(['delete-generic-password', ...itemOf(name)])).code),
  }
}

function asking(program: string, { env, limitMs, signal }: Start, ifMissing: string): Ask {
  return async (args, stdin = '') => {
    const ended = await runProgram(
      {
        program,
        args,
        env: chosenEnvironment(env, KEYRING),
        timeout: limitMs,
        ...(signal && { signal }),
      },
      { stdin },
    )
    if (ended === undefined)
      throw unavailable(
        `The program ${program}, the way to the OS keychain, is not installed. ${ifMissing}`,
      )
    const { code, stdout, stderr } = ended
    // Ended from outside, by the time limit as a rule: that says nothing about the item.
    if (code === null) throw keychainError('failed', program)
    return { code, stdout, stderr }
  }
}
