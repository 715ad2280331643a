import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/** What runs in the terminal. */
export interface TerminalOptions {
  readonly command: readonly [file: string, ...args: string[]]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Size in characters. */
  readonly columns?: number
  readonly rows?: number
}

/** A real terminal with one program in it. */
export interface Terminal {
  /** Types text literally. */
  type(text: string): Promise<void>
  /** Presses keys by their tmux names: `Enter`, `Escape`, `C-c`, `Down`. */
  press(...keys: string[]): Promise<void>
  /** Changes the size, as a user drags the window. */
  resize(columns: number, rows: number): Promise<void>
  /** Whether the cursor can be seen. */
  hasCursor(): Promise<boolean>
  /** Clicks with the left button; the first column and row are 1. */
  click(column: number, row: number): Promise<void>
  /** Columns that this terminal gives a text, by its own table. */
  widthOf(text: string): Promise<number>
  /** What the screen shows. */
  screen(): Promise<string>
  /** The same with its colours, as the sequences that would paint it. */
  painted(): Promise<string>
  /** Resolves with the screen when it has stopped changing. */
  settled(): Promise<string>
  /** Resolves with the screen when it shows the text. */
  waitFor(text: string | RegExp, timeoutMs?: number): Promise<string>
  /** Resolves when the screen no longer shows the text. */
  waitUntilGone(text: string | RegExp, timeoutMs?: number): Promise<string>
  /** Resolves when the program has ended. */
  waitForEnd(timeoutMs?: number): Promise<void>
  close(): Promise<void>
}

const POLL_MS = 100
/** So many looks in a row that show the same. */
const CALM_LOOKS = 4
const WAIT_TIMEOUT_MS = 45_000

/** Why terminal tests cannot run here, or nothing. */
export const noTerminal: string | undefined =
  spawnSync('tmux', ['-V'], { stdio: 'ignore' }).status === 0 ? undefined : 'tmux is not installed'

const run = promisify(execFile)

/** Starts a private tmux server with one window; nobody else's sessions are seen or touched. */
export async function openTerminal(options: TerminalOptions): Promise<Terminal> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-tmux-'))
  const env = { ...options.env, TERM: 'xterm-256color', COLORTERM: 'truecolor' }
  const tmux = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(
      'tmux',
      ['-S', path.join(folder, 'socket'), '-f', '/dev/null', ...args],
      { env, cwd: options.cwd },
    )
    return stdout
  }
  const size = ['-x', String(options.columns ?? 150), '-y', String(options.rows ?? 45)]
  await tmux(
    'new-session',
    '-d',
    '-s',
    'main',
    ...size,
    '-c',
    options.cwd,
    '--',
    ...options.command,
  )
  await tmux('set-option', '-s', 'escape-time', '0')

  const screen = (): Promise<string> => tmux('capture-pane', '-p', '-t', 'main').catch(() => '')
  const alive = (): Promise<boolean> =>
    tmux('has-session', '-t', 'main').then(
      () => true,
      () => false,
    )
  const until = async (
    what: string,
    holds: (shown: string) => boolean,
    timeoutMs: number,
  ): Promise<string> => {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const shown = await screen()
      if (holds(shown)) return shown
      if (performance.now() > deadline)
        throw new Error(
          `${what} did not happen within ${timeoutMs} ms; the screen shows:\n${shown}`,
        )
      await sleep(POLL_MS)
    }
  }
  const shows = (shown: string, text: string | RegExp): boolean =>
    typeof text === 'string' ? shown.includes(text) : text.test(shown)

  return {
    async type(text) {
      await tmux('send-keys', '-t', 'main', '-l', '--', text)
    },
    async press(...keys) {
      await tmux('send-keys', '-t', 'main', ...keys)
    },
    async resize(columns, rows) {
      await tmux('resize-window', '-t', 'main', '-x', String(columns), '-y', String(rows))
    },
    async click(column, row) {
      for (const end of ['M', 'm'])
        await tmux('send-keys', '-t', 'main', '-l', '--', `\x1b[<0;${column};${row}${end}`)
    },
    hasCursor: async () =>
      (await tmux('display-message', '-p', '-t', 'main', '#{cursor_flag}')).trim() === '1',
    async widthOf(text) {
      await tmux('set-option', '-s', '@text', text)
      return Number(await tmux('display-message', '-p', '-t', 'main', '#{w:@text}'))
    },
    screen,
    painted: () => tmux('capture-pane', '-e', '-N', '-p', '-t', 'main'),
    settled() {
      let last: string[] = []
      const isCalm = (shown: string): boolean => {
        last = [...last, shown].slice(-CALM_LOOKS)
        return last.length === CALM_LOOKS && last.every((look) => look === shown)
      }
      return until('a calm screen', isCalm, WAIT_TIMEOUT_MS)
    },
    waitFor: (text, timeoutMs = WAIT_TIMEOUT_MS) =>
      until(`"${String(text)}"`, (shown) => shows(shown, text), timeoutMs),
    waitUntilGone: (text, timeoutMs = WAIT_TIMEOUT_MS) =>
      until(`the end of "${String(text)}"`, (shown) => !shows(shown, text), timeoutMs),
    async waitForEnd(timeoutMs = WAIT_TIMEOUT_MS) {
      const deadline = performance.now() + timeoutMs
      while (await alive()) {
        if (performance.now() > deadline)
          throw new Error(`the program still ran after ${timeoutMs} ms:\n${await screen()}`)
        await sleep(POLL_MS)
      }
    },
    async close() {
      await tmux('kill-server').catch(() => undefined)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
