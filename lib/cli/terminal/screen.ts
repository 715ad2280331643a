import type { ReadStream, WriteStream } from 'node:tty'

import type { Screen } from '../io.js'

/** A screen of its own without cursor, on which a line that is too long is cut and not continued. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l'
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l'
/** What stands between these appears at once, on terminals that know them; others pass them by. */
const [BEGIN_FRAME, END_FRAME] = ['\u001b[?2026h', '\u001b[?2026l']
const CTRL_Z = '\u001a'
/** A key as the terminal sends it; several arrive at once when one is held or the line is slow. */
const KEY = /\u001b(?:\[[0-?]*[ -/]*[@-~]|O.)?|[^\u001b]/gsu
/** What was not stopped by then is not going to be: nobody would bring the first process of a terminal back, ms. */
const STOP_MS = 200
/** Where a terminal does not know its size, as in a container without one. */
const [USUAL_COLUMNS, USUAL_ROWS] = [80, 24]

/** Takes the terminal. Nothing is erased before it is drawn again, so that nothing flickers. */
export function openScreen(stdin: ReadStream, stdout: WriteStream): Screen {
  let listener: Parameters<Screen['listen']>[0] | undefined
  let isOpen = false

  const enter = (): void => {
    isOpen = true
    if (stdin.isTTY) stdin.setRawMode(true)
    stdout.write(ENTER)
  }
  const leave = (): void => {
    if (!isOpen) return
    isOpen = false
    stdout.write(LEAVE)
    if (stdin.isTTY) stdin.setRawMode(false)
  }
  const canStop = process.platform !== 'win32'
  let unstopped: NodeJS.Timeout | undefined
  const onContinue = (): void => {
    clearTimeout(unstopped)
    process.off('SIGCONT', onContinue).on('SIGTSTP', stop)
    enter()
    listener?.resized()
  }
  /** Ctrl-Z: as a key, or as a signal where the keys do not come from the terminal. */
  const stop = (): void => {
    leave()
    process.off('SIGTSTP', stop).once('SIGCONT', onContinue)
    unstopped = setTimeout(onContinue, STOP_MS)
    process.kill(process.pid, 'SIGTSTP')
  }
  const onData = (chunk: Buffer): void => {
    for (const [key] of String(chunk).matchAll(KEY))
      if (key !== CTRL_Z) listener?.key(key)
      else if (canStop && isOpen) stop()
  }
  const onResize = (): void => listener?.resized()

  enter()
  if (stdin.isTTY) stdin.on('data', onData).resume()
  stdout.on('resize', onResize)
  process.once('exit', leave)
  if (canStop) process.on('SIGTSTP', stop)
  const rows = (): number => stdout.rows || USUAL_ROWS
  return {
    columns: () => stdout.columns || USUAL_COLUMNS,
    rows,
    draw(lines) {
      if (!isOpen) return
      const shown = lines.slice(0, rows()).map((line) => `${line}\u001b[K`)
      stdout.write(`${BEGIN_FRAME}\u001b[H${shown.join('\r\n')}\u001b[J${END_FRAME}`)
    },
    listen: (next) => void (listener = next),
    close() {
      leave()
      if (stdin.isTTY) stdin.off('data', onData).pause()
      stdout.off('resize', onResize)
      clearTimeout(unstopped)
      process.off('exit', leave).off('SIGCONT', onContinue).off('SIGTSTP', stop)
    },
  }
}
