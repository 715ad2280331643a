import { isDeepStrictEqual } from 'node:util'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { resolveConfig } from '../../lib/config/load.js'
import { configTable } from '../../lib/config/published.js'
import { settingRows } from '../../lib/config/report.js'
import type { Setting } from '../../lib/config/setting.js'
import { type SettingName, SETTINGS } from '../../lib/config/settings.js'

const names = Object.keys(SETTINGS) as SettingName[]
const file = (path: string, values: unknown) => ({ path, text: JSON.stringify(values) })

/** What is in force with a user's file and with a project's beside it. */
function both(user: unknown, project: unknown, env: Record<string, string> = {}) {
  const userFile = file('mine.json', user)
  return {
    alone: resolveConfig({ env, userFile }),
    together: resolveConfig({ env, userFile, projectFile: file('theirs.json', project) }),
  }
}

/** A value that a setting takes, or now and then one that it does not. */
const valueOf: Readonly<Record<SettingName, fc.Arbitrary<unknown>>> = (() => {
  const models = fc.constantFrom(
    'gpt-5.5',
    'openai/gpt-5.5',
    'gpt-5.6',
    'gpt-5.6-sol',
    'gpt-5.5-high',
    '__proto__',
    'x',
  )
  const special: Partial<Record<SettingName, fc.Arbitrary<unknown>>> = {
    modelAccountPools: fc.dictionary(
      models,
      fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }),
    ),
    modelAccountPoolModes: fc.dictionary(models, fc.constantFrom('preferred', 'strict')),
    unsupportedCodexFallbackChain: fc.dictionary(models, fc.array(models, { maxLength: 2 })),
    retryBudgetOverrides: fc.dictionary(
      fc.constantFrom('authRefresh', 'network', 'server', 'emptyResponse'),
      fc.integer({ min: 0, max: 100 }),
    ),
    codexClientVersion: fc.constantFrom('0.1', '9.9.9'),
    baseUrl: fc.constantFrom('https://mine.example/v1', 'https://evil.example/v1', ''),
  }
  const numbers = fc.constantFrom(
    0,
    1,
    2,
    8,
    30,
    200,
    1000,
    5000,
    30_000,
    60_000,
    240_000,
    3_600_000,
  )
  const usual = fc.oneof(
    fc.boolean(),
    numbers,
    fc.constantFrom(
      'hybrid',
      'sticky',
      'always',
      'off',
      'core',
      'full',
      'never',
      'ask',
      'allow',
      'conservative',
      'balanced',
      'aggressive',
      'strict',
      'fallback',
      'auto',
      'native',
      'legacy',
      'host',
      'codex',
    ),
  )
  const fitting = (name: SettingName) =>
    usual.filter((value) => (SETTINGS[name] as Setting).schema.safeParse(value).success)
  return Object.fromEntries(names.map((name) => [name, special[name] ?? fitting(name)])) as Record<
    SettingName,
    fc.Arbitrary<unknown>
  >
})()
const settingsFile = fc.record(valueOf, { requiredKeys: [] })

describe('a project’s file may tighten and never loosen', () => {
  it('leaves every setting as strict as it is without the project, whatever the files and the environment say', () => {
    const variables = fc.dictionary(
      fc.constantFrom(
        'CODEX_AUTH_TOOLS',
        'CODEX_AUTH_RETRY_PROFILE',
        'CODEX_TUI_MASK_EMAIL',
        'CODEX_AUTH_BEGINNER_SAFE_MODE',
      ),
      fc.constantFrom('0', '1', 'off', 'full', 'aggressive', 'conservative'),
    )
    fc.assert(
      fc.property(settingsFile, settingsFile, variables, (user, project, env) => {
        const { alone, together } = both(user, project, env)
        for (const name of names) {
          const rule = (SETTINGS[name] as Setting).project
          const [before, after] = [alone.config[name], together.config[name]]
          if (rule === undefined || rule.refusal !== undefined || alone.sources[name] === 'env')
            expect(after, name).toEqual(before)
          else
            expect(
              rule.isLooser(before, after),
              `${name}: ${JSON.stringify(before)} became ${JSON.stringify(after)}`,
            ).toBe(false)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('says of every value of a project either that it is in force or why not', () => {
    fc.assert(
      fc.property(settingsFile, settingsFile, (user, project) => {
        const { alone, together } = both(user, project)
        for (const key of Object.keys(project) as SettingName[]) {
          const isReported = together.problems.some(
            (problem) => problem.where === 'theirs.json' && problem.key === key,
          )
          const isTaken = together.sources[key] === 'project'
          const isRepeated =
            alone.sources[key] === 'file' &&
            isDeepStrictEqual(together.config[key], alone.config[key])
          expect([isReported, isTaken], key).not.toEqual([true, true])
          expect(isReported || isTaken || isRepeated || together.safeMode.includes(key), key).toBe(
            true,
          )
        }
      }),
    )
  })

  it.each([
    ['tools', 'full'],
    ['creditsPolicy', 'allow'],
    ['creditsPolicy', 'ask'],
    ['maskEmail', false],
    ['codexIdentity', true],
    ['codexClientVersion', '9.9.9'],
    ['requestTrace', true],
    ['baseUrl', 'https://evil.example/v1'],
    ['retryProfile', 'aggressive'],
    ['retryBudgetOverrides', { server: 100 }],
    ['retryAllAccountsMaxWaitMs', 280_000],
    ['emptyResponseMaxRetries', 20],
    ['unsupportedCodexPolicy', 'fallback'],
    ['unsupportedCodexFallbackChain', { 'gpt-5.5': ['gpt-5-pro'] }],
    ['requestTransformMode', 'legacy'],
    ['fastSession', true],
    ['responsesLite', 'auto'],
    ['proactiveRefresh', true],
    ['tokenRefreshSkewMs', 3_600_000],
    ['fetchTimeoutMs', 1000],
    ['accountToasts', false],
    ['rateLimitToastDebounceMs', 86_400_000],
    ['perProjectAccounts', false],
    ['history', true],
    ['promptTemplates', true],
  ] as const)(
    'refuses %s = %j, and says where it stands, why, and what is in force',
    (name, value) => {
      const user = name === 'history' ? { history: false } : {}
      const { alone, together } = both(user, { rotationStrategy: 'sticky', [name]: value })
      expect(together.config[name]).toEqual(alone.config[name])
      expect(together.config.rotationStrategy).toBe('sticky')
      expect(together.problems).toHaveLength(1)
      expect(together.problems[0]).toMatchObject({
        where: 'theirs.json',
        line: 1,
        key: name,
        message: expect.stringMatching(
          /^A project (may only make this stricter \(.+\); yours: |may not set this\. |cannot say where API keys are sent\. )/,
        ),
      })
    },
  )

  it.each([
    ['rotationStrategy', 'drain-first'],
    ['pidOffsetEnabled', true],
    ['tools', 'off'],
    ['retryProfile', 'conservative'],
    ['retryBudgetOverrides', { server: 0 }],
    ['retryAllAccountsRateLimited', false],
    ['modelAccountPools', { 'gpt-5.5': ['a'] }],
    ['modelAccountPoolModes', { 'gpt-5.5': 'strict' }],
    ['history', false],
    ['toastDurationMs', 9000],
    ['beginnerSafeMode', true],
  ] as const)('takes %s = %j', (name, value) => {
    const { together } = both({}, { [name]: value })
    expect(together.config[name]).toEqual(value)
    expect([together.sources[name], together.problems]).toEqual(['project', []])
  })

  it('measures a project against the user’s own value and not against the default', () => {
    expect(
      both(
        { tools: 'off', maskEmail: false, creditsPolicy: 'allow' },
        { tools: 'core', maskEmail: true, creditsPolicy: 'ask' },
      ).together.config,
    ).toMatchObject({ tools: 'off', maskEmail: true, creditsPolicy: 'ask' })
  })

  it('does not let a project empty the pool that the user gave a model, under any name of the model', () => {
    const user = {
      modelAccountPools: { 'gpt-5.5': ['work', 'spare'] },
      modelAccountPoolModes: { 'gpt-5.5': 'strict' },
    }
    for (const alias of ['gpt-5.5', 'openai/gpt-5.5']) {
      const { alone, together } = both(user, {
        modelAccountPools: { [alias]: ['private'] },
        modelAccountPoolModes: { [alias]: 'preferred' },
      })
      expect(together.config).toEqual(alone.config)
    }
    const { together } = both(user, {
      modelAccountPools: { 'openai/gpt-5.5': ['work'], 'gpt-5.4': ['spare'] },
    })
    expect(together.config.modelAccountPools).toEqual({
      'openai/gpt-5.5': ['work'],
      'gpt-5.4': ['spare'],
    })
    expect(together.config.modelAccountPoolModes).toEqual(user.modelAccountPoolModes)
  })

  it('does not lift the user’s own limits by way of safe mode, nor what the environment says', () => {
    const user = {
      retryBudgetOverrides: { server: 0 },
      retryAllAccountsMaxRetries: 0,
      retryProfile: 'aggressive',
    }
    expect(both(user, { beginnerSafeMode: true }).together.config).toMatchObject({
      retryBudgetOverrides: { server: 0 },
      retryAllAccountsMaxRetries: 0,
      retryProfile: 'conservative',
      retryAllAccountsRateLimited: false,
    })
    const { together } = both(
      {},
      { beginnerSafeMode: true },
      { CODEX_AUTH_RETRY_PROFILE: 'balanced' },
    )
    expect([
      together.config.retryProfile,
      settingRows(together).find(({ name }) => name === 'retryProfile')?.source,
    ]).toEqual(['balanced', 'env'])
  })

  it('shows in the table of the docs and in config what a project may do with each setting', () => {
    const rows = settingRows(resolveConfig({ env: {} }))
    for (const row of rows)
      expect(configTable(), row.name).toMatch(
        new RegExp(`\\| \`${row.name}\` .*\\| ${row.project.replaceAll(/[()]/g, '\\$&')} \\|`),
      )
    expect(rows.filter(({ project }) => project === 'no').map(({ name }) => name)).toEqual([
      'unsupportedCodexFallbackChain',
      'tokenRefreshSkewMs',
      'fetchTimeoutMs',
      'streamStallTimeoutMs',
      'requestTransformMode',
      'codexIdentity',
      'codexClientVersion',
      'baseUrl',
      'allowModelSecrets',
      'allowModelDestroy',
    ])
  })
})

describe('a configuration file of anybody', () => {
  it.each([
    ['lists', '['.repeat(20_000)],
    ['objects', '{"a":'.repeat(20_000)],
    [
      'closed lists in a setting',
      `{"modelAccountPools": ${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
    ],
  ])('that nests 20,000 %s costs that file alone and is named in one sentence', (_what, text) => {
    const { config, problems } = resolveConfig({
      env: {},
      userFile: file('mine.json', { tools: 'off' }),
      projectFile: { path: 'theirs.json', text },
    })
    expect(config.tools).toBe('off')
    expect(problems).toEqual([
      {
        where: 'theirs.json',
        line: 1,
        message: 'The file nests lists or objects too deeply; none of its settings are used.',
      },
    ])
  })

  it('with thousands of unknown keys is named with the first of them and a count', () => {
    const { problems } = resolveConfig({
      env: {},
      projectFile: file(
        'theirs.json',
        Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`key${index}`, 1])),
      ),
    })
    expect(problems).toHaveLength(21)
    expect(problems.at(-1)?.message).toBe('4980 more values of this file cannot be used.')
  })

  it('has its keys shown without terminal sequences and cut', () => {
    const { problems } = resolveConfig({
      env: {},
      projectFile: file('theirs.json', { [`\u001b]0;x\u0007\u202e${'k'.repeat(500)}`]: 1 }),
    })
    expect(problems[0]?.key).toBe(`${'k'.repeat(64)}…`)
  })
})
