import { PassThrough } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'

import { expect, it, onTestFinished, vi } from 'vitest'

import { openScreen } from '../../lib/cli/terminal/screen.js'

/** A screen over streams in memory, and what it told of keys. */
function aScreen(size: { columns: number; rows: number } = { columns: 80, rows: 24 }) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: vi.fn() })
  const stdout = Object.assign(new PassThrough(), { isTTY: true, ...size })
  const screen = openScreen(stdin as unknown as ReadStream, stdout as unknown as WriteStream)
  onTestFinished(() => screen.close())
  const keys: string[] = []
  const resized = vi.fn()
  screen.listen({ key: (text) => keys.push(text), resized })
  return { screen, stdin, stdout, keys, resized }
}

it('tells of every key of those that arrive at once, as from a key that is held or a slow line', async () => {
  const { stdin, keys } = aScreen()
  stdin.write('\u001b[B\u001b[B\u001bOAjq\u001b[5~\u0003')
  await expect
    .poll(() => keys)
    .toEqual(['\u001b[B', '\u001b[B', '\u001bOA', 'j', 'q', '\u001b[5~', '\u0003'])
  stdin.write('\u001b')
  await expect.poll(() => keys.at(-1)).toBe('\u001b')
})

it('stops at Ctrl-Z with the terminal as it was, and goes on where nothing stopped it', async () => {
  const platform = vi.spyOn(process, 'platform', 'get').mockReturnValue('linux')
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
  onTestFinished(() => {
    platform.mockRestore()
    kill.mockRestore()
  })
  const { stdin, stdout, resized } = aScreen()
  stdin.write('\u001a')
  await expect.poll(() => kill.mock.calls).toEqual([[process.pid, 'SIGTSTP']])
  expect(stdin.setRawMode).toHaveBeenLastCalledWith(false)
  // The first process of a terminal has nobody to bring it back, and is not stopped.
  await expect.poll(() => resized.mock.calls).toHaveLength(1)
  expect(stdin.setRawMode).toHaveBeenLastCalledWith(true)
  expect(String(stdout.read()).match(/\u001b\[\?1049[hl]/g)).toEqual([
    '\u001b[?1049h',
    '\u001b[?1049l',
    '\u001b[?1049h',
  ])
})

it('knows no Ctrl-Z on Windows, where nothing can be stopped', async () => {
  const platform = vi.spyOn(process, 'platform', 'get').mockReturnValue('win32')
  const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
    throw new TypeError('Unknown signal: SIGTSTP')
  })
  onTestFinished(() => {
    platform.mockRestore()
    kill.mockRestore()
  })
  const { stdin, keys } = aScreen()
  stdin.write('\u001aq')
  await expect.poll(() => keys).toEqual(['q'])
  expect(kill).not.toHaveBeenCalled()
})

it('has the usual size where a terminal knows none', () => {
  const { screen } = aScreen({ columns: 0, rows: 0 })
  expect([screen.columns(), screen.rows()]).toEqual([80, 24])
})
