import { PASSPHRASE_ENV } from '../../transfer/export.js'
import { CodexError } from '../../kernel/errors.js'

/** The passphrase in the environment. @throws CodexError `invalid_input` when there is none */
export function passphraseFrom(env: NodeJS.ProcessEnv): string {
  const passphrase = env[PASSPHRASE_ENV]
  if (passphrase !== undefined && passphrase !== '') return passphrase
  throw new CodexError(
    'invalid_input',
    `Set the passphrase in the environment variable ${PASSPHRASE_ENV}; it is not taken as an argument.`,
  )
}
