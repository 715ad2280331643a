import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  candidatePaths,
  FOREIGN_SOURCES,
  readForeign,
  sourceAt,
} from '../../../lib/transfer/sources.js'
import { accountFromFound } from '../../../lib/transfer/found.js'
import { MANAGED_AUTH } from '../../../lib/login/managed-entry.js'
import { CodexError } from '../../../lib/kernel/errors.js'
import { resolvePaths } from '../../../lib/kernel/files/paths.js'
import { homeIn } from '../../support/home.js'
import { inSlashes } from '../../support/slashes.js'
import {
  codexAccounts,
  codexAuth,
  forerunnerPool,
  opencodeAuth,
  opencodeCodexAuth,
  tokenOf,
} from './fixtures.js'

const NOW = 1_800_000_000_000
const ada = { name: 'ada' }
const bob = { name: 'bob' }
const read = (content: unknown, source?: Parameters<typeof readForeign>[0]) =>
  readForeign(source, JSON.stringify(content), '/x/auth.json')
const accounts = (content: unknown, source?: Parameters<typeof readForeign>[0]) =>
  read(content, source).map((found) => accountFromFound(found, NOW))
const whole = (name: string) => ({
  email: `${name}@example.test`,
  accountId: `ws-${name}`,
  accountUserId: `user-${name}`,
  refreshToken: `rt_made-up-${name}`,
  accessToken: tokenOf({ name }),
  expiresAt: 1_900_000_000_000,
  planType: 'plus',
})

describe('a file of another program', () => {
  it.each([
    ['Codex CLI', 'codex', codexAuth(ada), ['ada']],
    ['OpenCode', 'opencode', opencodeAuth(ada), ['ada']],
    ['codex-auth', 'codex-auth', codexAuth(ada), ['ada']],
    ['codex-multi-auth', 'codex-multi-auth', forerunnerPool(ada, bob), ['ada', 'bob']],
    ['oc-chatgpt-multi-auth', 'oc-chatgpt-multi-auth', forerunnerPool(ada, bob), ['ada', 'bob']],
    ['opencode-codex-auth', 'opencode-codex-auth', opencodeCodexAuth(ada, bob), ['ada', 'bob']],
    ['the list beside Codex CLI’s file', 'codex-auth', codexAccounts(ada, bob), ['ada', 'bob']],
  ] as const)(
    'of %s gives whole accounts, with its name and by its content alone',
    (_title, source, content, names) => {
      expect(accounts(content, source)).toMatchObject(names.map(whole))
      expect(accounts(content)).toEqual(accounts(content, source))
    },
  )

  it('says when its login was last renewed: as it says itself, else as the token was issued, never in the future', () => {
    expect(accounts(codexAuth(ada))[0]?.tokenRotatedAt).toBe(Date.parse('2026-11-20T10:00:00.123Z'))
    expect(
      accounts(opencodeAuth({ name: 'ada', issuedAt: 1_750_000_000_000 }))[0]?.tokenRotatedAt,
    ).toBe(1_750_000_000_000)
    expect(
      accounts(codexAuth(ada, { last_refresh: '2999-01-01T00:00:00Z' }))[0]?.tokenRotatedAt,
    ).toBe(NOW)
  })

  it('of Codex CLI with an API key is a key for the public API', () => {
    const key = { kind: 'api-key', apiKey: 'sk-made-up', baseUrl: 'https://api.openai.com/v1' }
    expect(accounts({ OPENAI_API_KEY: 'sk-made-up' })).toMatchObject([key])
    expect(
      accounts(codexAuth(ada, { auth_mode: 'apikey', OPENAI_API_KEY: 'sk-made-up' })),
    ).toMatchObject([key])
  })

  it('of Codex CLI with a ChatGPT login is that login, also where the CLI made a key for itself', () => {
    expect(accounts(codexAuth(ada, { OPENAI_API_KEY: 'sk-made-up' }))).toMatchObject([whole('ada')])
  })

  it('of OpenCode with an API key keeps the endpoint it names, else it is for the public API', () => {
    expect(
      accounts({
        openai: {
          type: 'api',
          key: 'sk-made-up',
          metadata: { codexBaseUrl: 'https://codex.example.com' },
        },
      }),
    ).toMatchObject([{ kind: 'api-key', baseUrl: 'https://codex.example.com' }])
    expect(accounts({ openai: { type: 'api', key: 'sk-made-up' } })).toMatchObject([
      { kind: 'api-key', baseUrl: 'https://api.openai.com/v1' },
    ])
  })

  it('of OpenCode that holds the mark of this plugin holds no account', () => {
    expect(accounts({ openai: MANAGED_AUTH })).toEqual([undefined])
  })

  it('with a workspace chosen by hand keeps it, and takes no seat of another one', () => {
    const [record] = forerunnerPool(ada).accounts as Record<string, unknown>[]
    const [account] = accounts({ version: 3, accounts: [{ ...record, accountId: 'ws-chosen' }] })
    expect(account).toMatchObject({ accountId: 'ws-chosen' })
    expect(account).not.toHaveProperty('accountUserId')
  })

  it.each([
    ['', undefined, 'it is empty'],
    ['{', undefined, 'it is not JSON'],
    ['[]', undefined, 'it does not hold one JSON object'],
    ['{"name":"x"}', undefined, 'its format is unknown'],
    ['{"auth_mode":"chatgpt","tokens":null}', undefined, 'it contains no login'],
    ['{"anthropic":{"type":"api","key":"k"}}', undefined, 'OpenCode has no OpenAI login there'],
    [
      '{"openai":{"type":"wellknown","key":"k","token":"t"}}',
      undefined,
      'neither a ChatGPT login nor an API key',
    ],
    ['{"accounts":[{"email":"a@example.test"}]}', undefined, 'no account in it has a login'],
    ['{"version":9,"accounts":[]}', undefined, 'a newer version (format 9)'],
    ['{"openai":{"type":"api","key":"k"}}', 'codex', 'it is not a login file of Codex CLI'],
    ['{"OPENAI_API_KEY":"k"}', 'opencode', 'it is not a login file of OpenCode'],
  ] as const)('%j (as %s) is refused because %s', (text, source, why) => {
    expect(() => readForeign(source, text, '/x/auth.json')).toThrow(
      `/x/auth.json cannot be imported because`,
    )
    expect(() => readForeign(source, text, '/x/auth.json')).toThrow(why)
  })

  it('with anything in it gives accounts or one clear error, and no error shows what stands in it', () => {
    const secret = fc.constantFrom('rt_made-up-secret', tokenOf(ada), 'sk-made-up-secret')
    const value = fc.oneof(secret, fc.jsonValue(), fc.constantFrom('oauth', 'api', 'apikey'))
    const keys = [
      'openai',
      'accounts',
      'tokens',
      'auth',
      'version',
      'type',
      'key',
      'refresh',
      'access',
      'expires',
      'refreshToken',
      'accessToken',
      'expiresAt',
      'OPENAI_API_KEY',
      'auth_mode',
      'last_refresh',
      'native',
      'refresh_token',
      'access_token',
    ]
    const tree = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        value,
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...keys), tie('node'), { maxKeys: 6 }),
      ),
    })).node
    fc.assert(
      fc.property(
        tree,
        fc.option(fc.constantFrom(...FOREIGN_SOURCES), { nil: undefined }),
        (content, source) => {
          try {
            for (const account of accounts(content, source))
              if (account !== undefined)
                expect(
                  [account.refreshToken, account.accessToken, account.apiKey].some(
                    (one) => typeof one === 'string' && one !== '',
                  ),
                ).toBe(true)
          } catch (error) {
            expect(error).toBeInstanceOf(CodexError)
            expect(String(error)).not.toMatch(/made-up|eyJ/)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('the places of other programs', () => {
  it('follow CODEX_HOME and the folders of OpenCode', () => {
    const env = { ...homeIn('/h'), CODEX_HOME: '/c', XDG_DATA_HOME: '/d', XDG_CONFIG_HOME: '/g' }
    const around = { env, paths: resolvePaths(env), projectRoot: '/p' }
    const files = Object.fromEntries(
      FOREIGN_SOURCES.map((source) => [
        source,
        candidatePaths(source, around).map((place) => inSlashes(place.path)),
      ]),
    )
    expect(files).toEqual({
      codex: ['/c/auth.json'],
      opencode: ['/d/opencode/auth.json'],
      'codex-auth': ['/c/accounts', '/c/accounts.json'],
      'codex-multi-auth': ['/c/multi-auth/openai-codex-accounts.json'],
      'oc-chatgpt-multi-auth': [
        '/h/.opencode/openai-codex-accounts.json',
        '/p/.opencode/openai-codex-accounts.json',
      ],
      'opencode-codex-auth': [
        '/g/opencode/codex-accounts.json',
        '/g/opencode/openai-codex-accounts.json',
      ],
    })
  })

  it('tell whose a file is that is named by its path', () => {
    const env = homeIn('/h')
    const around = { env, paths: resolvePaths(env) }
    const at = (file: string) => sourceAt(path.normalize(file), around)
    expect(at('/h/.codex/auth.json')).toBe('codex')
    expect(at('/h/.codex/accounts/ws-ada.auth.json')).toBe('codex-auth')
    expect(at('/h/.codex/accounts/registry.json')).toBeUndefined()
    expect(at('/h/saved.json')).toBeUndefined()
  })
})
