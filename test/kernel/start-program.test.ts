import { chmod, mkdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { openers } from '../../lib/login/open-browser.js'
import {
  behindShim,
  chosenEnvironment,
  findProgram,
  runProgram,
  startProgram,
} from '../../lib/kernel/start-program.js'
import { dropUndefined } from '../../lib/kernel/drop-undefined.js'
import { whereLinksAreFree, whereScriptsRun } from '../support/platforms.js'
import { temporaryFolder } from '../support/temporary.js'

const isWindows = process.platform === 'win32'
/** As what a program called `helper` lies in a folder. */
const HELPER = isWindows ? 'helper.exe' : 'helper'

/** A folder with a program; on Windows it is found and cannot run, as only what is compiled does there. */
async function programIn(folder: string, says: string, name = HELPER): Promise<string> {
  await mkdir(folder, { recursive: true })
  const file = path.join(folder, name)
  await writeFile(file, `#!/bin/sh\necho "${says}"\npwd\nenv\n`)
  await chmod(file, 0o755)
  return folder
}

/** Node says where it runs and what it was given. */
async function nodeSays(env: NodeJS.ProcessEnv): Promise<{ cwd: string; env: object }> {
  const ended = await runProgram({
    program: process.execPath,
    args: ['-p', 'JSON.stringify({ cwd: process.cwd(), env: process.env })'],
    env,
  })
  return JSON.parse(ended?.stdout ?? '') as { cwd: string; env: object }
}

/** The process stands in a folder, as OpenCode does in a project. */
function standIn(folder: string): void {
  const spy = vi.spyOn(process, 'cwd').mockReturnValue(folder)
  onTestFinished(() => spy.mockRestore())
}

async function outputOf(env: NodeJS.ProcessEnv, program = 'helper'): Promise<string> {
  return (await runProgram({ program, args: [], env }))?.stdout ?? 'no such program'
}

describe('a program that we start', () => {
  it('works in the folder of the system, and is told no other', async () => {
    const project = await realpath(await temporaryFolder())
    standIn(project)
    const { SystemRoot } = process.env
    const said = await nodeSays({
      PATH: [path.join(project, 'bin'), path.dirname(process.execPath)].join(path.delimiter),
      ...(SystemRoot !== undefined && { SystemRoot }),
      PWD: project,
      OLDPWD: project,
      INIT_CWD: project,
    })
    expect(said.cwd.toLowerCase()).toBe(isWindows ? SystemRoot?.toLowerCase() : '/')
    expect(JSON.stringify(said)).not.toContain(path.basename(project))
  })

  whereScriptsRun('works in no folder of the project, and is not told of one', async () => {
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
    ['a folder whose name begins with dots', (project: string) => path.join(project, '..bin')],
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
      const env = {
        HOME: path.join(root, 'home'),
        PATH: [planted, bin, '/usr/bin', '/bin'].join(path.delimiter),
      }
      expect(findProgram('helper', env, process.cwd())).toBe(path.join(bin, HELPER))
      if (!isWindows) expect((await outputOf(env)).split('\n')[0]).toBe('the real one')
    },
  )

  whereScriptsRun('is not handed a search path that leads into the project, either', async () => {
    const project = await realpath(await temporaryFolder())
    const bin = await programIn(path.join(await temporaryFolder(), 'bin'), 'the real one')
    standIn(project)
    const output = await outputOf({
      PATH: [path.join(project, 'bin'), '.', '', bin, '/usr/bin', '/bin'].join(':'),
    })
    expect(output).toContain(`PATH=${bin}:/usr/bin:/bin\n`)
  })

  it.skipIf(process.platform === 'win32')(
    'is never found in a project through a link to it, nor where the project is entered through one',
    async () => {
      const root = await realpath(await temporaryFolder())
      const project = path.join(root, 'project')
      await mkdir(path.join(project, '.git'), { recursive: true })
      await programIn(path.join(project, 'bin'), 'planted')
      await symlink(project, path.join(root, 'link'))
      await symlink(path.join(project, 'bin'), path.join(root, 'tools'))
      const found = (entry: string, here: string) =>
        findProgram(
          'helper',
          { HOME: '/nobody', PATH: path.join(root, entry) },
          path.join(root, here),
        )
      for (const [entry, here] of [
        ['link/bin', 'project'],
        ['tools', 'project'],
        ['project/bin', 'link'],
      ] as const)
        expect(found(entry, here), `${entry} from ${here}`).toBeUndefined()
    },
  )

  it('is found beside the home folder one works in: that is no project', async () => {
    const home = await realpath(await temporaryFolder())
    const bin = await programIn(path.join(home, '.local', 'bin'), 'mine')
    expect(findProgram('helper', { HOME: home, PATH: bin }, home)).toBe(path.join(bin, HELPER))
  })

  it('is found on Windows in a folder that its installer put into the search path with quotes', async () => {
    const bin = await programIn(path.join(await temporaryFolder(), 'Program Files'), 'x', 'a.exe')
    const found = findProgram('a', { PATH: `"${bin}"` }, '/', 'win32')
    expect(found).toBe(path.join(bin, 'a.exe'))
    // A `;` in quotes parts nothing.
    const parted = findProgram('a', { PATH: `"${[bin, bin].join(path.delimiter)}"` }, '/', 'win32')
    expect(parted).toBeUndefined()
  })

  it('is no folder', async () => {
    const folder = await temporaryFolder()
    const bin = await programIn(path.join(folder, 'b'), 'real')
    await mkdir(path.join(folder, 'a', HELPER), { recursive: true })
    const both = [path.join(folder, 'a'), bin].join(path.delimiter)
    expect(findProgram('helper', { PATH: both }, '/')).toBe(path.join(bin, HELPER))
    expect(findProgram('missing', { PATH: bin }, '/')).toBeUndefined()
  })

  whereLinksAreFree('may be a link to a program', async () => {
    const folder = await temporaryFolder()
    const bin = await programIn(path.join(folder, 'b'), 'real')
    await mkdir(path.join(folder, 'a'))
    await symlink(path.join(bin, 'helper'), path.join(folder, 'a', 'linked'))
    expect(findProgram('linked', { PATH: path.join(folder, 'a') }, '/')).toBe(
      path.join(folder, 'a', 'linked'),
    )
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

/** As npm, pnpm and an older npm write them. */
const SHIMS = {
  npm: (target: string) =>
    `@ECHO off\r\nGOTO start\r\n:find_dp0\r\nSET dp0=%~dp0\r\nEXIT /b\r\n:start\r\nSETLOCAL\r\nCALL :find_dp0\r\n\r\nIF EXIST "%dp0%\\node.exe" (\r\n  SET "_prog=%dp0%\\node.exe"\r\n) ELSE (\r\n  SET "_prog=node"\r\n)\r\n\r\nendLocal & goto #_undefined_# 2>NUL || title %COMSPEC% & "%_prog%"  "%dp0%\\${target}" %*\r\n`,
  pnpm: (target: string) =>
    `@SETLOCAL\r\n@IF EXIST "%~dp0\\node.exe" (\r\n  "%~dp0\\node.exe"  "%~dp0\\${target}" %*\r\n) ELSE (\r\n  node  "%~dp0\\${target}" %*\r\n)\r\n`,
  'npm, for a program': (target: string) =>
    `@ECHO off\r\nSETLOCAL\r\nCALL :find_dp0\r\n"%dp0%\\${target}"   %*\r\n`,
}

describe('a program of Windows', () => {
  async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
    const folder = await temporaryFolder()
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true })
      await writeFile(path.join(folder, name), text)
    }
    return folder
  }

  it.each([
    ['.COM;.EXE;.BAT;.CMD;.JS', 'tool.exe'],
    ['.CMD;.EXE', 'tool.cmd'],
    [undefined, 'tool.exe'],
    ['.JS;.PY', 'tool.exe'],
  ])('is found under the endings of PATHEXT %s, as the system would: %s', async (PATHEXT, name) => {
    const folder = await folderWith({ 'tool.exe': '', 'tool.cmd': '', tool: '' })
    const env = { PATH: folder, ...(PATHEXT !== undefined && { PATHEXT }) }
    expect(findProgram('tool', env, '/', 'win32')).toBe(path.join(folder, name))
    expect(findProgram(path.join(folder, 'tool'), env, '/', 'win32')).toBe(path.join(folder, name))
    expect(findProgram('tool.cmd', env, '/', 'win32')).toBe(path.join(folder, 'tool.cmd'))
  })

  it('in the first folder of the search path wins, whatever its ending', async () => {
    const first = await folderWith({ 'tool.cmd': '' })
    const second = await folderWith({ 'tool.exe': '' })
    const env = { PATH: [first, second].join(path.delimiter), PATHEXT: '.EXE;.CMD' }
    expect(findProgram('tool', env, '/', 'win32')).toBe(path.join(first, 'tool.cmd'))
  })

  it.each(['npm', 'pnpm'] as const)(
    'behind a script of %s is Node with its file',
    async (maker) => {
      const script = path.join('node_modules', '@openai', 'codex', 'bin', 'codex.js')
      const folder = await folderWith({
        'codex.cmd': SHIMS[maker](script.replaceAll(path.sep, '\\')),
        [script]: '',
        'node.exe': '',
      })
      expect(behindShim(path.join(folder, 'codex.cmd'), { PATH: '' }, '/')).toEqual({
        program: path.join(folder, 'node.exe'),
        args: [path.join(folder, script)],
      })
    },
  )

  it('behind a script of npm is the program itself, where the package brings one', async () => {
    const program = path.join('node_modules', 'opencode-ai', 'bin', 'opencode.exe')
    const folder = await folderWith({
      'opencode.cmd': SHIMS['npm, for a program'](program.replaceAll(path.sep, '\\')),
      [program]: '',
    })
    expect(behindShim(path.join(folder, 'opencode.cmd'), { PATH: '' }, '/')).toEqual({
      program: path.join(folder, program),
      args: [],
    })
  })

  it.each([
    ['of another kind', '@echo off\r\ndel /q %*\r\n'],
    ['whose program is gone', SHIMS.npm('gone.js')],
  ])('is not started through a script %s', async (_what, text) => {
    const folder = await folderWith({ 'tool.cmd': text, 'node.exe': '' })
    expect(behindShim(path.join(folder, 'tool.cmd'), { PATH: folder }, '/')).toBeUndefined()
  })

  it.runIf(process.platform === 'win32')(
    'answers when it is called by its name alone, its arguments untouched',
    async () => {
      const folder = await folderWith({
        'say.cmd': SHIMS.npm('node_modules\\say\\say.js'),
        'node_modules/say/say.js': 'console.log(JSON.stringify(process.argv.slice(2)))',
      })
      const env = {
        ...process.env,
        PATH: [folder, path.dirname(process.execPath)].join(path.delimiter),
      }
      const args = ['a & b', '%PATH%', '"', 'c d']
      const child = startProgram({ program: 'say', args, env, stdio: 'pipe' })
      let output = ''
      child?.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
      await new Promise((resolve) => child?.once('close', resolve))
      expect(JSON.parse(output)).toEqual(args)
    },
  )
})

describe('a program that is run to its end', () => {
  interface More {
    readonly stdin?: string
    readonly mostOutput?: number
    readonly timeout?: number
    readonly signal?: AbortSignal
  }
  const node = (script: string, { stdin, mostOutput, ...rest }: More = {}) =>
    runProgram(
      {
        program: process.execPath,
        args: ['-e', script],
        env: process.env,
        ...rest,
      },
      dropUndefined({ stdin, mostOutput }),
    )

  it('is told by its code, with what it wrote on each side', async () => {
    const ended = await node('console.log("out"); console.error("err"); process.exitCode = 3')
    expect(ended).toMatchObject({ code: 3, stdout: 'out\n', stderr: 'err\n' })
  })

  it('reads what it is given, and need not', async () => {
    const echo = await node('process.stdin.pipe(process.stdout)', { stdin: 'secret' })
    expect(echo?.stdout).toBe('secret')
    const deaf = await node('process.exit(0)', { stdin: 'x'.repeat(1_000_000) })
    expect(deaf?.code).toBe(0)
  })

  it('has no code when its time is over', async () => {
    const ended = await node('setInterval(() => 0, 1000)', { timeout: 200 })
    expect(ended?.code).toBeNull()
  })

  it('keeps the end of what it writes without end', async () => {
    const ended = await node('console.log("x".repeat(100_000)); console.log("end")', {
      mostOutput: 10,
    })
    expect(ended?.stdout).toBe('xxxxx\nend\n')
  })

  it('is ended by a signal, and that is an error', async () => {
    const signal = AbortSignal.timeout(200)
    const running = node('setInterval(() => 0, 1000)', { signal })
    await expect(running).rejects.toMatchObject({ name: 'AbortError' })
  })

  /** A program that starts another one, which outlives it with its output in its hands. */
  const parent = (childScript: string, then: string): string => `
    const { spawn } = require('node:child_process')
    const child = spawn(process.execPath, ['-e', ${JSON.stringify(childScript)}], { stdio: 'inherit' })
    console.log(child.pid)
    ${then}`
  /** Takes the one away that was left behind. */
  const endChild = (ended: { readonly stdout: string } | undefined): string => {
    const [pid, ...rest] = (ended?.stdout ?? '').split('\n')
    // 0 would be this very group of processes.
    expect(Number(pid)).toBeGreaterThan(1)
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch (error) {
      // Where it ended with its parent.
      expect(error).toMatchObject({ code: 'ESRCH' })
    }
    return rest.join('\n')
  }

  it('is not waited for when its time is over and what it started holds its output', async () => {
    const ended = await node(parent('setInterval(() => 0, 1000)', 'setInterval(() => 0, 1000)'), {
      timeout: 4_000,
    })
    endChild(ended)
    expect(ended?.code).toBeNull()
  })

  it('is not waited for when it has ended and what it started has not, silent or not', async () => {
    for (const child of ['setInterval(() => 0, 1000)', 'setInterval(() => console.log("."), 50)']) {
      const ended = await node(parent(child, 'setTimeout(() => process.exit(3), 500)'))
      endChild(ended)
      expect(ended?.code).toBe(3)
    }
  })

  it('tells all that it wrote, whatever we were busy with when it ended', async () => {
    const running = node(`${parent('setTimeout(() => 0, 60_000)', '')}
      require('node:fs').writeSync(1, 'x'.repeat(60_000))
      process.exit(0)`)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500)
    expect(endChild(await running)).toBe('x'.repeat(60_000))
  })

  whereScriptsRun(
    'is ended when it does not listen, at the end of its time and at a signal',
    async () => {
      const file = path.join(await temporaryFolder(), 'pid')
      const deaf = `process.on('SIGTERM', () => 0)
      setInterval(() => 0, 1000)
      require('node:fs').writeFileSync(${JSON.stringify(file)}, String(process.pid))`
      expect(await node(deaf, { timeout: 4_000 })).toMatchObject({ code: null })
      await rm(file)
      const abort = new AbortController()
      const running = node(deaf, { signal: abort.signal })
      const pid = await vi.waitFor(async () => {
        const text = await readFile(file, 'utf8')
        expect(text).not.toBe('')
        return Number(text)
      })
      abort.abort()
      await expect(running).rejects.toMatchObject({ name: 'AbortError' })
      await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), { timeout: 15_000 })
    },
  )

  it('is nobody when it is not there', async () => {
    const ended = await runProgram({ program: 'no-such-program', args: [], env: process.env })
    expect(ended).toBeUndefined()
  })
})
