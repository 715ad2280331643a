import { lstat, mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { chosenEnvironment, runProgram } from '../../../kernel/start-program.js'
import { type Access, accessIn, listIn } from './access-list.js'

/** The programs of Windows that are asked, by their full paths: one of that name elsewhere is none of them. */
export interface SystemTools {
  /** Who gets at a place. @throws with what went wrong, as a sentence */
  access(place: string, signal: AbortSignal): Promise<Access>
  /** The SID of who runs this; undefined when the system does not say it. */
  readonly own: string | undefined
  /** Changes an access list. @throws with what went wrong, as a sentence */
  change(args: readonly string[]): Promise<void>
}

const LIMIT_MS = 10_000
const OWN = /S-1(?:-\d+){3,}(?!.*S-1-)/s

/** Finds out who runs this, and gives the programs that read and change access lists. */
export async function systemTools(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<SystemTools> {
  const told = await run(env, 'whoami', ['/user', '/fo', 'csv', '/nh'], signal).catch(() => '')
  const own = OWN.exec(told)?.[0]
  return {
    own,
    async access(place, asked) {
      const kind = (await lstat(place)).isDirectory() ? 'folder' : 'file'
      const folder = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-access-'))
      try {
        const saved = path.join(folder, 'list')
        await run(env, 'icacls', [place, '/save', saved], asked)
        const list = listIn(await readFile(saved).catch(() => Buffer.alloc(0)))
        const access = list === undefined ? undefined : accessIn(list, kind, own)
        if (access === undefined) throw new Error('icacls gave no list that is understood.')
        return access
      } finally {
        await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined)
      }
    },
    async change(args) {
      await run(env, 'icacls', args)
    },
  }
}

async function run(
  env: NodeJS.ProcessEnv,
  name: 'icacls' | 'whoami',
  args: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const ended = await runProgram({
    program: path.join(systemFolder(env), 'System32', `${name}.exe`),
    args,
    env: chosenEnvironment(env),
    timeout: LIMIT_MS,
    ...(signal && { signal }),
  })
  if (ended === undefined) throw new Error(`${name} is not there.`)
  if (ended.code === null) throw new Error(`${name} did not answer.`)
  if (ended.code !== 0) throw new Error(`${name} ended with the code ${ended.code}.`)
  return ended.stdout
}

function systemFolder(env: NodeJS.ProcessEnv): string {
  const name = Object.keys(env).find((one) => one.toUpperCase() === 'SYSTEMROOT')
  const folder = name === undefined ? undefined : env[name]
  return folder !== undefined && path.isAbsolute(folder) ? folder : 'C:\\Windows'
}
