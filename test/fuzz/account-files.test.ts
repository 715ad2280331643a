import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type CliResult, runCli } from '../support/run-cli.js'
import { runs, timeFor } from './runs.js'
import { aPool } from '../support/records.js'

const NAMES = ['one', 'two', 'three'] as const
const record = (name: string): Record<string, unknown> => ({
  refreshToken: `rt-${name}`,
  accessToken: `at-${name}`,
  expiresAt: 4_102_444_800_000,
  accountId: `id-${name}`,
  accountUserId: `user-${name}`,
  email: `${name}@example.test`,
  accountLabel: name,
  accountTags: ['t'],
  accountNote: 'n',
  planType: 'plus',
  enabled: true,
  addedAt: 1,
  lastUsed: 2,
  oauthScope: 'openid',
  tokenRotatedAt: 3,
  organizationId: 'o',
  residency: 'us',
  accountIdSource: 'token',
  lastSwitchReason: 'best',
  rateLimitResetTimes: { codex: 1 },
  coolingDownUntil: 1,
  cooldownReason: 'x',
  workspaceName: 'w',
  routingOverride: 'us',
  fedramp: false,
})
/** Whatever they hold, they are no credential and no identity: a record with its tokens stays a login. */
const OTHER_FIELDS = [
  'expiresAt',
  'email',
  'accountLabel',
  'accountTags',
  'accountNote',
  'planType',
  'enabled',
  'addedAt',
  'lastUsed',
  'oauthScope',
  'tokenRotatedAt',
  'organizationId',
  'residency',
  'accountIdSource',
  'lastSwitchReason',
  'rateLimitResetTimes',
  'coolingDownUntil',
  'cooldownReason',
  'workspaceName',
  'routingOverride',
  'fedramp',
  'needsLogin',
  'unheardOf',
  'uid',
  'kind',
]
const value = fc.oneof(
  fc.constantFrom(
    null,
    '',
    0,
    -1,
    1e400,
    true,
    [],
    {},
    [null],
    'x'.repeat(5_000),
    '\u001b[31m',
    '__proto__',
  ),
  fc.jsonValue({ maxDepth: 2 }),
)
const TOKENS = /"(?:rt|at)-\w+"/

interface Home {
  readonly folder: string
  readonly pool: string
  run(argv: readonly string[]): Promise<CliResult>
}

async function inHome(text: string, work: (home: Home) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-fuzz-'))
  const root = path.join(folder, '.opencode')
  const pool = path.join(root, 'oc-codex-multi-auth-accounts.json')
  try {
    await mkdir(root, { mode: 0o700 })
    await writeFile(pool, text, { mode: 0o600 })
    await work({
      folder,
      pool,
      run: (argv) =>
        runCli(folder, argv, {
          env: {
            OC_CODEX_SIMULATOR_ISSUER: 'http://127.0.0.1:9',
            OC_CODEX_SIMULATOR_BACKEND: 'http://127.0.0.1:9/backend-api',
          },
        }),
    })
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Done or refused in a sentence: no inside of ours, no secret. */
function expectClear(result: CliResult): void {
  expect([0, 1, 2], result.stderr).toContain(result.code)
  const text = result.stdout + result.stderr
  expect(text).not.toMatch(/\n\s+at |\[object |\bundefined\b|RangeError|TypeError|ZodError/)
  expect(text).not.toMatch(TOKENS)

  expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/)
  if (result.code !== 0) {
    expect(text.trim()).not.toBe('')
    expect(result.stderr.length).toBeLessThan(2_000)
  }
}

async function tokensInPool(file: string): Promise<unknown[]> {
  const { accounts } = JSON.parse(await readFile(file, 'utf8')) as {
    accounts: { refreshToken?: unknown }[]
  }
  return accounts.map(({ refreshToken }) => refreshToken)
}

async function importing(home: Home, name: string): Promise<CliResult> {
  const file = path.join(home.folder, `${name}.json`)
  await writeFile(file, aPool([record(name)]))
  return home.run(['import', file])
}

describe('account files', () => {
  it(
    'keep every login through a write, whatever stands in a field that is no credential (one null made an account vanish)',
    async () => {
      const changes = fc.array(fc.tuple(fc.nat(2), fc.constantFrom(...OTHER_FIELDS), value), {
        minLength: 1,
        maxLength: 4,
      })
      const top = fc.dictionary(
        fc.constantFrom(
          'activeIndex',
          'activeIndexByFamily',
          'rules',
          'unheardOf',
          'unreadableAccounts',
        ),
        value,
        { maxKeys: 2 },
      )
      await fc.assert(
        fc.asyncProperty(changes, top, fc.constantFrom(1, 3), async (edits, extra, version) => {
          const accounts = NAMES.map(record)
          for (const [index, field, to] of edits) accounts[index]![field] = to
          await inHome(
            JSON.stringify({ activeIndex: 0, ...extra, version, accounts }),
            async (home) => {
              expectClear(await home.run(['list']))
              const added = await importing(home, 'four')
              expectClear(added)
              expect(added.code, added.stderr).toBe(0)
              expect((await tokensInPool(home.pool)).sort()).toEqual([
                'rt-four',
                'rt-one',
                'rt-three',
                'rt-two',
              ])
            },
          )
        }),
        runs(40),
      )
    },
    timeFor(40),
  )

  it(
    'are never written over when they are damaged: what was there stays readable or lies beside it',
    async () => {
      const damage = fc.array(
        fc.record({
          at: fc.double({ min: 0, max: 1, noNaN: true }),
          cut: fc.nat(30),
          put: fc.string({ unit: 'binary', maxLength: 4 }),
        }),
        { minLength: 1, maxLength: 3 },
      )
      await fc.assert(
        fc.asyncProperty(damage, fc.boolean(), async (places, isCutOff) => {
          let text = JSON.stringify(
            { version: 3, accounts: NAMES.map(record), activeIndex: 0 },
            undefined,
            2,
          )
          for (const { at, cut, put } of places) {
            const from = Math.floor(at * text.length)
            text = text.slice(0, from) + put + text.slice(from + cut)
          }
          if (isCutOff) text = text.slice(0, Math.floor(places[0]!.at * text.length))
          await inHome(text, async (home) => {
            for (const result of [
              await home.run(['list']),
              await importing(home, 'four'),
              await importing(home, 'five'),
            ])
              expectClear(result)
            const root = path.dirname(home.pool)
            const files = await Promise.all(
              (await readdir(root))
                .filter((name) => name.includes('accounts.json'))
                .map((name) => readFile(path.join(root, name), 'utf8')),
            )
            const kept = files.join('\n')
            if (files.some((one) => one === text)) return
            for (const { refreshToken } of recordsOf(text))
              expect(kept).toContain(JSON.stringify(refreshToken))
          })
        }),
        runs(30),
      )
    },
    timeFor(30),
  )
})

/** Records of a text that can still be read, with a token. */
function recordsOf(text: string): { refreshToken: string }[] {
  try {
    const { accounts } = JSON.parse(text) as { accounts?: unknown }
    return Array.isArray(accounts)
      ? accounts.filter(
          (one): one is { refreshToken: string } =>
            typeof (one as { refreshToken?: unknown } | null)?.refreshToken === 'string',
        )
      : []
  } catch {
    return []
  }
}

const jwt = (claims: object): string =>
  ['{"alg":"none"}', JSON.stringify(claims), 's']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')
const foreign = (name: string): { access: string; refresh: string; id: string } => ({
  access: jwt({
    exp: 4_102_444_800,
    'https://api.openai.com/auth': {
      chatgpt_account_id: `id-${name}`,
      chatgpt_account_user_id: `u-${name}`,
    },
  }),
  refresh: `rt-${name}`,
  id: jwt({
    email: `${name}@example.test`,
    'https://api.openai.com/auth': {
      chatgpt_account_id: `id-${name}`,
      chatgpt_account_user_id: `u-${name}`,
    },
  }),
})
/** A file of every format that can be taken over. */
const FORMATS: Readonly<Record<string, () => unknown>> = {
  'version 3': () => ({
    version: 3,
    accounts: NAMES.map(record),
    activeIndex: 0,
    activeIndexByFamily: { codex: 1 },
  }),
  'version 2': () => ({ version: 2, accounts: NAMES.map(record) }),
  'version 1': () => ({
    version: 1,
    accounts: NAMES.map((name) => ({ ...record(name), rateLimitResetTime: 1 })),
    activeIndex: 2,
  }),
  'Codex CLI': () => ({
    OPENAI_API_KEY: null,
    auth_mode: 'chatgpt',
    tokens: {
      id_token: foreign('one').id,
      access_token: foreign('one').access,
      refresh_token: 'rt-one',
      account_id: 'id-one',
    },
    last_refresh: '2026-01-01T00:00:00Z',
  }),
  OpenCode: () => ({
    openai: {
      type: 'oauth',
      access: foreign('one').access,
      refresh: 'rt-one',
      expires: 4_102_444_800_000,
      accountId: 'id-one',
    },
    anthropic: { type: 'api', key: 'sk' },
  }),
  'a list': () => ({
    accounts: NAMES.map((name) => ({
      accessToken: foreign(name).access,
      refreshToken: `rt-${name}`,
      idToken: foreign(name).id,
      expiresAt: 4_102_444_800_000,
      accountId: `id-${name}`,
      email: `${name}@example.test`,
      enabled: true,
    })),
  }),
  'nested lists': () => ({
    openai: {
      accounts: [],
      native: {
        accounts: NAMES.map((name) => ({
          access: foreign(name).access,
          refresh: `rt-${name}`,
          accountId: `id-${name}`,
        })),
      },
    },
  }),
}

/** Puts something else somewhere into a value. */
function mutated(root: unknown, steps: readonly number[], to: unknown): unknown {
  if (typeof root !== 'object' || root === null || steps.length === 0) return to
  const entries = Object.entries(root as Record<string, unknown>)
  const [step = 0, ...rest] = steps
  const changed = entries.map(
    ([name, one], index) =>
      [name, index === step % entries.length ? mutated(one, rest, to) : one] as const,
  )
  // What is undefined is not there in JSON.
  return Array.isArray(root) ? changed.map(([, one]) => one) : Object.fromEntries(changed)
}

describe('imports', () => {
  it.each(Object.keys(FORMATS))(
    'of %s with anything anywhere in it end with a result or one sentence, and lose nobody who is there',
    async (format) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }),
          fc.oneof(value, fc.constant(undefined)),
          async (steps, to) => {
            await inHome(aPool([record('here')]), async (home) => {
              const file = path.join(home.folder, 'in.json')
              await writeFile(file, JSON.stringify(mutated(FORMATS[format]!(), steps, to) ?? null))
              const result = await home.run(['import', file, '--confirm'])
              expectClear(result)
              expect(await tokensInPool(home.pool)).toContain('rt-here')
              expectClear(await home.run(['list']))
            })
          },
        ),
        runs(12),
      )
    },
    timeFor(12),
  )

  it(
    'of a file whose one bad record is among good ones take the good ones',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom('version 3', 'version 1', 'a list', 'nested lists'),
          value,
          fc.nat(3),
          async (format, bad, place) => {
            const content = FORMATS[format]!() as {
              accounts?: unknown[]
              openai?: { native: { accounts: unknown[] } }
            }
            const list = content.accounts ?? content.openai!.native.accounts
            list.splice(place, 0, bad)
            await inHome(aPool([record('here')]), async (home) => {
              const file = path.join(home.folder, 'in.json')
              await writeFile(file, JSON.stringify(content))
              const result = await home.run(['import', file, '--confirm'])
              expect(result.code, result.stderr + result.stdout).toBe(0)
              for (const name of ['here', ...NAMES])
                expect(await tokensInPool(home.pool)).toContain(`rt-${name}`)
            })
          },
        ),
        runs(12),
      )
    },
    timeFor(12),
  )
})
