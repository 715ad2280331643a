import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { createVault } from '../../lib/accounts/keychain/vault.js'
import { backupsDirOf } from '../../lib/accounts/store/pool-file.js'
import { createAccountStore } from '../../lib/accounts/store/store.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { MANAGED_AUTH } from '../../lib/login/managed-entry.js'
import { endOf, startProcess } from '../support/child-process.js'
import { memoryKeychain } from '../support/memory-keychain.js'
import { accountsFileOf, writePool } from '../support/records.js'
import { bodyOf, type Given, type Row } from './support.js'

/** A system call as strace tells it. */
interface SystemCall {
  readonly atMs: number
  readonly name: string
  readonly result: number
  /** The file it is about; empty when there is none. */
  readonly file: string
}

type Environment = Readonly<Record<string, string>>

/** What measurements need that look at whole processes of a runtime from outside. */
export interface Outside {
  readonly rows: Row[]
  readonly runtime: string
  readonly dist: string
  readonly folder: string
  rounds(count: number): number
  /** Path of a bundled program of this folder. */
  script(name: string): string
  /** Runs a program in the runtime to its end. @returns what it printed */
  run(args: readonly string[], env: Environment): Promise<string>
  /** The same under strace, with its calls of these names; without calls where there is no strace. */
  traced(
    names: readonly string[],
    args: readonly string[],
    env: Environment,
  ): Promise<{ readonly output: string; readonly calls?: readonly SystemCall[] }>
}

const TIMEOUT_MS = 180_000

/** Over one runtime. */
export function createOutside(given: Given): Outside {
  const { folder, isQuick, command } = given
  const output = async (
    file: string,
    args: readonly string[],
    more: Environment,
  ): Promise<string> => {
    const PATH = process.env.PATH ?? ''
    const running = startProcess({
      file,
      args,
      cwd: folder,
      // The runtime's own cache of what it transpiled is neither in the plugin's files nor new with each home.
      env: {
        PATH,
        BUN_RUNTIME_TRANSPILER_CACHE_PATH: path.join(folder, 'transpiled'),
        ...given.env,
        ...more,
      },
    })
    const { code, stdout, stderr } = await endOf(running, TIMEOUT_MS)
    if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with code ${code}: ${stderr}`)
    return stdout
  }
  return {
    rows: [],
    runtime: given.runtime,
    dist: given.dist,
    folder,
    rounds: (count) => (isQuick ? Math.ceil(count / 4) : count),
    script: (name) => path.join(given.programs, `${name}.mjs`),
    run: (args, more) => output(command, args, more),
    async traced(names, args, more) {
      const logs = mkdtempSync(path.join(folder, 'strace-'))
      // One log per thread: in a common one the lines of two threads are torn apart. Not every system has every call.
      const trace = `trace=${names.map((name) => `?${name}`).join(',')}`
      const flags = ['-ff', '-qq', '-y', '-ttt', '-s', '0', '-e', trace, '-o', `${logs}/log`]
      const text = await output('strace', [...flags, command, ...args], more).catch(() => undefined)
      if (text === undefined) return { output: await output(command, args, more) }
      const calls = readdirSync(logs).flatMap((name) =>
        readFileSync(path.join(logs, name), 'utf8').split('\n').flatMap(callsIn),
      )
      return { output: text, calls }
    },
  }
}

/** The call in a line such as `1.5 openat(AT_FDCWD</a>, "b", O_RDONLY) = 3</a/b>`. */
function callsIn(line: string): readonly SystemCall[] {
  const [, at, name = '', args = '', result, opened] =
    /^(\d+\.\d+) (\w+)\((.*)\) += (-?\d+)(?:<(.*)>)?/.exec(line) ?? []
  if (at === undefined) return []
  const file = opened ?? /^\d+<([^>]*)>/.exec(args)?.[1] ?? /.*"(.*)"/.exec(args)?.[1] ?? ''
  return [{ atMs: Number(at) * 1_000, name, result: Number(result), file }]
}

/** A home with the files of a user who has signed in. */
export async function homeOf({ folder }: Outside, accounts: readonly object[]): Promise<string> {
  const home = mkdtempSync(path.join(folder, 'home-'))
  const hostData = path.join(home, '.local', 'share', 'opencode')
  mkdirSync(hostData, { recursive: true })
  writeFileSync(path.join(hostData, 'auth.json'), JSON.stringify({ openai: MANAGED_AUTH }))
  await writePool(accountsFileOf(home), accounts)
  return home
}

/** The same with a sealed account file. @returns also what the keychain holds, by name */
export async function sealedHomeOf(
  outside: Outside,
  accounts: readonly object[],
): Promise<{ readonly home: string; readonly secrets: Readonly<Record<string, string>> }> {
  const home = await homeOf(outside, accounts)
  const file = accountsFileOf(home)
  const keychain = memoryKeychain()
  const vault = createVault({ keychain, clock: systemClock, optedIn: true })
  const plain = createAccountStore({
    path: file,
    backupsDir: backupsDirOf(file),
    clock: systemClock,
  })
  const { accounts: records } = await plain.read()
  rmSync(file)
  await createAccountStore({
    path: file,
    backupsDir: backupsDirOf(file),
    clock: systemClock,
    vault,
  }).update((pool) => ({ ...pool, accounts: records }))
  return { home, secrets: Object.fromEntries(keychain.items) }
}

/** What a program of this folder is told that starts the plugin. */
export const childEnv = (home: string): Record<string, string> => ({
  HOME: home,
  BENCH_AUTH: JSON.stringify(MANAGED_AUTH),
  BENCH_BODY: bodyOf(2_000),
})
