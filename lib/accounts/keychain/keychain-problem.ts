import type { CodexError } from '../../kernel/errors.js'
import { KeychainRefused, unavailable } from './keychain.js'

/** Why macOS does not hand out an item. */
type KeychainProblem = 'missing' | 'refused' | 'cannot-ask' | 'no-keychain' | 'failed'

/**
 * What `security` of macOS ends with: the last byte of the number of the error
 * (docs/development/STORAGE.md#sealing-with-the-os-keychain).
 */
const SECURITY_CODES: Readonly<Record<number, KeychainProblem>> = {
  44: 'missing',
  // Deny or Cancel, and a password that was wrong too often.
  128: 'refused',
  51: 'refused',
  // Locked, and no window in this session to ask in.
  36: 'cannot-ask',
  29: 'cannot-ask',
  37: 'no-keychain',
  49: 'no-keychain',
  50: 'no-keychain',
  53: 'no-keychain',
}

/** What an exit code of `security` means; undefined for success. Pure. */
export function securityProblem(code: number): KeychainProblem | undefined {
  return code === 0 ? undefined : (SECURITY_CODES[code] ?? 'failed')
}

/** How a command went that was typed into `security -i`: it tells a failure on stderr, whatever it ends with itself. Pure. */
export function typedCommandCode(code: number, stderr: string): number {
  const told = /^\S+: returned (-?\d+)\s*$/m.exec(stderr)?.[1]
  return code === 0 && told !== undefined ? Number(told) & 0xff || 1 : code
}

/** What an error of `Bun.secrets` means. Pure. */
export function bunProblem(error: unknown): KeychainProblem {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code !== 'string') return 'failed'
  if (/ACCESS_DENIED|USER_CANCELED|AUTH_FAILED/.test(code)) return 'refused'
  return /INTERACTION/.test(code) ? 'cannot-ask' : 'failed'
}

/** What went wrong, for the user. */
interface KeychainWords {
  readonly message: string
  /** What to do, where that is more than the table says. */
  readonly hint?: string
  /** The owner of the keychain said no. Asked again at once, they would only have to say it again. */
  readonly isRefused?: true
}

/**
 * The error of a problem, without the words of the program that had it.
 * @param via the way to the keychain, with the number it ended with
 */
export function keychainError(
  problem: Exclude<KeychainProblem, 'missing'>,
  via: string,
): CodexError {
  const { message, isRefused, ...options } = problemWords(problem, via)
  return isRefused === true
    ? new KeychainRefused('keychain_unreachable', message, options)
    : unavailable(message, options)
}

function problemWords(problem: Exclude<KeychainProblem, 'missing'>, via: string): KeychainWords {
  switch (problem) {
    case 'refused':
      return {
        isRefused: true,
        message: `The OS keychain did not hand out the key (${via}): its question was answered with no, or with a wrong password.`,
        hint: 'Nothing was changed. Try again after 15 s and choose Always Allow: then macOS does not ask this program again. {keychain}',
      }
    case 'cannot-ask':
      return {
        message: `The OS keychain is locked, and this session has no window in which it could ask for its password (${via}). Over SSH that is usual.`,
        hint: 'Nothing was changed. On macOS unlock it in this terminal: security unlock-keychain. Then: {keychain}',
      }
    case 'no-keychain':
      return {
        message: `There is no OS keychain that could be used (${via}).`,
        hint: 'Nothing was changed. On macOS open Keychain Access and look for the keychain “login”. Then: {keychain}',
      }
    case 'failed':
      return {
        message: `The OS keychain cannot be used through ${via}: there is none in this session, or it stays locked.`,
      }
  }
}
