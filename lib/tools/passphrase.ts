import { CodexError } from '../kernel/errors.js'

/** A passphrase comes from the environment: arguments show in process lists, in histories and in the model's context. */
export const PASSPHRASE_ENV = 'OC_CODEX_PASSPHRASE'

/** @throws CodexError `invalid_input` when there is none */
export function passphraseFrom(env: NodeJS.ProcessEnv): string {
  const passphrase = env[PASSPHRASE_ENV]
  if (passphrase !== undefined && passphrase !== '') return passphrase
  throw new CodexError('invalid_input', `Set the passphrase in the environment variable ${PASSPHRASE_ENV}; it is not taken as an argument.`, { hint: '' })
}
