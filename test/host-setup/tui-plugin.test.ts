import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { packageVersion } from '../../lib/kernel/version.js'
import { programMark } from '../../lib/slash-commands/same-machine.js'
import { isTuiPluginHere } from '../../lib/shell/tui-plugin.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

const ENTRY = '{ "plugin": ["oc-codex-multi-auth@latest"] }'

const TOLD = '.local/state/opencode/oc-codex-multi-auth-tui.json'
const told = (said: Readonly<Record<string, string>> = {}): string =>
  JSON.stringify({ program: programMark(), version: packageVersion(), ...said })

/** Asks a server in a project below the home, after the files were written; the TUI plugin had its commands before. */
async function asked(
  files: Readonly<Record<string, string>>,
  { env = {}, isMainThread = false }: { env?: NodeJS.ProcessEnv; isMainThread?: boolean } = {},
): Promise<boolean> {
  const home = await temporaryFolder()
  for (const [name, text] of Object.entries({ [TOLD]: told(), ...files })) {
    const file = path.join(home, name)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  const named = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value?.replace('HOME', home)]),
  )
  return isTuiPluginHere({
    directory: path.join(home, 'project', 'deep'),
    paths: resolvePaths(homeIn(home)),
    env: named,
    isMainThread,
  })
}

describe('the server leaves the commands to the TUI plugin', () => {
  it.each<[string, Readonly<Record<string, string>>, NodeJS.ProcessEnv?]>([
    ['of the user', { '.config/opencode/tui.json': ENTRY }],
    ['of the user, with comments', { '.config/opencode/tui.jsonc': `// mine\n${ENTRY} /* x */` }],
    [
      'of the user, with options and a comma too many',
      { '.config/opencode/tui.jsonc': '{"plugin":[["oc-codex-multi-auth",{"a":"//"}],],}' },
    ],
    [
      'of the user, of this very version',
      {
        '.config/opencode/tui.json': ENTRY.replace('latest', packageVersion()),
      },
    ],
    ['of the project', { 'project/.opencode/tui.json': ENTRY }],
    ['of the project, in its root', { 'project/tui.json': ENTRY }],
    [
      'of a folder',
      { '.config/opencode/tui.json': '{"plugin":["file:///home/me/oc-codex-multi-auth"]}' },
    ],
    ['of a file that is named', { 'mine.json': ENTRY }, { OPENCODE_TUI_CONFIG: 'HOME/mine.json' }],
    ['of a folder that is named', { 'c/tui.json': ENTRY }, { OPENCODE_CONFIG_DIR: 'HOME/c' }],
  ])('%s', async (_title, files, env) => {
    expect(await asked(files, { env: env ?? {} })).toBe(true)
  })
})

describe('the server offers the commands', () => {
  it.each<[string, Readonly<Record<string, string>>, NodeJS.ProcessEnv?]>([
    ['when nothing is configured', {}],
    ['when another plugin is', { '.config/opencode/tui.json': '{"plugin":["other"]}' }],
    ['when the entry is a comment', { '.config/opencode/tui.json': `{\n  // ${ENTRY}\n}` }],
    [
      'when the entry is a comment in the list',
      { '.config/opencode/tui.jsonc': `{"plugin":["a",//"oc-codex-multi-auth"\n]}` },
    ],
    [
      'when the file is broken and the TUI passes it over',
      { '.config/opencode/tui.json': `${ENTRY}}` },
    ],
    [
      'when something else is named so',
      { '.config/opencode/tui.json': '{"theme":"oc-codex-multi-auth","plugin":["other"]}' },
    ],
    [
      'when the name is that of another plugin',
      { '.config/opencode/tui.json': '{"plugin":["my-oc-codex-multi-auth-theme"]}' },
    ],
    [
      'when an older version is, which knows no commands',
      { '.config/opencode/tui.json': ENTRY.replace('latest', '6.9.0') },
    ],
    [
      'when the plugin is switched off',
      {
        '.config/opencode/tui.json': ENTRY.replace(
          '{',
          '{"plugin_enabled":{"oc-codex-multi-auth": false},',
        ),
      },
    ],
    [
      'when the user switched the plugin off in the TUI',
      {
        '.config/opencode/tui.json': ENTRY,
        '.local/state/opencode/kv.json': '{"plugin_enabled":{"oc-codex-multi-auth":false}}',
      },
    ],
    [
      'when the TUI plugin never had its commands, as in an OpenCode that cannot load it',
      { '.config/opencode/tui.json': ENTRY, [TOLD]: '' },
    ],
    [
      'when it had them in another OpenCode',
      { '.config/opencode/tui.json': ENTRY, [TOLD]: told({ program: '1-2' }) },
    ],
    [
      'when another version of the plugin had them',
      { '.config/opencode/tui.json': ENTRY, [TOLD]: told({ version: '6.9.0' }) },
    ],
    [
      'when only the project names it and projects are not asked',
      { 'project/.opencode/tui.json': ENTRY },
      { OPENCODE_DISABLE_PROJECT_CONFIG: '1' },
    ],
  ])('%s', async (_title, files, env) => {
    expect(await asked(files, { env: env ?? {} })).toBe(false)
  })

  it('when it is no part of a TUI', async () => {
    expect(await asked({ '.config/opencode/tui.json': ENTRY }, { isMainThread: true })).toBe(false)
  })
})
