import { chosenEnvironment, startProgram } from '../../kernel/start-program.js'
import { type Keychain, KEYCHAIN_SERVICE, KEYCHAIN_TIMEOUT_MS, unavailable } from './keychain.js'

/** Bun marks its items in libsecret with this schema and finds no others (measured with Bun 1.3.14). */
const BUN_SCHEMA = ['xdg:schema', 'com.oven-sh.bun.Secret']
/** Where a desktop keeps its keyring. */
const KEYRING = /^(?:GNOME_KEYRING_\w+|KDE_\w+|DESKTOP_SESSION)$/
/** `security` ends with this when there is no such item (errSecItemNotFound). */
const MAC_NOT_FOUND = 44

type Ask = (
  args: readonly string[],
  stdin?: string,
) => Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>

/** The secret service of a Linux desktop through `secret-tool`. Secrets pass by stdin and stdout, never as arguments. */
export function secretToolKeychain(env: NodeJS.ProcessEnv): Keychain {
  const via = 'secret-tool'
  const ask = asking(
    via,
    env,
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
      throw failed(via)
    },
    async set(name, secret) {
      const label = `--label=${KEYCHAIN_SERVICE}/${name}`
      const { code } = await ask(['store', label, ...itemOf(name)], secret)
      if (code !== 0) throw failed(via)
    },
    async delete(name) {
      const { code, stderr } = await ask(['clear', ...itemOf(name)])
      if (code !== 0 && stderr.trim() !== '') throw failed(via)
      return code === 0
    },
  }
}

/** The keychain of macOS through `security`; a secret to be stored passes by stdin, as a command of its shell. */
export function securityKeychain(env: NodeJS.ProcessEnv): Keychain {
  const via = 'security'
  const ask = asking(via, env, 'It is part of macOS; check PATH.')
  const itemOf = (name: string): string[] => ['-s', KEYCHAIN_SERVICE, '-a', name]
  return {
    via,
    async get(name) {
      const { code, stdout } = await ask(['find-generic-password', ...itemOf(name), '-w'])
      if (code === 0) return stdout.replace(/\n$/, '')
      if (code === MAC_NOT_FOUND) return undefined
      throw failed(via)
    },
    async set(name, secret) {
      // The shell splits at blanks; what is stored here is base64url and needs no quotes.
      if (!/^[\w.-]+$/.test(secret + name)) throw failed(via)
      const command = ['add-generic-password', '-U', ...itemOf(name), '-w', secret].join(' ')
      const { code } = await ask(['-i'], `${command}\n`)
      if (code !== 0) throw failed(via)
    },
    async delete(name) {
      const { code } = await ask(['delete-generic-password', ...itemOf(name)])
      if (code !== 0 && code !== MAC_NOT_FOUND) throw failed(via)
      return code === 0
    },
  }
}

function failed(program: string): Error {
  return unavailable(
    `The OS keychain cannot be used through ${program}: there is none in this session, or it stays locked.`,
  )
}

/** Runs a program to its end; a program that hangs is ended with the time limit of the keychain. */
function asking(program: string, env: NodeJS.ProcessEnv, ifMissing: string): Ask {
  return async (args, stdin = '') => {
    const child = startProgram({
      program,
      args,
      env: chosenEnvironment(env, KEYRING),
      stdio: 'pipe',
      timeout: KEYCHAIN_TIMEOUT_MS,
    })
    if (child === undefined)
      throw unavailable(
        `The program ${program}, the way to the OS keychain, is not installed. ${ifMissing}`,
      )
    return new Promise((resolve, reject) => {
      let stdout = ''
      let stderr = ''
      child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
      child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
      child.once('error', reject)
      child.once('close', (code) => {
        // Ended from outside, by the time limit as a rule: that says nothing about the item.
        if (code === null) reject(failed(program))
        else resolve({ code, stdout, stderr })
      })
      // A program that ends without reading is told apart by its exit code.
      child.stdin?.on('error', () => undefined)
      child.stdin?.end(stdin)
    })
  }
}
