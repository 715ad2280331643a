import type { Account } from '../../accounts/account.js'
import { parseBaseUrl } from '../../oauth/base-url.js'
import { ENDPOINT_LABEL, type LoginMethodId, loginMethods } from '../../login/method-list.js'
import { surroundingsHere } from '../../login/surroundings.js'
import { readyForLogin, saveApiKey } from '../../core-late.js'
import { messageOf } from '../../kernel/errors.js'
import { signIn, type SignInUi } from '../sign-in.js'
import type { MenuContext } from './menu-context.js'
import type { Choice } from './prompts.js'

/**
 * Lets the user choose a way to sign in, and signs in.
 * @param wanted the account that should sign in again
 * @returns whether an account was signed in, and the wanted one if there was one
 * @throws CodexError when the login does not work
 */
export async function signInByMenu(menu: MenuContext, wanted?: Account): Promise<boolean> {
  const { runtime, io, prompts } = menu
  const choices: readonly Choice<LoginMethodId | 'endpoint'>[] = [
    ...loginMethods(surroundingsHere(io.env)).map(({ id, label }) => ({
      value: id,
      label: () => label,
    })),
    ...(wanted === undefined ? [{ value: 'endpoint' as const, label: () => ENDPOINT_LABEL }] : []),
  ]
  const title =
    wanted === undefined ? 'How do you want to sign in?' : `Sign in again: ${runtime.label(wanted)}`
  const method = await prompts.choose(title, choices)
  if (method === undefined) return false
  if (method === 'endpoint') return addEndpoint(menu)
  const result = await signIn(runtime, method, uiOf(menu), wanted)
  prompts.say(result.isWanted ? 'done' : 'warning', result.message)
  return result.isWanted
}

function uiOf({ prompts }: MenuContext): SignInUi {
  return {
    say: (text) => prompts.say('info', text),
    address: (url) => prompts.plain(url),
    showCode: (url, code) =>
      prompts.say('info', `Open ${url} on any device\nand enter the code ${code}`),
    ask: (question) => prompts.line(question.replace(/:\s*$/, '')),
    waitFor: (text, work) => prompts.waitFor(text, (signal) => work(signal)),
  }
}

async function addEndpoint({ runtime, prompts }: MenuContext): Promise<boolean> {
  const moved = await readyForLogin(runtime)
  const baseUrl = await prompts.line('Base URL of the endpoint', { validate: problemOfUrl })
  if (baseUrl === undefined) return false
  const apiKey = await prompts.secret('API key')
  if (apiKey === undefined || apiKey.trim() === '') return false
  const { label, notice = moved } = await saveApiKey(runtime, { apiKey, baseUrl }, 'this field')
  if (notice !== undefined) prompts.say('warning', notice)
  prompts.say('done', `${label} is in the pool.`)
  return true
}

function problemOfUrl(text: string): string | undefined {
  try {
    parseBaseUrl(text, 'this field')
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
