import { parseArgs } from 'node:util'

import { PUBLIC_API } from '../auth/base-url.js'
import { isRemote } from '../auth/method-list.js'
import { saveApiKey } from '../core.js'
import { CodexError } from '../kernel/errors.js'
import type { Command, CommandIo } from './io.js'
import { signedInText, signIn, type SignInUi } from './sign-in.js'
import { withRuntime } from './tool-command.js'

/** Arguments show in process lists and histories; the environment does not. */
const API_KEY_ENV = 'OC_CODEX_API_KEY'
/** Read for --api-key alone: a key that happens to lie in the environment must cost nobody money, nor reach another endpoint. */
const PUBLIC_KEY_ENV = 'OPENAI_API_KEY'

const HELP = `Usage: oc-codex-multi-auth login [options]

Signs in one ChatGPT account; an account that is there already gets a new login. Without an option: a browser, or a
device code over SSH.

  --browser       in a browser on this machine
  --device        with a code typed in on any device
  --paste         by pasting the last address by hand
  --api-key       an API key for OpenAI's public API, billed per token; the key is taken from OC_CODEX_API_KEY or
                  OPENAI_API_KEY, else asked for
  --endpoint URL  an API key for another Codex endpoint; the key is taken from OC_CODEX_API_KEY, else asked for
  --json          print the result as JSON
  --help          show this text
`

/** `login`. */
export const loginCommand: Command = {
  name: 'login',
  summary: 'Sign in a ChatGPT account, or add an API key',
  async run(argv, io) {
    const boolean = { type: 'boolean' } as const
    const { values } = parseArgs({ args: [...argv], options: { browser: boolean, device: boolean, paste: boolean, 'api-key': boolean, endpoint: { type: 'string' }, json: boolean, help: { ...boolean, short: 'h' } } })
    if (values.help) {
      io.stdout(HELP)
      return 0
    }
    const chosen = (['browser', 'device', 'paste'] as const).filter((name) => values[name])
    if (chosen.length > 1) throw new CodexError('invalid_input', 'Choose one of --browser, --device and --paste.', { hint: '' })
    const method = chosen[0] ?? (isRemote(io.env) ? 'device' : 'browser')
    const { endpoint } = values
    const takesKey = endpoint !== undefined || values['api-key'] === true
    if (takesKey && chosen.length > 0) throw new CodexError('invalid_input', 'Choose either an API key or a ChatGPT login.', { hint: '' })
    return withRuntime(io, async (runtime) => {
      if (takesKey) {
        const { key, from } = await keyFor(endpoint, io)
        const { label } = await saveApiKey(runtime, { apiKey: key, baseUrl: endpoint ?? PUBLIC_API }, '--endpoint')
        const origin = from === undefined ? '' : ` The key is from ${from}.`
        io.stdout(values.json ? `${JSON.stringify({ account: label, path: runtime.store.path, keyFrom: from ?? null })}\n` : `${label} is in the pool.${origin}\n`)
        return 0
      }
      const result = await signIn(runtime, method, uiOf(io))
      io.stdout(values.json ? `${JSON.stringify({ account: result.label, path: runtime.store.path })}\n` : `${signedInText(runtime, result)}\n`)
      return 0
    })
  },
}

/** @param endpoint undefined for the public API */
async function keyFor(endpoint: string | undefined, io: CommandIo): Promise<{ readonly key: string; readonly from?: string }> {
  const names = endpoint === undefined ? [API_KEY_ENV, PUBLIC_KEY_ENV] : [API_KEY_ENV]
  for (const from of names) {
    const key = io.env[from]?.trim()
    if (key !== undefined && key !== '') return { key, from }
  }
  const key = (await io.ask('API key: '))?.trim()
  if (key !== undefined && key !== '') return { key }
  throw new CodexError('invalid_input', `Set the key in the environment variable ${names.join(' or ')}; it is not taken as an argument.`, { hint: '' })
}

function uiOf(io: CommandIo): SignInUi {
  return {
    say: (text) => io.stderr(`${text}\n`),
    address: (url) => io.stderr(`${url}\n`),
    ask: (question) => io.ask(question),
    waitFor: (_text, work) => work(io.signal),
  }
}
