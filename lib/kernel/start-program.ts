import { type ChildProcess, spawn } from 'node:child_process'
import * as fs from 'node:fs'
import path from 'node:path'

import { readBoundedFileSync } from './files/bounded-file.js'
import { canonicalPath, isInside } from './files/same-path.js'

/** A program of this machine and what it gets. */
export interface Program {
  /** A name that is looked for in the search path, or a full path. */
  readonly program: string
  readonly args: readonly string[]
  /** The whole environment of the program. */
  readonly env: NodeJS.ProcessEnv
  /** Where it works; by default a folder that belongs to nobody. Never the folder of the project. */
  readonly folder?: string
  /** `inherit`: it takes over the terminal, as an editor does. */
  readonly stdio: 'pipe' | 'ignore' | 'inherit'
  /** ms; the program is ended then. */
  readonly timeout?: number
  readonly signal?: AbortSignal
  /** It goes on when this process ends. */
  readonly detached?: boolean
}

/**
 * The one place that starts a process. What starts here gets no folder of the project, no program from there, and the
 * environment the caller names: a repository that was merely opened has no say.
 * @returns undefined when there is no such program
 */
export function startProgram({
  program,
  args,
  env,
  folder,
  stdio,
  ...options
}: Program): ChildProcess | undefined {
  const here = process.cwd()
  const found = findProgram(program, env, here)
  const file = found === undefined ? undefined : behindShim(found, env, here)
  if (file === undefined) return undefined
  const cwd = folder ?? neutralFolder(env)
  const { PWD: _here, OLDPWD: _before, INIT_CWD: _npm, ...rest } = env
  const search = searchPath(env, here).join(path.delimiter)
  return spawn(file.program, [...file.args, ...args], {
    ...options,
    cwd,
    env: { ...rest, [pathName(env)]: search },
    stdio,
    shell: false,
    windowsHide: true,
  })
}

/** Characters that are kept of each side of what a program writes, the last ones. */
const MOST_OUTPUT = 2_000_000

/** What a program has written, and how it ended. */
export interface Ended {
  /** null when it was ended from outside, by its time limit as a rule. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A program that does not end when it is told to is ended all the same after this long, ms. */
const PATIENCE_MS = 2_000
/** Where nothing was written for this long after the end of a program, somebody it left behind holds its output, ms. */
const QUIET_MS = 500
/** Who goes on writing then is not listened to for longer than this many times that. */
const MOST_WAITS = 4

/**
 * Runs a program to its end. It is waited for at most 4 s beyond its time limit, whatever it started or makes of a signal.
 * @param stdin what it is given to read; a program that does not read it is told by its exit code
 * @param mostOutput characters that are kept of each side, the last ones
 * @returns undefined when there is no such program
 * @throws the system's error when it cannot be started, Node's `AbortError` when aborted
 */
export async function runProgram(
  program: Omit<Program, 'stdio' | 'detached'>,
  { stdin = '', mostOutput = MOST_OUTPUT }: { stdin?: string; mostOutput?: number } = {},
): Promise<Ended | undefined> {
  const child = startProgram({ ...program, stdio: 'pipe' })
  if (child === undefined) return undefined
  return new Promise((resolve, reject) => {
    const kept = { stdout: '', stderr: '' }
    const rest = restOf(child)
    for (const name of ['stdout', 'stderr'] as const)
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        kept[name] = (kept[name] + text).slice(-mostOutput)
        rest.came()
      })
    const limit = endFirmly(child, program)
    child.once('error', (error) => {
      rest.begin()
      reject(error)
    })
    child.once('exit', () => rest.begin())
    child.once('close', (code) => {
      clearTimeout(limit)
      rest.end()
      resolve({ code, ...kept })
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(stdin)
  })
}

/** The system asks a program to end, which may not listen. */
function endFirmly(
  child: ChildProcess,
  { timeout, signal }: Pick<Program, 'timeout' | 'signal'>,
): NodeJS.Timeout | undefined {
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  const later = () => setTimeout(kill, PATIENCE_MS).unref()
  if (signal?.aborted === true) later()
  else signal?.addEventListener('abort', later, { once: true })
  // One that could not be started has no exit.
  child.once('close', () => signal?.removeEventListener('abort', later))
  return timeout === undefined ? undefined : setTimeout(kill, timeout + PATIENCE_MS)
}

/** Closes the output of a program that has ended, once nothing more comes of it. */
function restOf(child: ChildProcess) {
  let timer: NodeJS.Timeout | undefined
  let hasCome = false
  let waits = 0
  const close = (): void => {
    child.stdin?.destroy()
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
  const wait = (): void => {
    hasCome = false
    waits += 1
    const look = () => (hasCome && waits < MOST_WAITS ? wait() : close())
    // Where the thread stood still, what was written lies there unread when the time is over.
    timer = setTimeout(() => setImmediate(look), QUIET_MS)
  }
  return {
    begin: (): void => {
      if (timer === undefined) wait()
    },
    came: (): void => void (hasCome = true),
    end: (): void => clearTimeout(timer),
  }
}

/** Variables that say nothing of a project: who the user is, where the desktop is, which language, which way to the network. */
const COMMON =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TERM|COLORTERM|NO_COLOR|TMPDIR|TEMP|TMP|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|SSH_(?:CONNECTION|TTY)|USERPROFILE|USERNAME|USERDOMAIN|APPDATA|LOCALAPPDATA|PROGRAMDATA|PROGRAMFILES|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|HOMEDRIVE|HOMEPATH)$/i

/**
 * The part of an environment that a program is given.
 * @param more further names, for what that program needs
 */
export function chosenEnvironment(env: NodeJS.ProcessEnv, more?: RegExp): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => COMMON.test(name) || more?.test(name) === true),
  )
}

/**
 * The full path of a program. Entries of the search path that are relative, or lie in the project one works in, do not count:
 * `node_modules/.bin` and `.` are the repository's own words. On Windows a name stands for every kind of program that the
 * system looks for.
 */
export function findProgram(
  program: string,
  env: NodeJS.ProcessEnv,
  here: string,
  platform: string = process.platform,
): string | undefined {
  const folders = path.isAbsolute(program) ? [''] : searchPath(env, here, platform)
  const names = platform === 'win32' ? windowsNames(program, env) : [program]
  return folders
    .flatMap((folder) => names.map((name) => (folder === '' ? name : path.join(folder, name))))
    .find(isFile)
}

/** What can be started without a shell, or leads to something that can. */
const STARTABLE = /^\.(?:com|exe|bat|cmd)$/i

function windowsNames(program: string, env: NodeJS.ProcessEnv): readonly string[] {
  if (STARTABLE.test(path.extname(program))) return [program]
  const given = (env.PATHEXT ?? '').split(';').filter((ending) => STARTABLE.test(ending))
  const endings = given.length === 0 ? ['.exe', '.cmd'] : given
  return endings.map((ending) => program + ending.toLowerCase())
}

/** Largest script of Windows that is looked into, bytes: npm's have a few hundred. */
const MAX_SHIM_BYTES = 64 * 1024
/** Where the script of a package manager ends: with its program, told from its own folder, and all that it was given. */
const SHIM_TARGET = /"%(?:~dp0|dp0%)\\?([^"%]+)"\s+%\*/gi

/** What really runs, and what it gets before everything else. */
interface Startable {
  readonly program: string
  readonly args: readonly string[]
}

/**
 * Windows reads a script of its own with a shell, which would read the arguments, too; so the program behind it is started
 * instead, as npm, pnpm and yarn write it into theirs. Undefined for a script of another kind.
 */
export function behindShim(
  file: string,
  env: NodeJS.ProcessEnv,
  here: string,
): Startable | undefined {
  if (!/\.(?:cmd|bat)$/i.test(file)) return { program: file, args: [] }
  const [, inside] = [...textOf(file).matchAll(SHIM_TARGET)].at(-1) ?? []
  if (inside === undefined) return undefined
  const folder = path.dirname(file)
  const target = path.join(folder, ...inside.split('\\'))
  if (!isFile(target)) return undefined
  if (/\.exe$/i.test(target)) return { program: target, args: [] }
  const node = [path.join(folder, 'node.exe'), findProgram('node', env, here)].find(
    (one) => one !== undefined && isFile(one),
  )
  return node === undefined || /\.(?:cmd|bat)$/i.test(node)
    ? undefined
    : { program: node, args: [target] }
}

function textOf(file: string): string {
  try {
    return readBoundedFileSync(fs, file, MAX_SHIM_BYTES) ?? ''
  } catch {
    return ''
  }
}

function searchPath(
  env: NodeJS.ProcessEnv,
  here: string,
  platform: string = process.platform,
): string[] {
  const project = projectAt(here, env)
  const told = env[pathName(env)] ?? ''
  const entries = platform === 'win32' ? windowsEntries(told) : told.split(path.delimiter)
  return entries.filter(
    (entry) =>
      path.isAbsolute(entry) &&
      !/node_modules[\\/]+\.bin[\\/]*$/i.test(entry) &&
      (project === undefined || !isInside(project, canonicalPath(entry))),
  )
}

/** On Windows an entry may stand in quotes, for the sake of a `;` in it; the quotes are no part of its name. */
function windowsEntries(told: string): string[] {
  const entry = new RegExp(`(?:"[^"]*"|[^"${path.delimiter}])+`, 'g')
  return (told.match(entry) ?? []).map((one) => one.replaceAll('"', ''))
}

/** The repository one stands in, or the folder itself; the home folder and the top of a disk are no projects. Real paths. */
function projectAt(here: string, env: NodeJS.ProcessEnv): string | undefined {
  const homes = [env.HOME, env.USERPROFILE].flatMap((home) =>
    home === undefined || home === '' ? [] : [canonicalPath(home)],
  )
  const isProject = (folder: string): boolean =>
    folder !== path.parse(folder).root && !homes.some((home) => isInside(folder, home))
  const start = canonicalPath(here)
  for (let folder = start; isProject(folder); folder = path.dirname(folder))
    if (fs.existsSync(path.join(folder, '.git'))) return folder
  return isProject(start) ? start : undefined
}

function isFile(file: string): boolean {
  try {
    return fs.statSync(file).isFile()
  } catch {
    return false
  }
}

function pathName(env: NodeJS.ProcessEnv): string {
  return (
    Object.keys(env).find((name) => name === 'PATH') ??
    Object.keys(env).find((name) => name.toUpperCase() === 'PATH') ??
    'PATH'
  )
}

function neutralFolder(env: NodeJS.ProcessEnv): string {
  return process.platform === 'win32' ? (env.SystemRoot ?? env.SYSTEMROOT ?? 'C:\\Windows') : '/'
}
