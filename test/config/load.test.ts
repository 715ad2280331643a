import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { resolveConfig } from '../../lib/config/load.js'
import { DEFAULT_CONFIG, SETTINGS } from '../../lib/config/settings.js'

const file = (text: string) => ({ path: '/home/u/.opencode/openai-codex-auth-config.json', text })

describe('resolveConfig', () => {
  it('answers the defaults when nothing is set', () => {
    const { config, sources, problems } = resolveConfig({ env: {} })
    expect(config).toEqual(DEFAULT_CONFIG)
    expect(new Set(Object.values(sources))).toEqual(new Set(['default']))
    expect(problems).toEqual([])
  })

  it('lets environment win over project, project over file, file over default', () => {
    const { config, sources } = resolveConfig({
      env: { CODEX_AUTH_TOAST_DURATION_MS: '9000' },
      userFile: file(
        '{"toastDurationMs": 2000, "retryProfile": "aggressive", "rotationStrategy": "sticky"}',
      ),
      projectFile: file('{"toastDurationMs": 3000, "retryProfile": "conservative"}'),
    })
    expect([config.toastDurationMs, config.retryProfile, config.rotationStrategy]).toEqual([
      9000,
      'conservative',
      'sticky',
    ])
    expect([sources.toastDurationMs, sources.retryProfile, sources.rotationStrategy]).toEqual([
      'env',
      'project',
      'file',
    ])
  })

  it.each([
    [true, '1', 'records'],
    [false, '0', 'off'],
    [false, 'false', 'off'],
    ['records', 'TRUE', 'records'],
    ['snapshots', 'Snapshots', 'snapshots'],
    ['off', 'off', 'off'],
  ])(
    'reads a trace of requests that is on or off, as it once was: %j in a file, %s in the environment',
    (inFile, inEnvironment, meant) => {
      const byFile = resolveConfig({
        env: {},
        userFile: file(JSON.stringify({ requestTrace: inFile })),
      })
      const byEnv = resolveConfig({ env: { ENABLE_PLUGIN_REQUEST_LOGGING: inEnvironment } })
      for (const { config, problems } of [byFile, byEnv])
        expect([config.requestTrace, problems]).toEqual([meant, []])
    },
  )

  it.each([
    ['off', 'snapshots'],
    ['off', true],
    ['records', 'snapshots'],
  ])('lets no project raise the trace of requests from %j to %j', (own, wanted) => {
    const { config, problems } = resolveConfig({
      env: {},
      userFile: file(JSON.stringify({ requestTrace: own })),
      projectFile: file(JSON.stringify({ requestTrace: wanted, snapshotTexts: true })),
    })
    expect([config.requestTrace, config.snapshotTexts]).toEqual([own, false])
    expect(problems.map(({ key }) => key)).toEqual(['requestTrace', 'snapshotTexts'])
  })

  it('takes what a project only repeats for the user’s own, in whatever order its members stand', () => {
    const { sources } = resolveConfig({
      env: {},
      userFile: file('{"modelAccountPools": {"gpt-5.5": ["one"], "gpt-5.4": ["two"]}}'),
      projectFile: file('{"modelAccountPools": {"gpt-5.5": ["one"]}}'),
    })
    expect(sources.modelAccountPools).toBe('file')
  })

  it('reads comments, trailing commas, a byte order mark and $schema', () => {
    const { config, problems } = resolveConfig({
      env: {},
      userFile: file('\uFEFF{ // mine\n "$schema": "x", "maskEmail": false,\n}'),
    })
    expect(config.maskEmail).toBe(false)
    expect(problems).toEqual([])
  })

  it('never lets a project say where API keys are sent', () => {
    const { config, problems } = resolveConfig({
      env: {},
      userFile: { path: 'u', text: '{ "baseUrl": "https://mine.example/v1" }' },
      projectFile: { path: 'p', text: '{\n  "baseUrl": "https://other.example/v1"\n}' },
    })
    expect(config.baseUrl).toBe('https://mine.example/v1')
    expect(problems).toEqual([
      {
        where: 'p',
        line: 2,
        key: 'baseUrl',
        message: expect.stringContaining('A project cannot say where API keys are sent'),
      },
    ])
  })

  it('drops one bad key with its line and keeps the rest', () => {
    const { config, problems } = resolveConfig({
      env: {},
      userFile: file('{\n "toastDurationMs": "soon",\n "maskEmail": false\n}'),
    })
    expect(config.maskEmail).toBe(false)
    expect(config.toastDurationMs).toBe(DEFAULT_CONFIG.toastDurationMs)
    expect(problems).toMatchObject([{ key: 'toastDurationMs', line: 2 }])
  })

  it('names the setting a mistyped key probably meant', () => {
    const { problems } = resolveConfig({ env: {}, userFile: file('{"retryProfil": "balanced"}') })
    expect(problems[0]?.message).toContain('retryProfile')
  })

  it.each(['{', '[]', '42', 'null', '"text"'])(
    'uses nothing of a file that holds %s and says so',
    (text) => {
      const { config, problems } = resolveConfig({ env: {}, userFile: file(text) })
      expect(config).toEqual(DEFAULT_CONFIG)
      expect(problems).toHaveLength(1)
    },
  )

  it('reads environment booleans like the earlier plugin: 1 is true, other text is false', () => {
    const on = resolveConfig({ env: { CODEX_AUTH_PID_OFFSET_ENABLED: '1' } }).config
      .pidOffsetEnabled
    const off = resolveConfig({ env: { CODEX_TUI_MASK_EMAIL: 'no' } }).config.maskEmail
    expect([on, off]).toEqual([true, false])
  })

  it('forces calm retries in beginner safe mode', () => {
    const { config } = resolveConfig({
      env: {},
      userFile: file('{"beginnerSafeMode": true, "retryProfile": "aggressive"}'),
    })
    expect([config.retryProfile, config.retryAllAccountsRateLimited]).toEqual([
      'conservative',
      false,
    ])
  })

  it('never throws and always answers a value of the right type, whatever the file and environment hold', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...Object.keys(SETTINGS), 'x'), fc.jsonValue()),
        fc.string(),
        (values, env) => {
          const { config } = resolveConfig({
            env: { CODEX_AUTH_RETRY_PROFILE: env },
            userFile: file(JSON.stringify(values)),
          })
          for (const [name, setting] of Object.entries(SETTINGS)) {
            expect(setting.schema.safeParse(config[name as keyof typeof config]).success).toBe(true)
          }
        },
      ),
    )
  })

  it('takes a file of the earlier plugin without a word about keys that have no effect any more', () => {
    const text = JSON.stringify({
      codexMode: true,
      codexTuiV2: true,
      fastSession: false,
      sessionRecovery: true,
      autoUpdate: true,
      parallelProbing: false,
      retryProfile: 'aggressive',
    })
    const { config, problems } = resolveConfig({ env: {}, userFile: { path: 'c.json', text } })
    expect(problems).toEqual([])
    expect(config.retryProfile).toBe('aggressive')
  })
})
