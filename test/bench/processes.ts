import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { endOf, startProcess } from '../support/child-process.js'
import type { Given, Row } from './support.js'

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
  run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string>
  /** The same under strace. @returns its lines for these system calls; undefined where there is no strace */
  traced(
    calls: readonly string[],
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<readonly string[] | undefined>
}

const TIMEOUT_MS = 120_000

/** Over one runtime. */
export function createOutside(given: Given): Outside {
  const { folder, isQuick, command } = given
  const output = async (
    file: string,
    args: readonly string[],
    more: Readonly<Record<string, string>>,
  ): Promise<string> => {
    const PATH = process.env.PATH ?? ''
    const running = startProcess({ file, args, cwd: folder, env: { PATH, ...given.env, ...more } })
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
    script: (name) => path.join(folder, `${name}.mjs`),
    run: (args, more) => output(command, args, more),
    async traced(calls, args, more) {
      const logs = mkdtempSync(path.join(folder, 'strace-'))
      // One log per thread: in a common one the lines of two threads are torn apart.
      const flags = ['-ff', '-qq', '-e', `trace=${calls.join(',')}`, '-o', path.join(logs, 'log')]
      try {
        await output('strace', [...flags, command, ...args], more)
      } catch {
        return undefined
      }
      return readdirSync(logs).flatMap((name) =>
        readFileSync(path.join(logs, name), 'utf8').split('\n'),
      )
    },
  }
}
