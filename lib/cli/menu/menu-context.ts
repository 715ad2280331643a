import { isCodexError, messageOf } from '../../kernel/errors.js'
import { redactText } from '../../kernel/text/redact.js'
import type { Runtime } from '../../runtime.js'
import type { CommandIo } from '../io.js'
import type { Prompts } from './prompts.js'

/** What every part of the menu works with. */
export interface MenuContext {
  readonly runtime: Runtime
  readonly io: CommandIo
  readonly prompts: Prompts
}

/** Says what went wrong and what to do; that the user gave up is not an error. */
export function sayError(prompts: Prompts, error: unknown): void {
  if (isCodexError(error) && error.code === 'login_cancelled') {
    prompts.say('info', error.message)
    return
  }
  const hint = isCodexError(error) && error.hint !== '' ? `\n${error.hint}` : ''
  prompts.say('error', redactText(`${messageOf(error)}${hint}`))
}
