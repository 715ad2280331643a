import { parseArgs } from 'node:util'

import { beginBrowserLogin, beginDeviceLogin, beginPasteLogin } from '../auth/login.js'
import { isRemote } from '../auth/method-list.js'
import { createOAuth, type LoginTokens } from '../auth/oauth.js'
import { openBrowser } from '../auth/open-browser.js'
import { saveApiKey, saveLogin } from '../core.js'
import { CodexError } from '../kernel/errors.js'
import type { Command, CommandIo } from './io.js'
import { withRuntime } from './tool-command.js'

/** Arguments show in process lists and histories; the environment does not. */
const API_KEY_ENV = 'OC_CODEX_API_KEY'

const HELP = `Usage: oc-codex-multi-auth login [options]

Signs in one ChatGPT account; an account that is there already gets a new login. Without an option: a browser, or a
device code over SSH.

  --browser  in a browser on this machine
  --device   with a code typed in on any device
  --paste    by pasting the last address by hand
  --endpoint URL  an API key for another Codex endpoint; the key is asked for, or taken from OC_CODEX_API_KEY
  --json     print the result as JSON
  --help     show this text
`

/** `login`. */
export const loginCommand: Command = {
  name: 'login',
  summary: 'Sign in a ChatGPT account',
  async run(argv, io) {
    const boolean = { type: 'boolean' } as const
    const { values } = parseArgs({ args: [...argv], options: { browser: boolean, device: boolean, paste: boolean, endpoint: { type: 'string' }, json: boolean, help: { ...boolean, short: 'h' } } })
    if (values.help) {
      io.stdout(HELP)
      return 0
    }
    const chosen = (['browser', 'device', 'paste'] as const).filter((name) => values[name])
    if (chosen.length > 1) throw new CodexError('invalid_input', 'Choose one of --browser, --device and --paste.', { hint: '' })
    const method = chosen[0] ?? (isRemote(io.env) ? 'device' : 'browser')
    const { endpoint } = values
    if (endpoint !== undefined && chosen.length > 0) throw new CodexError('invalid_input', 'An endpoint takes an API key, not a ChatGPT login.', { hint: '' })
    return withRuntime(io, async (runtime) => {
      if (endpoint !== undefined) {
        const apiKey = io.env[API_KEY_ENV] ?? (await io.ask('API key: '))
        if (apiKey === undefined || apiKey.trim() === '') throw new CodexError('invalid_input', `Set the key in the environment variable ${API_KEY_ENV}; it is not taken as an argument.`, { hint: '' })
        const { label } = await saveApiKey(runtime, { apiKey, baseUrl: endpoint }, '--endpoint')
        io.stdout(values.json ? `${JSON.stringify({ account: label, path: runtime.store.path })}\n` : `${label} is in the pool.\n`)
        return 0
      }
      const { endpoints, fetch, clock } = runtime
      const deps = { oauth: createOAuth({ endpoints, fetch, clock }), clock, signal: io.signal }
      const { label } = await saveLogin(runtime, await tokensBy(method, deps, io))
      io.stdout(values.json ? `${JSON.stringify({ account: label, path: runtime.store.path })}\n` : `${label} is signed in.\n`)
      return 0
    })
  },
}

async function tokensBy(method: 'browser' | 'device' | 'paste', deps: Parameters<typeof beginBrowserLogin>[0], io: CommandIo): Promise<LoginTokens> {
  switch (method) {
    case 'browser': {
      const login = await beginBrowserLogin(deps)
      io.stderr(`Sign in in your browser; if none opens, go to:\n${login.url}\n`)
      void openBrowser(login.url, io.env)
      return login.wait()
    }
    case 'device': {
      const login = await beginDeviceLogin(deps)
      io.stderr(`Open ${login.url} on any device and enter the code ${login.userCode ?? ''}\n`)
      return login.wait()
    }
    case 'paste': {
      const login = beginPasteLogin(deps)
      io.stderr(`Sign in at:\n${login.url}\n`)
      const pasted = await io.ask('Address of the last page: ')
      if (pasted === undefined) throw new CodexError('invalid_input', 'Pasting needs a terminal.', { hint: 'Use --device instead.' })
      return login.finish(pasted)
    }
  }
}
