import { isCodexError, messageOf } from '../../kernel/errors.js'
import { redactText } from '../../kernel/redact.js'
import type { Prompts } from './prompts.js'

/** Says what went wrong and what to do; that the user gave up is not an error. */
export function sayError(prompts: Prompts, error: unknown): void {
  if (isCodexError(error) && error.code === 'login_cancelled') {
    prompts.say('info', error.message)
    return
  }
  const hint = isCodexError(error) && error.hint !== '' ? `\n${error.hint}` : ''
  prompts.say('error', redactText(`${messageOf(error)}${hint}`))
}
