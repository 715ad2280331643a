import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { destinationOf } from '../../lib/request/endpoint.js'
import { DEFAULT_ENDPOINTS } from '../../lib/oauth/endpoints.js'
import { providerEndpoint, userBaseUrl } from '../../lib/host-setup/user-config.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

const MINE = 'https://mine.example/v1'
const saying = (baseURL: string): string =>
  JSON.stringify({ provider: { openai: { options: { baseURL } } } })

/** A home with these files in it. */
async function homeWith(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
) {
  const home = await temporaryFolder()
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(home, name)), { recursive: true })
    await writeFile(path.join(home, name), text)
  }
  const all = { ...homeIn(home), ...env }
  return { home, own: () => userBaseUrl({ paths: resolvePaths(all), env: all }) }
}

describe('the address of keys that name none', () => {
  it.each([
    ['the user’s own configuration', { '.config/opencode/opencode.json': saying(MINE) }, {}],
    [
      'a commented one',
      { '.config/opencode/opencode.jsonc': `// mine\n${saying(MINE).replace(/}$/, ',}')}` },
      {},
    ],
    ['the older name', { '.config/opencode/config.json': saying(MINE) }, {}],
    [
      'the later of two',
      {
        '.config/opencode/opencode.json': saying('https://older.example'),
        '.config/opencode/opencode.jsonc': saying(MINE),
      },
      {},
    ],
    ['the home’s own folder', { '.opencode/opencode.json': saying(MINE) }, {}],
    ['the environment', {}, { OPENCODE_CONFIG_CONTENT: saying(MINE) }],
    [
      'a variable',
      { '.config/opencode/opencode.json': saying('{env:MY_GATEWAY}') },
      { MY_GATEWAY: MINE },
    ],
    [
      'a file that the configuration names',
      {
        '.config/opencode/opencode.json': saying('{file:./gateway.txt}'),
        '.config/opencode/gateway.txt': `${MINE}\n`,
      },
      {},
    ],
  ])('is known from %s', async (_what, files, env) => {
    expect(await (await homeWith(files, env as Record<string, string>)).own()).toBe(MINE)
  })

  it('is known from a file and a folder that the environment names', async () => {
    const { home } = await homeWith({
      'a.json': saying('https://first.example'),
      'folder/opencode.json': saying(MINE),
    })
    const env = { ...homeIn(home), OPENCODE_CONFIG: path.join(home, 'a.json') }
    expect(await userBaseUrl({ paths: resolvePaths(env), env })).toBe('https://first.example')
    expect(
      await userBaseUrl({
        paths: resolvePaths(env),
        env: { ...env, OPENCODE_CONFIG_DIR: path.join(home, 'folder') },
      }),
    ).toBe(MINE)
  })

  it.skipIf(process.platform === 'win32')(
    'is nobody’s where a pipe, a broken or a deeply nested file stands in the place of the configuration',
    async () => {
      const { home, own } = await homeWith({
        '.config/opencode/config.json': `{"baseURL": ${'['.repeat(20_000)}`,
        '.config/opencode/opencode.jsonc': '{"provider": {"openai": {"options": {"baseURL": 7}}}}',
      })
      execFileSync('mkfifo', [path.join(home, '.config/opencode/opencode.json')])
      expect(await own()).toBeUndefined()
    },
  )

  it('is used where the host’s merged address is the user’s own, and nothing is sent where it is not', () => {
    expect(providerEndpoint(undefined, undefined)).toEqual({})
    expect(providerEndpoint('', undefined)).toEqual({})
    expect(providerEndpoint(MINE, MINE)).toEqual({ url: MINE })
    expect(providerEndpoint('https://evil.example/v1', undefined).refused).toBe(
      'provider.openai.options.baseURL leads to evil.example, and your own configuration names none: the project may have set it, so API keys without an endpoint are not sent there.',
    )
    expect(providerEndpoint('https://evil.example/v1', MINE).refused).toContain('names another')
    expect(providerEndpoint('', MINE).refused).toContain('no address')
  })

  it('stops only keys that name no endpoint: others and ChatGPT accounts go where they always go', () => {
    const refused = { refused: 'the project may have set it' }
    const account = { uid: 'a', addedAt: 0, lastUsed: 0 }
    expect(() =>
      destinationOf({ ...account, kind: 'api-key', apiKey: 'k' }, DEFAULT_ENDPOINTS, refused),
    ).toThrow('the project may have set it')
    expect(
      destinationOf(
        { ...account, kind: 'api-key', apiKey: 'k', baseUrl: MINE },
        DEFAULT_ENDPOINTS,
        refused,
      ),
    ).toContain('mine.example')
    expect(destinationOf(account, DEFAULT_ENDPOINTS, refused)).toContain('chatgpt.com')
  })
})
