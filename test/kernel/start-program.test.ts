import { chmod, mkdir, realpath, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { openers } from '../../lib/login/open-browser.js'
import { chosenEnvironment, findProgram, startProgram } from '../../lib/kernel/start-program.js'
import { temporaryFolder } from '../support/temporary.js'

/** A folder with a program that says where it runs and what it was given. */
async function programIn(folder: string, says: string, name = 'helper'): Promise<string> {
  await mkdir(folder, { recursive: true })
  const file = path.join(folder, name)
  await writeFile(file, `#!/bin/sh\necho "${says}"\npwd\nenv\n`)
  await chmod(file, 0o755)
  return folder
}

/** The process stands in a folder, as OpenCode does in a project. */
function standIn(folder: string): void {
  const spy = vi.spyOn(process, 'cwd').mockReturnValue(folder)
  onTestFinished(() => spy.mockRestore())
}

async function outputOf(env: NodeJS.ProcessEnv, program = 'helper'): Promise<string> {
  const child = startProgram({ program, args: [], env, stdio: 'pipe' })
  if (child === undefined) return 'no such program'
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  await new Promise((resolve) => child.once('close', resolve))
  return output
}

describe('a program that we start', () => {
  it('works in no folder of the project, and is not told of one', async () => {
    const project = await realpath(await temporaryFolder())
    const bin = await programIn(path.join(await temporaryFolder(), 'bin'), 'the real one')
    standIn(project)
    const output = await outputOf({
      PATH: `${bin}:/usr/bin:/bin`,
      PWD: project,
      OLDPWD: project,
      INIT_CWD: project,
    })
    expect(output).toContain('the real one')
    expect(output).not.toContain(project)
    expect(output.split('\n')[1]).toBe('/')
  })

  it.each([
    ['the folder itself', (project: string) => project],
    ['a folder below', (project: string) => path.join(project, 'bin')],
    [
      'the packages of the project',
      (project: string) => path.join(project, 'node_modules', '.bin'),
    ],
    [
      'the packages of a folder above',
      (project: string) => path.join(path.dirname(project), 'node_modules', '.bin'),
    ],
    ['a relative name', () => 'bin'],
    ['the current folder by its short name', () => '.'],
    ['an empty entry', () => ''],
  ])(
    'is never found in a project, also when the search path leads there: %s',
    async (_what, entry) => {
      const root = await realpath(await temporaryFolder())
      const project = path.join(root, 'project')
      await mkdir(path.join(project, '.git'), { recursive: true })
      const planted = entry(project)
      await programIn(path.resolve(project, planted), 'planted')
      const bin = await programIn(path.join(root, 'system'), 'the real one')
      standIn(path.join(project, 'src'))
      await mkdir(path.join(project, 'src'))
      expect(
        (
          await outputOf({
            HOME: path.join(root, 'home'),
            PATH: [planted, bin, '/usr/bin', '/bin'].join(path.delimiter),
          })
        ).split('\n')[0],
      ).toBe('the real one')
    },
  )

  it('is not handed a search path that leads into the project, either', async () => {
    const project = await realpath(await temporaryFolder())
    const bin = await programIn(path.join(await temporaryFolder(), 'bin'), 'the real one')
    standIn(project)
    const output = await outputOf({
      PATH: [path.join(project, 'bin'), '.', '', bin, '/usr/bin', '/bin'].join(':'),
    })
    expect(output).toContain(`PATH=${bin}:/usr/bin:/bin\n`)
  })

  it('is found beside the home folder one works in: that is no project', async () => {
    const home = await realpath(await temporaryFolder())
    const bin = await programIn(path.join(home, '.local', 'bin'), 'mine')
    expect(findProgram('helper', { HOME: home, PATH: bin }, home)).toBe(path.join(bin, 'helper'))
  })

  it('is no folder, and a link to a program is one', async () => {
    const folder = await temporaryFolder()
    const bin = await programIn(path.join(folder, 'b'), 'real')
    await mkdir(path.join(folder, 'a', 'helper'), { recursive: true })
    await symlink(path.join(bin, 'helper'), path.join(folder, 'a', 'linked'))
    expect(findProgram('helper', { PATH: `${path.join(folder, 'a')}:${bin}` }, '/')).toBe(
      path.join(bin, 'helper'),
    )
    expect(findProgram('linked', { PATH: path.join(folder, 'a') }, '/')).toBe(
      path.join(folder, 'a', 'linked'),
    )
    expect(findProgram('missing', { PATH: bin }, '/')).toBeUndefined()
  })

  it('gets the variables that say who the user is, and none that hold a secret or steer a runtime', () => {
    const given = {
      PATH: '/bin',
      HOME: '/h',
      LC_ALL: 'C',
      XDG_RUNTIME_DIR: '/r',
      NODE_OPTIONS: '--require x',
      BUN_BE_BUN: '1',
      OC_CODEX_PASSPHRASE: 'p',
      OPENAI_API_KEY: 'k',
      npm_config_registry: 'x',
      LD_PRELOAD: 'x',
      HTTPS_PROXY: 'p',
      BROWSER: 'b',
    }
    expect(chosenEnvironment(given)).toEqual({
      PATH: '/bin',
      HOME: '/h',
      LC_ALL: 'C',
      XDG_RUNTIME_DIR: '/r',
    })
    expect(chosenEnvironment(given, /^BROWSER$/)).toHaveProperty('BROWSER')
  })
})

describe('the browser', () => {
  it('is opened without a shell on every system, so that no character of an address is a command', () => {
    for (const [platform, at] of [
      ['linux', 'desktop'],
      ['linux', 'wsl'],
      ['darwin', 'desktop'],
      ['win32', 'desktop'],
    ] as const) {
      const programs = openers(platform, at)
      expect(programs.length).toBeGreaterThan(0)
      for (const [program] of programs) expect(program).not.toMatch(/cmd|powershell|(?:^|\/)sh$/)
    }
  })
})
