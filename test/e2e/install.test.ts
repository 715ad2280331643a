import { execFileSync } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { afterEach, describe, expect, it } from 'vitest'

import { type Ended, endOf, startProcess } from '../support/child-process.js'
import { packPackage } from '../support/pack.js'
import { setStage, signIn, type Stage, turns } from './setup.js'

/** Runs the packed command line on the configuration of a stage whose OpenCode does not have the plugin yet. */
async function prepare(config: string): Promise<{
  stage: Stage
  file: string
  tui: string
  cli: (...args: string[]) => Promise<Ended>
}> {
  const stage = await setStage({ host: { plugins: [] } })
  const { host } = stage
  const { tarball } = await packPackage()
  const folder = path.join(path.dirname(host.project), 'unpacked')
  execFileSync('mkdir', ['-p', folder])
  execFileSync('tar', ['-xzf', tarball, '-C', folder])
  const directory = path.join(host.home, '.config', 'opencode')
  const file = path.join(directory, 'opencode.json')
  await writeFile(file, config)
  const cli = (...args: string[]): Promise<Ended> =>
    endOf(
      startProcess({
        file: process.execPath,
        args: [path.join(folder, 'package', 'dist', 'cli.js'), ...args],
        cwd: host.project,
        env: host.env,
      }),
      60_000,
    )
  return { stage, file, tui: path.join(directory, 'tui.json'), cli }
}

const CONFIGS: readonly [string, string][] = [
  ['an empty object', '{}'],
  [
    'comments, trailing commas and tabs',
    '{\n\t// mine\n\t"$schema": "https://opencode.ai/config.json",\n\t"autoupdate": false, // keep\n\t"plugin": [\n\t\t"some-other-plugin-that-is-missing",\n\t],\n}\n',
  ],
  [
    'a byte order mark and the line ends of Windows',
    '\uFEFF{\r\n  "autoupdate": false,\r\n  "plugin": []\r\n}\r\n',
  ],
  [
    'everything that people set',
    `{
  "$schema": "https://opencode.ai/config.json",
  "model": "openai/gpt-5.5", /* the usual one */
  "small_model": "openai/gpt-5.4-mini",
  "share": "disabled",
  "permission": { "bash": "ask", "edit": "allow" },
  "agent": { "reviewer": { "description": "Reviews", "prompt": "Review.", "model": "openai/gpt-5.5", "tools": { "write": false } } },
  "command": { "codex-list": { "description": "mine", "template": "my own template" } },
  "provider": {
    "openai": { "options": { "timeout": 600000 }, "models": { "gpt-5.5": { "name": "My 5.5", "variants": { "calm": { "reasoningEffort": "low" } } } } },
    "local": { "npm": "@ai-sdk/openai-compatible", "options": { "baseURL": "http://127.0.0.1:1/v1" }, "models": { "m": {} } }
  },
  "mcp": { "off": { "type": "remote", "url": "https://example.test/mcp", "enabled": false } }
}
`,
  ],
  [
    'several entries of this plugin',
    '{ "plugin": ["oc-codex-multi-auth", "oc-chatgpt-multi-auth@4.0.0", ["oc-codex-multi-auth", {}]] }',
  ],
  [
    'a former name of this plugin with options',
    '{ "plugin": [["oc-chatgpt-multi-auth", { "a": 1 }]], "provider": { "openai": { "models": { "my-own": { "name": "Mine" } } } } }',
  ],
]

describe('the installer', () => {
  let stage: Stage | undefined
  afterEach(async () => {
    await stage?.close()
    stage = undefined
  })

  it.each(CONFIGS)(
    'turns a configuration with %s into one the real OpenCode serves a prompt with',
    async (_name, config) => {
      const prepared = await prepare(config)
      stage = prepared.stage
      const { cli, file, tui } = prepared
      const before = await readFile(file, 'utf8')
      expect((await cli('--dry-run')).code).toBe(0)
      expect(await readFile(file, 'utf8')).toBe(before)

      const installed = await cli()
      expect(installed.code, installed.stderr).toBe(0)
      const after = await readFile(file, 'utf8')
      for (const kept of [
        '// mine',
        '// keep',
        'my-own',
        'some-other-plugin',
        '\uFEFF',
        '\r\n',
        '/* the usual one */',
        '"timeout": 600000',
        'My 5.5',
        'my own template',
        '"enabled": false',
      ])
        if (before.includes(kept)) expect(after).toContain(kept)
      expect(JSON.parse(await readFile(tui, 'utf8')).plugin).toContain('oc-codex-multi-auth')
      expect((await readdir(path.dirname(file))).some((name) => name.includes('.bak'))).toBe(true)

      await cli()
      expect(await readFile(file, 'utf8')).toBe(after)

      await signIn(stage, 'personal')
      const run = await stage.host.prompt('SIM:say installed', { title: 'named' })
      expect(run.stdout, run.stderr).toContain('installed')
      expect(turns(stage).at(-1)?.account).toBe('personal')
    },
  )

  it('takes itself out again and leaves the rest as it was', async () => {
    const config = '{\n  // mine\n  "plugin": [\n    "other"\n  ]\n}\n'
    const prepared = await prepare(config)
    stage = prepared.stage
    await prepared.cli()
    const removed = await prepared.cli('uninstall')
    expect(removed.code, removed.stderr).toBe(0)
    expect(await readFile(prepared.file, 'utf8')).toBe(config)
  })

  it('refuses a broken configuration with line and column, and changes neither file', async () => {
    const prepared = await prepare('{\n  "plugin": [\n')
    stage = prepared.stage
    const tuiBefore = await readFile(prepared.tui, 'utf8')
    const refused = await prepared.cli()
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/opencode\.json.*line 3|opencode\.json:3/)
    expect(await readFile(prepared.file, 'utf8')).toBe('{\n  "plugin": [\n')
    expect(await readFile(prepared.tui, 'utf8')).toBe(tuiBefore)
  })

  it('adds the models of a template only when asked, and the real OpenCode lists them', async () => {
    const prepared = await prepare('{}')
    stage = prepared.stage
    await prepared.cli('--legacy', '--json')
    await signIn(stage, 'personal')
    const models = await stage.host.run(['models', 'openai'])
    expect(models.stdout).toContain('openai/gpt-5.5-high')
    const from = stage.simulator.requests.length
    const run = await stage.host.prompt('SIM:say by suffix', {
      title: 'named',
      model: 'openai/gpt-5.5-high',
    })
    expect(run.stdout, run.stderr).toContain('by suffix')
    expect(turns(stage, from)[0]?.body).toMatchObject({
      model: 'gpt-5.5',
      reasoning: { effort: 'high' },
    })
  })
})
