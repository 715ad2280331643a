import { spawn, spawnSync } from 'node:child_process'
import path from 'node:path'

/** What to start. The environment is given whole: nothing of the caller's leaks in. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Text for standard input; without it standard input is empty and no terminal. */
  readonly stdin?: string
  /** Called with every piece of output as it arrives. */
  readonly onOutput?: (text: string, stream: 'stdout' | 'stderr') => void
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly durationMs: number
}

/** A process that runs. */
export interface Running {
  readonly pid: number
  readonly ended: Promise<Ended>
  /** Everything written so far, stdout and stderr in order of arrival. */
  output(): string
  /** Resolves when the output contains the text; rejects when the process ends or the time is up first. */
  waitFor(text: string | RegExp, timeoutMs?: number): Promise<string>
  /** Sends a signal to the process alone, as a terminal's user or a supervisor would. */
  signal(signal: NodeJS.Signals): void
  /** Ends the process and all its children. */
  kill(): void
}

const WAIT_TIMEOUT_MS = 60_000

/** Starts a process as leader of its own group, so that `kill` reaches its children and nobody else. */
export function startProcess(command: Command): Running {
  const started = performance.now()
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: { ...command.env },
    stdio: [command.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    // On Windows that would be a console of its own.
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  let stdout = ''
  let stderr = ''
  let all = ''
  const watchers = new Set<() => void>()
  const onOutput = (stream: 'stdout' | 'stderr', text: string): void => {
    if (stream === 'stdout') stdout += text
    else stderr += text
    all += text
    command.onOutput?.(text, stream)
    for (const watch of watchers) watch()
  }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => onOutput('stdout', text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => onOutput('stderr', text))
  if (command.stdin !== undefined) child.stdin?.end(command.stdin)
  let running = true
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      running = false
      resolve({ code, signal, stdout, stderr, durationMs: performance.now() - started })
    })
  })
  ended.catch(() => undefined)
  return {
    pid: child.pid ?? -1,
    ended,
    output: () => all,
    waitFor(text, timeoutMs = WAIT_TIMEOUT_MS) {
      return new Promise((resolve, reject) => {
        const found = (): boolean =>
          typeof text === 'string' ? all.includes(text) : text.test(all)
        const finish = (settle: () => void): void => {
          clearTimeout(timer)
          watchers.delete(check)
          settle()
        }
        const check = (): void => {
          if (found()) finish(() => resolve(all))
        }
        const fail = (why: string): void =>
          finish(() => reject(new Error(`${why} before ${String(text)} was shown:\n${all}`)))
        const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs)
        watchers.add(check)
        void ended.then(
          () => (found() ? check() : fail('the process ended')),
          (error: unknown) => fail(String(error)),
        )
        check()
      })
    },
    signal: (signal) => {
      child.kill(signal)
    },
    kill() {
      if (running && child.pid !== undefined) killTree(child.pid)
    },
  }
}

/** Ends a process that leads its group, and what it started. Windows has no groups: there the system knows who started whom. */
function killTree(pid: number): void {
  if (process.platform === 'win32') {
    const taskkill = path.join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'taskkill.exe')
    spawnSync(taskkill, ['/pid', String(pid), '/t', '/f'], { windowsHide: true })
  }
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // It ended in between.
  }
}

/** Waits for the end; kills the group and rejects with the output when it takes too long. */
export async function endOf(running: Running, timeoutMs: number): Promise<Ended> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      running.kill()
      reject(new Error(`the process was still running after ${timeoutMs} ms:\n${running.output()}`))
    }, timeoutMs)
  })
  try {
    return await Promise.race([running.ended, late])
  } finally {
    clearTimeout(timer)
  }
}
