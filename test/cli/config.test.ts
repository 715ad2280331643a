import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { SETTINGS } from '../../lib/config/settings.js'
import { type CliResult, runCli } from '../support/run-cli.js'
import { temporaryFolder } from '../support/temporary.js'
import { expectPrivate } from '../support/private-place.js'

interface Stage {
  readonly userFile: string
  readonly projectFile: string
  run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<CliResult>
}

/** A home and a project in it, with these texts as configuration files. */
async function stageWith(user?: string, project?: string): Promise<Stage> {
  const home = await temporaryFolder()
  const directory = path.join(home, 'work')
  const userFile = path.join(home, '.opencode', 'openai-codex-auth-config.json')
  const projectFile = path.join(directory, '.opencode', 'openai-codex-auth-config.json')
  await mkdir(path.dirname(userFile), { recursive: true })
  await mkdir(path.dirname(projectFile), { recursive: true })
  if (user !== undefined) await writeFile(userFile, user)
  if (project !== undefined) await writeFile(projectFile, project)
  return {
    userFile,
    projectFile,
    run: (args, env = {}) => runCli(home, ['config', ...args], { env, directory }),
  }
}

const lineOf = (text: string, start: string): string =>
  text.split('\n').find((line) => line.startsWith(start)) ?? ''

describe('config', () => {
  it('shows every setting with its value and where it came from', async () => {
    const { run, userFile, projectFile } = await stageWith(
      '{\n  "rotationStrategy": "sticky",\n  "maskEmail": false\n}',
      '{ "maskEmail": true }',
    )
    const { code, stdout } = await run([], { CODEX_AUTH_TOOLS: 'off' })
    expect(code).toBe(0)
    for (const name of Object.keys(SETTINGS)) expect(lineOf(stdout, name), name).not.toBe('')
    expect(lineOf(stdout, 'rotationStrategy')).toMatch(`sticky`)
    expect(lineOf(stdout, 'rotationStrategy')).toContain(`${userFile}:2`)
    expect(lineOf(stdout, 'maskEmail')).toContain(`${projectFile}:1`)
    expect(lineOf(stdout, 'tools')).toMatch(/off +CODEX_AUTH_TOOLS/)
    expect(lineOf(stdout, 'retryProfile')).toMatch(/balanced +default/)
  })

  it('shows one setting with its help, default and variable', async () => {
    const { run } = await stageWith()
    const { code, stdout } = await run(['tools'])
    expect(code).toBe(0)
    expect(stdout).toContain('tools = core (default)\n')
    expect(stdout).toContain('environment CODEX_AUTH_TOOLS')
    expect(stdout).not.toContain('maskEmail')
  })

  it('says what beginnerSafeMode puts in place of other values', async () => {
    const { run, userFile } = await stageWith(
      '{ "beginnerSafeMode": true, "retryProfile": "aggressive" }',
    )
    expect(lineOf((await run([])).stdout, 'retryProfile')).toContain(`conservative`)
    expect(JSON.parse((await run(['retryProfile', '--json'])).stdout).settings).toMatchObject([
      { value: 'conservative', source: 'beginnerSafeMode', where: userFile, line: 1 },
    ])
  })

  it('names bad keys with file, line and reason, and ends with 1', async () => {
    const { run, userFile } = await stageWith(
      '{\n  "toastDurationMs": "soon",\n  "rotationStrateg": "sticky"\n}',
    )
    const { code, stdout } = await run([], { CODEX_AUTH_TOOLS: 'some' })
    expect(code).toBe(1)
    expect(stdout).toContain(`${userFile}:2 toastDurationMs: `)
    expect(stdout).toContain(
      `${userFile}:3 rotationStrateg: Unknown setting. Did you mean rotationStrategy?`,
    )
    expect(stdout).toContain('CODEX_AUTH_TOOLS tools: ')
  })

  it('shows no password of an address and keeps the address as it was written', async () => {
    const { run } = await stageWith()
    const env = { CODEX_AUTH_BASE_URL: 'https://Joe:hunter2@Gateway.example.com/Path' }
    for (const args of [[], ['baseUrl'], ['--json']]) {
      const { stdout } = await run(args, env)
      expect(stdout).toContain('https://[hidden]@Gateway.example.com/Path')
      expect(stdout).not.toMatch(/hunter2|Joe/)
    }
  })

  it('names the setting a mistyped one probably meant', async () => {
    expect(await (await stageWith()).run(['tool'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Did you mean tools?'),
    })
  })

  it('changes one value, keeps comments and formatting, and the file as it was', async () => {
    const before =
      '{\n    // one account until it cannot serve\n    "rotationStrategy": "sticky", // mine\n    "maskEmail": false,\n}\n'
    const { run, userFile } = await stageWith(before)
    const { code, stdout } = await run(['set', 'rotationStrategy', 'hybrid'])
    expect(code).toBe(0)
    expect(await readFile(userFile, 'utf8')).toBe(before.replace('"sticky"', '"hybrid"'))
    const [backup] = (await readdir(path.dirname(userFile))).filter((name) =>
      name.includes('.bak-'),
    )
    expect(await readFile(path.join(path.dirname(userFile), backup ?? ''), 'utf8')).toBe(before)
    expect(stdout).toContain('In force: rotationStrategy = hybrid')
    await run(['unset', 'rotationStrategy'])
    const after = await readFile(userFile, 'utf8')
    expect(after).toContain('"maskEmail": false')
    expect(after).not.toContain('rotationStrategy')
  })

  it('makes the file where there is none, readable by its owner alone', async () => {
    const { run, userFile } = await stageWith()
    await run(['set', 'toastDurationMs', '9000'])
    expect(JSON.parse(await readFile(userFile, 'utf8'))).toEqual({ toastDurationMs: 9000 })
    await expectPrivate(userFile)
  })

  it('says what is in force when something else wins', async () => {
    const { run, projectFile } = await stageWith(undefined, '{ "rotationStrategy": "sticky" }')
    expect((await run(['set', 'rotationStrategy', 'hybrid'])).stdout).toContain(
      `In force: rotationStrategy = sticky (${projectFile}:1)`,
    )
    expect((await run(['set', 'rotationStrategy', 'drain-first', '--project'])).stdout).toContain(
      `In force: rotationStrategy = drain-first (${projectFile}:1)`,
    )
  })

  it('writes nothing in a dry run, nothing when nothing changes, and nothing into a broken file', async () => {
    const { run, userFile } = await stageWith('{ "tools": "off" }')
    expect((await run(['set', 'tools', 'full', '--dry-run'])).stdout).toContain(
      'tools would change',
    )
    expect((await run(['set', 'tools', 'off'])).stdout).toContain('nothing to change')
    expect((await run(['unset', 'maskEmail'])).stdout).toContain('nothing to change')
    expect(await readFile(userFile, 'utf8')).toBe('{ "tools": "off" }')
    await writeFile(userFile, '{ "tools": ')
    expect(await run(['set', 'tools', 'full'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('line 1'),
    })
    expect(await readFile(userFile, 'utf8')).toBe('{ "tools": ')
  })

  it.each([
    [['set', 'toastDurationMs', 'soon'], 1, 'toastDurationMs cannot have this value'],
    [['set', 'maskEmail', 'yes'], 1, 'maskEmail cannot have this value'],
    [
      ['set', 'personality', '../x'],
      1,
      'Nothing was changed. What it takes: npx oc-codex-multi-auth config personality\n',
    ],
    [['set', 'nothing', '1'], 1, 'There is no setting "nothing"'],
    [['set', 'baseUrl', 'http://gateway.example'], 1, 'must start with https://'],
    [['set', 'tools'], 2, 'takes a name and a value'],
    [['unset'], 2, 'takes a name'],
    [['a', 'b'], 2, 'at most one name'],
    [['tools', '--project'], 2, 'need set or unset'],
    [['--dry-run'], 2, 'need set or unset'],
    [['--wrong'], 2, '--wrong'],
  ] as const)(
    'answers %j with exit code %d and one clear sentence',
    async (args, expected, sentence) => {
      const { code, stderr } = await (await stageWith()).run(args)
      expect(code).toBe(expected)
      expect(stderr).toContain(sentence)
    },
  )

  it('shows what a project may do with each setting, and names with its place what a project tried beyond that', async () => {
    const { run, projectFile } = await stageWith(
      '{ "creditsPolicy": "ask" }',
      '{\n  "rotationStrategy": "sticky",\n  "creditsPolicy": "allow"\n}',
    )
    const { code, stdout } = await run([])
    expect(code).toBe(1)
    expect(lineOf(stdout, 'creditsPolicy')).toMatch(/ask .* only towards never/)
    expect(lineOf(stdout, 'rotationStrategy')).toContain('sticky')
    expect(stdout).toContain(
      `${projectFile}:3 creditsPolicy: A project may only make this stricter (only towards never); yours: "ask".`,
    )
    expect((await run(['tools'])).stdout).toContain('In a project’s file: only towards off')
  })

  it('does not write into the project’s file what would not count there', async () => {
    const { run, projectFile } = await stageWith(undefined, '{}')
    const refused = await run(['set', 'tools', 'full', '--project'])
    expect([refused.code, await readFile(projectFile, 'utf8')]).toEqual([1, '{}'])
    expect(refused.stderr).toContain(
      'tools: A project may only make this stricter (only towards off); yours: "core".',
    )
    expect((await run(['set', 'tools', 'off', '--project'])).code).toBe(0)
    expect(JSON.parse(await readFile(projectFile, 'utf8'))).toEqual({ tools: 'off' })
  })
})
