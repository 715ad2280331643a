import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { SETTINGS } from '../../lib/config/settings.js'
import { judged } from '../../lib/transfer/foreign-settings/judge.js'
import { foreignConfig } from '../../lib/transfer/foreign-settings/read.js'
import { FOREIGN_FILES } from '../../lib/transfer/foreign-settings/file-table.js'
import { FOREIGN_ENV, FOREIGN_KEYS } from '../../lib/transfer/foreign-settings/table.js'
import { runCli } from '../support/run-cli.js'
import { temporaryFolder } from '../support/temporary.js'

const THEIRS = `{
  // how I like it
  "$schema": "https://schemas.iam-brain.dev/opencode-codex-auth/codex-config.schema.json",
  "quiet": true,
  "refreshAhead": { "enabled": true, "bufferMs": 120000 },
  "runtime": {
    "mode": "codex", "rotationStrategy": "round_robin", "pidOffset": true,
    "promptCacheKeyStrategy": "project",
  },
  "global": { "reasoningEffort": "high" },
  "perModel": { "gpt-6-sol": { "textVerbosity": "low", "variants": { "high": { "serviceTier": "priority" } } } },
  "customModels": { "mine": { "targetModel": "gpt-6-sol", "name": "Mine" } },
  "colour": "blue"
}
`
const OURS = `{
  // keep calm
  "rotationStrategy": "sticky", // because
}
`

async function stageWith(theirs: string | undefined, ours?: string) {
  const home = await temporaryFolder()
  const folder = path.join(home, '.config', 'opencode')
  const ownFile = path.join(home, '.opencode', 'openai-codex-auth-config.json')
  await mkdir(folder, { recursive: true })
  await mkdir(path.dirname(ownFile), { recursive: true })
  if (theirs !== undefined) await writeFile(path.join(folder, 'codex-config.jsonc'), theirs)
  if (ours !== undefined) await writeFile(ownFile, ours)
  const own = () => readFile(ownFile, 'utf8').catch(() => undefined)
  const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    runCli(home, args, { env, directory: home })
  return { home, folder, ownFile, own, run }
}
const login = { refreshToken: 'rt_theirs', accessToken: 'at_theirs', email: 'a@example.com' }

describe('a key that was pasted in the place of a name', () => {
  it('is in no word of a check or a preview', async () => {
    const key = 'sk-proj-planted0123456789abcdefABCDEF'
    const { run } = await stageWith(
      JSON.stringify({ [key]: 1, customModels: { [key]: { id: 'x' } } }),
    )
    for (const args of [
      ['config', 'check'],
      ['config', 'check', '--json'],
      ['import', '--from', 'opencode-codex-auth', '--dry-run'],
      ['import', '--from', 'opencode-codex-auth', '--dry-run', '--json'],
    ]) {
      const { stdout, stderr } = await run(args)
      expect(stdout).toContain('customModels.')
      expect(stdout + stderr).not.toContain('planted')
    }
  })
})

describe('the table of opencode-codex-auth', () => {
  it('has a row for every key, variable and file of it, each once', () => {
    const keys = FOREIGN_KEYS.map(({ key }) => key)
    const block = [
      'personality',
      'reasoningEffort',
      'reasoningMode',
      'reasoningSummary',
      'textVerbosity',
      'serviceTier',
      'include',
      'parallelToolCalls',
      'reasoningSummaries',
      'thinkingSummaries',
      'verbosityEnabled',
      'verbosity',
    ]
    const runtime = [
      'mode',
      'rotationStrategy',
      'sanitizeInputs',
      'developerMessagesToUser',
      'promptCacheKeyStrategy',
      'codexCompactionOverride',
      'shareableDebug',
      'headerSnapshots',
      'headerSnapshotBodies',
      'headerTransformDebug',
      'pidOffset',
      'ultra',
      'ultraReasoningEffort',
      'collaborationProfile',
      'orchestratorSubagents',
    ]
    expect(keys).toEqual(
      expect.arrayContaining([
        '$schema',
        'debug',
        'quiet',
        'refreshAhead.enabled',
        'refreshAhead.bufferMs',
        'modelAliases.fast',
        'modelAliases.extendedContext',
        'modelAliases.pro',
        ...runtime.map((name) => `runtime.${name}`),
        ...block.map((name) => `global.${name}`),
        'perModel.*',
        'perModel.*.variants',
        'customModels.*',
      ]),
    )
    const variables = [
      ...FOREIGN_KEYS.flatMap(({ env = [] }) => env),
      ...FOREIGN_ENV.map(({ name }) => name),
    ]
    const multi = [
      'CONFIG_PATH',
      'DEBUG',
      'QUIET',
      'PROACTIVE_REFRESH',
      'PROACTIVE_REFRESH_BUFFER_MS',
      'MODE',
      'SPOOF_MODE',
      'ROTATION_STRATEGY',
      'COMPAT_INPUT_SANITIZER',
      'REMAP_DEVELOPER_MESSAGES_TO_USER',
      'PROMPT_CACHE_KEY_STRATEGY',
      'CODEX_COMPACTION_OVERRIDE',
      'SHAREABLE_DEBUG',
      'HEADER_SNAPSHOTS',
      'HEADER_SNAPSHOT_BODIES',
      'HEADER_TRANSFORM_DEBUG',
      'PID_OFFSET',
      'ULTRA',
      'ULTRA_REASONING_EFFORT',
      'COLLABORATION_PROFILE',
      'ORCHESTRATOR_SUBAGENTS',
      'PERSONALITY',
      'REASONING_SUMMARIES',
      'THINKING_SUMMARIES',
      'TEXT_VERBOSITY',
      'VERBOSITY_ENABLED',
      'VERBOSITY',
      'SERVICE_TIER',
    ]
    expect(variables).toEqual(
      expect.arrayContaining([
        ...multi.map((name) => `OPENCODE_OPENAI_MULTI_${name}`),
        'DEBUG_CODEX_PLUGIN',
        'CODEX_AUTH_DEBUG',
        'CODEX_AUTH_DEBUG_MAX_BYTES',
        'CODEX_OAUTH_CALLBACK_TIMEOUT_MS',
        'CODEX_OAUTH_SERVER_SHUTDOWN_GRACE_MS',
        'CODEX_OAUTH_SERVER_SHUTDOWN_ERROR_GRACE_MS',
        'CODEX_OAUTH_HTTP_TIMEOUT_MS',
        'CODEX_DEVICE_AUTH_TIMEOUT_MS',
        'OPENCODE_NO_BROWSER',
        'NO_COLOR',
        'CODEX_IN_VIVO',
      ]),
    )
    for (const names of [keys, variables, FOREIGN_FILES.map(({ name }) => name)])
      expect(new Set(names).size).toBe(names.length)
  })

  it('says something of every value, and sets only what the setting takes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FOREIGN_KEYS), fc.jsonValue(), ({ becomes }, value) => {
        const verdict = judged(becomes, value)
        expect(verdict.says).not.toBe('')
        if (verdict.setting === undefined) return
        expect(SETTINGS[verdict.setting].schema.safeParse(verdict.value).success).toBe(true)
      }),
    )
  })
})

describe('a value that is the default here', () => {
  it('sets nothing, so that it stands in the way of no other key of the same setting', () => {
    const of = (key: string) => FOREIGN_KEYS.find((one) => one.key === key)?.becomes
    for (const [key, value] of [
      ['runtime.headerSnapshots', false],
      ['runtime.mode', 'native'],
      ['runtime.rotationStrategy', 'hybrid'],
    ] as const)
      expect(judged(of(key)!, value)).toMatchObject({ status: 'same' })
    expect(judged(of('runtime.headerTransformDebug')!, true)).toMatchObject({
      status: 'setting',
      setting: 'requestTrace',
    })
  })
})

describe('config check', () => {
  it('names each setting, variable and file with what becomes of it, and fails where something is not supported', async () => {
    const { run, folder } = await stageWith(THEIRS)
    await writeFile(path.join(folder, 'codex-accounts.json'), '{}')
    const env = { OPENCODE_OPENAI_MULTI_QUIET: '1', CODEX_OAUTH_HTTP_TIMEOUT_MS: '9000' }
    const { code, stdout } = await run(['config', 'check', '--json'], env)
    expect(code).toBe(1)
    const { opencodeCodexAuth: theirs } = JSON.parse(stdout) as {
      opencodeCodexAuth: {
        found: {
          name: string
          kind: string
          status: string
          line: number | null
          value?: unknown
        }[]
        unsupported: number
      }
    }
    const of = (name: string) => theirs.found.find((one) => one.name === name)
    expect(of('runtime.rotationStrategy')).toMatchObject({
      status: 'setting',
      value: 'round-robin',
      line: 7,
    })
    expect(of('quiet')).toMatchObject({ status: 'setting', setting: 'accountToasts', value: false })
    expect(of('runtime.mode')).toMatchObject({ setting: 'codexIdentity', value: true })
    expect(of('runtime.promptCacheKeyStrategy')).toMatchObject({ status: 'unsupported' })
    expect(of('global.reasoningEffort')).toMatchObject({ status: 'elsewhere' })
    expect(of('customModels.mine')).toMatchObject({ status: 'elsewhere' })
    expect(of('perModel.gpt-6-sol.variants')).toMatchObject({ status: 'elsewhere' })
    expect(of('colour')).toMatchObject({ status: 'unsupported' })
    expect(of('OPENCODE_OPENAI_MULTI_QUIET')).toMatchObject({ kind: 'variable', value: false })
    expect(of('CODEX_OAUTH_HTTP_TIMEOUT_MS')).toMatchObject({ status: 'unsupported' })
    expect(of('codex-accounts.json')).toMatchObject({ kind: 'file', status: 'elsewhere' })
    expect(theirs.unsupported).toBe(3)

    const plain = await run(['config', 'check'], env)
    expect(plain.code).toBe(1)
    expect(plain.stdout).toContain('Set CODEX_AUTH_ACCOUNT_TOASTS=false in its place.')
    expect(plain.stdout).toContain('3 things of opencode-codex-auth not supported here.')
  })

  it('names every file that it leaves behind, whatever is in its name', async () => {
    const { run, folder } = await stageWith(undefined)
    const files = [
      'codex-config.json',
      'openai-codex-accounts.json',
      'Personalities/pirate.md',
      'commands/create-personality.md',
      'skills/personality-builder/SKILL.md',
      'agents/orchestrator.md',
      'agents/orchestrator.md.disabled',
      'cache/codex-client-version.json',
      'cache/codex-models-cache.json',
      'cache/codex-models-cache-meta.json',
      'cache/codex-auth-models-0123456789abcdef.json',
      'cache/codex-prompts-cache.json',
      'cache/codex-instructions-meta.json',
      'cache/codex-session-affinity.json',
      'cache/codex-snapshots.json',
      'logs/codex-plugin/shareable-debug.jsonl',
      'quarantine/x.json',
    ]
    for (const file of files) {
      await mkdir(path.dirname(path.join(folder, file)), { recursive: true })
      await writeFile(path.join(folder, file), '{}')
    }
    const { stdout } = await run(['config', 'check', '--json'])
    const { found } = (JSON.parse(stdout) as { opencodeCodexAuth: { found: { where: string }[] } })
      .opencodeCodexAuth
    const places = found.map(({ where }) => where)
    for (const file of files)
      expect(
        places.some((place) => path.join(folder, file).startsWith(place)),
        file,
      ).toBe(true)
    expect(places).toHaveLength(files.length)
  })

  it('takes nothing for that plugin’s that is ours or everybody’s', async () => {
    const { run, folder } = await stageWith(undefined)
    await run(['personality', 'install-skill'])
    await mkdir(path.join(folder, 'personalities'))
    const { stdout } = await run(['config', 'check'], { NO_COLOR: '1' })
    expect(stdout).toContain('Nothing of opencode-codex-auth is here.')
    await writeFile(path.join(folder, 'codex-accounts.json'), '{}')
    const beside = await run(['config', 'check'])
    expect(beside.stdout).toContain('the file personalities')
    expect(beside.stdout).not.toContain('skills/personality-builder')
  })

  it('that cannot be read is named by an import, also where there is no login to take', async () => {
    const { run } = await stageWith('{broken')
    const { code, stderr } = await run(['import', '--from', 'opencode-codex-auth'])
    expect(code).toBe(1)
    expect(stderr).toContain('codex-config.jsonc is not one object of JSON')
    expect(stderr).toContain('No login of opencode-codex-auth found')
  })

  it('knows that the texts of requests can be kept here, too', async () => {
    const { run } = await stageWith('{"runtime":{"headerSnapshotBodies":true}}')
    expect((await run(['config', 'check'])).stdout).toContain('snapshotTexts: true')
  })

  it('is content where nothing of it is here and our own settings are valid, and not where one is not', async () => {
    const { run, ownFile } = await stageWith(undefined, '{ "tools": "off" }')
    const good = await run(['config', 'check'])
    expect([good.code, good.stdout]).toEqual([
      0,
      'Every setting is valid.\nNothing of opencode-codex-auth is here.\n',
    ])
    await writeFile(ownFile, '{ "tools": "all" }')
    const bad = await run(['config', 'check'])
    expect(bad.code).toBe(1)
    expect(bad.stdout).toContain('tools')
    expect((await run(['config', 'check', 'tools'])).code).toBe(2)
  })

  it.each([
    ['broken', '{ "quiet": '],
    ['a list', '[]'],
    ['too deep', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['too long', `{"quiet":true,"x":"${'x'.repeat(300_000)}"}`],
  ])('says that a configuration cannot be read that is %s', async (_, text) => {
    const { run } = await stageWith(text)
    const { code, stdout } = await run(['config', 'check'])
    expect(code).toBe(1)
    expect(stdout).toContain('codex-config.jsonc')
  })

  it('shows no control characters of a foreign key, and is not led astray by names that every object has', async () => {
    const { home } = await stageWith(
      '{ "a\\u001b[31mb": 1, "__proto__": { "quiet": true }, "constructor": 2 }',
    )
    const paths = { hostConfigDir: path.join(home, '.config', 'opencode') }
    const { found } = foreignConfig({ env: {}, paths })
    expect(found.map(({ name, status }) => [name, status])).toEqual([
      ['ab', 'unsupported'],
      ['__proto__.quiet', 'unsupported'],
      ['constructor', 'unsupported'],
    ])
  })
})

describe('import --from opencode-codex-auth', () => {
  const from = ['import', '--from', 'opencode-codex-auth']

  it('shows what becomes of its configuration and changes nothing without --confirm', async () => {
    const { run, own } = await stageWith(THEIRS, OURS)
    const { stdout } = await run(from)
    expect(stdout).toMatch(/runtime\.rotationStrategy +yours stays/)
    expect(stdout).toMatch(/refreshAhead\.bufferMs +is set/)
    expect(stdout).toContain('Pass confirm to take its configuration over.')
    expect(await own()).toBe(OURS)
    await run([...from, '--confirm', '--dry-run'])
    expect(await own()).toBe(OURS)
  })

  it('takes accounts and settings over, keeps what the user wrote with its comments, and says how to go back', async () => {
    const { run, own, folder, ownFile, home } = await stageWith(THEIRS, OURS)
    await writeFile(
      path.join(folder, 'codex-accounts.json'),
      JSON.stringify({ openai: { type: 'oauth', accounts: [login] } }),
    )
    const { code, stdout } = await run([...from, '--confirm'])
    expect(code).toBe(0)
    expect(stdout).toContain('1 added')
    expect(stdout).toContain('To undo it, put ')
    const text = (await own()) ?? ''
    for (const kept of ['// keep calm', '"rotationStrategy": "sticky"', '// because'])
      expect(text).toContain(kept)
    for (const taken of [
      '"accountToasts": false',
      '"proactiveRefresh": true',
      '"tokenRefreshSkewMs": 120000',
      '"codexIdentity": true',
      '"pidOffsetEnabled": true',
    ])
      expect(text).toContain(taken)
    const [backup = ''] = (await readdir(path.dirname(ownFile))).filter((name) =>
      name.includes('.bak-'),
    )
    expect(await readFile(path.join(path.dirname(ownFile), backup), 'utf8')).toBe(OURS)
    const pool = path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json')
    expect(await readFile(pool, 'utf8')).toContain('rt_theirs')
    expect((await run(['config'])).code).toBe(0)

    const again = await run([...from, '--confirm'])
    expect(again.stdout).toContain('Its configuration has nothing to take over.')
    expect(await own()).toBe(text)
  })

  it('takes its configuration over where it has no accounts, also into a file that is not there yet', async () => {
    const { run, own } = await stageWith('{ "quiet": true }')
    const { stdout } = await run([...from, '--confirm'])
    expect(JSON.parse((await own()) ?? '')).toEqual({ accountToasts: false })
    expect(stdout).toContain('To undo it, remove ')
  })

  it('changes nothing where our own file is broken', async () => {
    const { run, own } = await stageWith(THEIRS, '{ "tools": ')
    const { code } = await run([...from, '--confirm'])
    expect(code).toBe(1)
    expect(await own()).toBe('{ "tools": ')
  })
})
