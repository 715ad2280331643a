import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import type { WindowsStage } from '../../scripts/windows/stage.js'
import { dosPath, wineCommand } from '../../scripts/windows/wine.js'
import { bundleWorker } from '../support/bundled-worker.js'
import { packPackage } from '../support/pack.js'

/** Written by `npm run test:windows`; without it there is nothing to start Windows programs with. */
const DESCRIPTION = process.env.WINDOWS_STAGE
export const noWindows = DESCRIPTION === undefined

/** What the launcher on the other side is given; all paths as Windows names them. */
export interface Launch {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Beside what Wine sets; null takes a variable away. */
  readonly env: Readonly<Record<string, string | null>>
  readonly stdin: string
  readonly files: {
    readonly stdout: string
    readonly stderr: string
    /** The program is ended when this file appears. */
    readonly stop: string
    readonly end: string
  }
}

/** How a Windows program ended. */
export interface WindowsEnd {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface WindowsRun {
  readonly cwd?: string
  readonly env?: Launch['env']
  readonly stdin?: string
  readonly timeoutMs?: number
}

/** The packages for Windows that a program is taken from. */
type Program = 'node' | 'opencode' | 'bun'

const RUN_TIMEOUT_MS = 150_000

/** Starts Windows programs. */
export class Windows {
  readonly stage: WindowsStage
  /** Of this test file. */
  readonly folder: string
  readonly #launcher: string

  private constructor(stage: WindowsStage, folder: string, launcher: string) {
    this.stage = stage
    this.folder = folder
    this.#launcher = launcher
  }

  static async open(): Promise<Windows> {
    const stage = JSON.parse(readFileSync(DESCRIPTION ?? '', 'utf8')) as WindowsStage
    const folder = mkdtempSync(path.join(stage.scratch, 'test-'))
    const launcher = path.join(folder, 'launch.mjs')
    await bundleWorker('test/windows/launch-worker.ts', launcher)
    return new Windows(stage, folder, launcher)
  }

  /** How Windows names a file of this machine. */
  dos(file: string): string {
    return dosPath(this.stage.prefix, file)
  }

  /** A profile folder on drive C: with that name, for a user of its own. */
  async home(name: string): Promise<Home> {
    const homes = path.join(this.stage.prefix.folder, 'drive_c', 'homes')
    await mkdir(homes, { recursive: true })
    const folder = path.join(await mkdtemp(path.join(homes, 'h')), name)
    await mkdir(path.join(folder, 'AppData', 'Local', 'Temp'), { recursive: true })
    await mkdir(path.join(folder, 'AppData', 'Roaming'), { recursive: true })
    return new Home(this, folder)
  }

  /** Bundles a worker for the other side. */
  async built(source: string): Promise<string> {
    const outfile = path.join(this.folder, `${path.basename(source, '.ts')}.mjs`)
    await bundleWorker(source, outfile)
    return outfile
  }

  /** The packed product, unpacked with nothing beside it. @returns path of its command line */
  async packedCli(): Promise<string> {
    const { tarball } = await packPackage()
    execFileSync('tar', ['-xzf', tarball, '-C', this.folder])
    return path.join(this.folder, 'package', 'dist', 'cli.js')
  }

  /** Runs a program of the stage to its end, whatever its exit code. */
  async run(
    program: Program,
    args: readonly string[],
    { cwd = this.folder, env = {}, stdin = '', timeoutMs = RUN_TIMEOUT_MS }: WindowsRun = {},
  ): Promise<WindowsEnd> {
    const { prefix } = this.stage
    const folder = await mkdtemp(path.join(this.folder, 'run-'))
    const file = (name: string): string => path.join(folder, name)
    const launch: Launch = {
      file: this.dos(this.stage[program]),
      args,
      cwd: this.dos(cwd),
      env,
      stdin,
      files: {
        stdout: this.dos(file('stdout')),
        stderr: this.dos(file('stderr')),
        stop: this.dos(file('stop')),
        end: this.dos(file('end')),
      },
    }
    await writeFile(file('launch.json'), JSON.stringify(launch))
    const [command = '', ...rest] = wineCommand(prefix, folder, [
      this.dos(this.stage.node),
      this.dos(this.#launcher),
      this.dos(file('launch.json')),
    ])
    const wine = spawn(command, rest, { stdio: 'ignore' })
    const limit = setTimeout(() => void writeFile(file('stop'), ''), timeoutMs)
    await new Promise<void>((resolve, reject) => {
      wine.once('error', reject)
      wine.once('close', () => resolve())
    })
    clearTimeout(limit)
    const text = (name: string): Promise<string> => readFile(file(name), 'utf8').catch(() => '')
    const [stdout, stderr, end] = await Promise.all([text('stdout'), text('stderr'), text('end')])
    const { code, error } = JSON.parse(end === '' ? '{"code":null}' : end) as {
      code: number | null
      error?: string
    }
    return { code, stdout, stderr: stderr + (error ?? '') }
  }
}

/** One user's profile. Paths are those of this machine. */
export class Home {
  readonly folder: string
  readonly #windows: Windows

  constructor(windows: Windows, folder: string) {
    this.#windows = windows
    this.folder = folder
  }

  file(...parts: readonly string[]): string {
    return path.join(this.folder, ...parts)
  }

  /** As `cmd` has it: the profile is USERPROFILE, and there is no HOME. */
  get env(): Record<string, string | null> {
    const dos = this.#windows.dos(this.folder)
    return {
      HOME: null,
      USERPROFILE: dos,
      HOMEDRIVE: dos.slice(0, 2),
      HOMEPATH: dos.slice(2),
      APPDATA: `${dos}\\AppData\\Roaming`,
      LOCALAPPDATA: `${dos}\\AppData\\Local`,
      TEMP: `${dos}\\AppData\\Local\\Temp`,
      TMP: `${dos}\\AppData\\Local\\Temp`,
    }
  }

  get accountsFile(): string {
    return this.file('.opencode', 'oc-codex-multi-auth-accounts.json')
  }

  get hostConfig(): string {
    return this.file('.config', 'opencode', 'opencode.json')
  }

  async write(file: string, text: string): Promise<void> {
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, text)
  }
}
