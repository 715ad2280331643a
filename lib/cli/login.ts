import type { Account } from '../accounts/account.js'
import { PUBLIC_API } from '../oauth/base-url.js'
import { loginMethods } from '../login/method-list.js'
import { surroundingsHere } from '../login/surroundings.js'
import { readyForLogin, saveApiKey } from '../core-late.js'
import { CodexError, WrongUsage } from '../kernel/errors.js'
import type { Runtime } from '../runtime.js'
import { findAccount } from '../account-view/find-account.js'
import { defineCommand, jsonText } from './command.js'
import type { CommandIo } from './io.js'
import { signIn, type SignInUi } from './sign-in.js'
import { withRuntime } from './tool-command.js'

/** Arguments show in process lists and histories; the environment does not. */
const API_KEY_ENV = 'OC_CODEX_API_KEY'
/** Read for --api-key alone: a key that happens to lie in the environment must cost nobody money, nor reach another endpoint. */
const PUBLIC_KEY_ENV = 'OPENAI_API_KEY'

const HELP = `Usage: oc-codex-multi-auth login [options]

Signs in one ChatGPT account; an account that is there already gets a new login. Without an option: a choice on a
terminal; elsewhere a browser, or a device code where none can be shown (SSH, containers).

  --browser       in a browser on this machine
  --device        with a code typed in on any device
  --paste         by pasting the last address by hand
  --api-key       an API key for OpenAI's public API, billed per token; the key is taken from OC_CODEX_API_KEY or
                  OPENAI_API_KEY, else asked for
  --endpoint URL  an API key for another Codex endpoint; the key is taken from OC_CODEX_API_KEY, else asked for
  --account A     this account signs in again; the login of another one is kept too, and the exit code is 1
  --json          print the result as JSON
  --help          show this text

Exit code: 0 done, 1 failed, 2 wrong usage, 130 cancelled.
`

/** `login`. */
export const loginCommand = defineCommand({
  name: 'login',
  summary: 'Sign in a ChatGPT account, or add an API key.',
  help: HELP,
  options: {
    browser: { type: 'boolean' },
    device: { type: 'boolean' },
    paste: { type: 'boolean' },
    'api-key': { type: 'boolean' },
    endpoint: { type: 'string' },
    account: { type: 'string', of: { kind: 'account' } },
  },
  async run(values, io) {
    const chosen = (['browser', 'device', 'paste'] as const).filter((name) => values[name])
    if (chosen.length > 1) throw new WrongUsage('Choose one of --browser, --device and --paste.')
    const { endpoint, json = false } = values
    const takesKey = endpoint !== undefined || values['api-key'] === true
    if (takesKey && chosen.length > 0)
      throw new WrongUsage('Choose either an API key or a ChatGPT login.')
    if (takesKey && values.account !== undefined)
      throw new WrongUsage('An API key does not sign in again; leave out --account to add it.')
    return withRuntime(io, async (runtime) => {
      if (takesKey) return addKey(runtime, io, endpoint, json)
      const wanted =
        values.account === undefined ? undefined : await accountToSignIn(runtime, values.account)
      const [method] = chosen
      if (method === undefined && io.isInteractive && !json)
        return chooseAndSignIn(runtime, io, wanted)
      const [best] = loginMethods(surroundingsHere(io.env))
      const by = method ?? best.id
      const { name, isWanted, message } = await signIn(runtime, by, uiOf(io), wanted)
      const isAsked = wanted === undefined ? {} : { isWanted }
      const answer = { account: name, path: runtime.store.path, ...isAsked }
      io.stdout(json ? jsonText(answer) : `${message}\n`)
      return isWanted ? 0 : 1
    })
  },
})

/** @param endpoint undefined for the public API */
async function addKey(
  runtime: Runtime,
  io: CommandIo,
  endpoint: string | undefined,
  json: boolean,
): Promise<number> {
  const moved = await readyForLogin(runtime)
  const { key, from } = await keyFor(endpoint, io)
  const { label, notice = moved } = await saveApiKey(
    runtime,
    { apiKey: key, baseUrl: endpoint ?? PUBLIC_API },
    '--endpoint',
  )
  if (notice !== undefined) io.stderr(`${notice}\n`)
  const origin = from === undefined ? '' : ` The key is from ${from}.`
  io.stdout(
    json
      ? jsonText({ account: label, path: runtime.store.path, keyFrom: from ?? null })
      : `${label} is in the pool.${origin}\n`,
  )
  return 0
}

/** @param endpoint undefined for the public API */
async function keyFor(
  endpoint: string | undefined,
  io: CommandIo,
): Promise<{ readonly key: string; readonly from?: string }> {
  const names = endpoint === undefined ? [API_KEY_ENV, PUBLIC_KEY_ENV] : [API_KEY_ENV]
  for (const from of names) {
    const key = io.env[from]?.trim()
    if (key !== undefined && key !== '') return { key, from }
  }
  const key = (await io.ask('API key: '))?.trim()
  if (key !== undefined && key !== '') return { key }
  throw new CodexError(
    'invalid_input',
    `Set the key in the environment variable ${names.join(' or ')}; it is not taken as an argument.`,
  )
}

async function accountToSignIn(runtime: Runtime, wanted: string): Promise<Account> {
  const { account } = findAccount(await runtime.store.read(), wanted, runtime.config.maskEmail)
  if (account.kind === 'api-key')
    throw new CodexError('invalid_input', 'That account is an API key; it does not sign in.', {
      hint: 'Add the new key: {login --api-key}, or {login --endpoint URL}',
    })
  return account
}

async function chooseAndSignIn(
  runtime: Runtime,
  io: CommandIo,
  wanted: Account | undefined,
): Promise<number> {
  const [{ openPrompts }, { sayError }, { signInByMenu }] = await Promise.all([
    import('./menu/prompts.js'),
    import('./menu/menu-context.js'),
    import('./menu/sign-in-menu.js'),
  ])
  const prompts = await openPrompts(io)
  try {
    const isSignedIn = await signInByMenu({ runtime, io, prompts }, wanted)
    return prompts.hasLeft() ? 130 : isSignedIn ? 0 : 1
  } catch (error) {
    if (prompts.hasLeft()) return 130
    sayError(prompts, error)
    return 1
  } finally {
    prompts.close()
  }
}

function uiOf(io: CommandIo): SignInUi {
  return {
    say: (text) => io.stderr(`${text}\n`),
    address: (url) => io.stderr(`${url}\n`),
    showCode: (url, code) => io.stderr(`Open ${url} on any device and enter the code ${code}\n`),
    ask: (question) => io.ask(question),
    async waitFor(text, work) {
      io.progress(text)
      try {
        return await work(io.signal)
      } finally {
        io.progress('')
      }
    },
  }
}
