import { chmod, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { server } from '../../lib/plugin.js'
import { firstTurn } from '../support/core-over.js'
import { aHome, homeIn } from '../support/home.js'

const KEY = 'sk-made-up-of-the-gateway'

/** The plugin after the host has stored a key with this endpoint. */
async function loadedWith(baseUrl: string, accountFile?: string) {
  const home = await aHome([])
  const file = path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json')
  if (accountFile !== undefined) await writeFile(file, accountFile)
  for (const name of [
    'XDG_DATA_HOME',
    'XDG_CONFIG_HOME',
    'XDG_STATE_HOME',
    'XDG_CACHE_HOME',
    'OPENCODE_AUTH_CONTENT',
  ])
    vi.stubEnv(name, undefined)
  for (const [name, value] of Object.entries(homeIn(home))) vi.stubEnv(name, value)
  const sent: string[] = []
  vi.stubGlobal('fetch', (url: string) => {
    sent.push(url)
    return Promise.resolve(new Response('no', { status: 403 }))
  })
  const client = {
    app: { log: async () => undefined },
    tui: { showToast: async () => undefined },
    auth: { set: async () => undefined },
  }
  const hooks = await server({ client, directory: home } as never)
  onTestFinished(async () => {
    await hooks.dispose?.()
    vi.unstubAllGlobals()
    vi.unstubAllEnvs()
  })
  const options = await hooks.auth?.loader?.(
    async () => ({ type: 'api', key: KEY, metadata: { codexBaseUrl: baseUrl } }) as never,
    {} as never,
  )
  const fetch = options?.fetch as typeof globalThis.fetch
  const ask = async (): Promise<Response> =>
    fetch('https://api.openai.com/v1/responses', {
      method: 'POST',
      headers: {},
      body: await firstTurn(),
    })
  return { hooks, file, sent, ask }
}

describe('a key with an endpoint', () => {
  it('that may not get a key leaves the host running, is sent nowhere, and each request says why', async () => {
    const { sent, ask } = await loadedWith('http://gateway.example')
    const answer = await ask()
    const text = await answer.text()
    expect([answer.status, text]).toEqual([
      403,
      expect.stringContaining('The base URL in the login must start with https://'),
    ])
    expect(text).not.toContain(KEY)
    expect(sent).toEqual([])
  })

  it('that cannot be stored just now is stored by the first request that can', async () => {
    const { file, sent, ask } = await loadedWith(
      'https://gateway.example',
      '{"version":99,"accounts":[]}',
    )
    expect((await ask()).status).toBe(403)
    expect(sent).toEqual([])
    await writeFile(file, JSON.stringify({ version: 3, accounts: [], activeIndex: 0 }))
    await chmod(file, 0o600)
    await (await ask()).text()
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      accounts: [{ kind: 'api-key', baseUrl: 'https://gateway.example' }],
    })
    expect(sent).toContain('https://gateway.example/backend-api/codex/responses')
  })

  it('is asked for with the very check it is held to later', async () => {
    const { hooks } = await loadedWith('https://gateway.example')
    const prompts =
      hooks.auth?.methods.flatMap((method) =>
        'prompts' in method ? (method.prompts ?? []) : [],
      ) ?? []
    const validate = prompts.flatMap((prompt) =>
      prompt.type === 'text' ? [prompt.validate] : [],
    )[0]
    expect([' https://c.example/ ', 'http://localhost:9'].map((text) => validate?.(text))).toEqual([
      undefined,
      undefined,
    ])
    for (const text of [
      '',
      'c.example',
      'http://127.evil.example',
      'https://u:p@c.example',
      'ftp://c.example',
    ])
      expect(validate?.(text), text).toContain('The address ')
  })
})
