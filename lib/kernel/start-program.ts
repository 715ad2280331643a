import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'

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
  const file = findProgram(program, env, here)
  if (file === undefined) return undefined
  const cwd = folder ?? neutralFolder(env)
  const { PWD: _here, OLDPWD: _before, INIT_CWD: _npm, ...rest } = env
  const search = searchPath(env, here).join(path.delimiter)
  return spawn(file, [...args], {
    ...options,
    cwd,
    env: { ...rest, [pathName(env)]: search },
    stdio,
    shell: false,
    windowsHide: true,
  })
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
 * `node_modules/.bin` and `.` are the repository's own words.
 */
export function findProgram(
  program: string,
  env: NodeJS.ProcessEnv,
  here: string,
): string | undefined {
  if (path.isAbsolute(program)) return isFile(program) ? program : undefined
  const name =
    process.platform === 'win32' && path.extname(program) === '' ? `${program}.exe` : program
  return searchPath(env, here)
    .map((folder) => path.join(folder, name))
    .find(isFile)
}

function searchPath(env: NodeJS.ProcessEnv, here: string): string[] {
  const project = projectAt(here, env)
  const entries = (env[pathName(env)] ?? '').split(path.delimiter)
  return entries.filter(
    (entry) =>
      path.isAbsolute(entry) &&
      !/node_modules[\\/]+\.bin[\\/]*$/i.test(entry) &&
      (project === undefined || !isInside(project, canonicalPath(entry))),
  )
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
    if (existsSync(path.join(folder, '.git'))) return folder
  return isProject(start) ? start : undefined
}

function isFile(file: string): boolean {
  try {
    return statSync(file).isFile()
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
