import type { ReadStream, WriteStream } from 'node:tty'

import type { Screen } from '../io.js'

/** A screen of its own without cursor, on which a line that is too long is cut and not continued. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l'
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l'
/** What stands between these appears at once, on terminals that know them; others pass them by. */
const [BEGIN_FRAME, END_FRAME] = ['\u001b[?2026h', '\u001b[?2026l']
const CTRL_Z = '\u001a'

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
  const onContinue = (): void => {
    enter()
    listener?.resized()
  }
  const onData = (chunk: Buffer): void => {
    const text = String(chunk)
    if (text !== CTRL_Z) return listener?.key(text)
    leave()
    process.once('SIGCONT', onContinue)
    process.kill(process.pid, 'SIGTSTP')
  }
  const onResize = (): void => listener?.resized()

  enter()
  if (stdin.isTTY) stdin.on('data', onData).resume()
  stdout.on('resize', onResize)
  process.once('exit', leave)
  return {
    columns: () => stdout.columns,
    rows: () => stdout.rows,
    draw(lines) {
      if (!isOpen) return
      const shown = lines.slice(0, stdout.rows).map((line) => `${line}\u001b[K`)
      stdout.write(`${BEGIN_FRAME}\u001b[H${shown.join('\r\n')}\u001b[J${END_FRAME}`)
    },
    listen: (next) => void (listener = next),
    close() {
      leave()
      if (stdin.isTTY) stdin.off('data', onData).pause()
      stdout.off('resize', onResize)
      process.off('exit', leave).off('SIGCONT', onContinue)
    },
  }
}
