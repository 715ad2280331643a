import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { CALM_MS, createStateFile } from '../../lib/kernel/files/state-file.js'
import { holdLock } from '../support/held-lock.js'
import { failFiles } from '../support/faulty-files.js'
import { recordFileOperations } from '../support/file-operations.js'
import { temporaryFolder } from '../support/temporary.js'

type Facts = Readonly<Record<string, number>>

/** A file of named numbers, of which the higher ones win. */
function factsAt(file: string, said: string[] = []) {
  const state = createStateFile<Facts>({
    file,
    initial: {},
    parse: (text) => JSON.parse(text) as Facts,
    format: (facts) => JSON.stringify(facts),
    merge: (ours, theirs) => ({ ...theirs, ...ours }),
    log: { log: (level, text) => void said.push(`${level} ${text}`) },
    delayMs: 1,
  })
  onTestFinished(() => state.close())
  const add = (name: string, when?: 'soon' | 'calmly'): void =>
    state.set({ ...state.current(), [name]: 1 }, when)
  return { state, add }
}

async function place(): Promise<string> {
  return path.join(await temporaryFolder(), 'facts.json')
}

async function factsIn(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '{}')
  return Object.keys(JSON.parse(text) as Facts)
}

/** Another window that hangs holds the file, to the end of the test. */
async function heldByAnother(file: string): Promise<void> {
  onTestFinished(await holdLock(file))
}

describe('a state file', () => {
  it('is written at once with what others must know, and calmly with what may be lost', async () => {
    const file = await place()
    const { state, add } = factsAt(file)
    const timers = vi.spyOn(globalThis, 'setTimeout')
    onTestFinished(() => timers.mockRestore())
    add('reading', 'calmly')
    expect(timers.mock.lastCall?.[1]).toBe(CALM_MS)
    add('block')
    await expect.poll(() => factsIn(file)).toEqual(['reading', 'block'])
    timers.mockClear()
    add('later', 'calmly')
    expect(timers.mock.calls.map(([, ms]) => ms)).toEqual([CALM_MS])
    await state.close()
    expect(await factsIn(file)).toEqual(['reading', 'block', 'later'])
  })

  it('waits its calm time by a timer, wherever the clock is set meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const file = await place()
    const { state, add } = factsAt(file)
    for (const jumpMs of [-86_400_000, 86_400_000]) {
      const name = `jump ${jumpMs}`
      add(name, 'calmly')
      vi.setSystemTime(Date.now() + jumpMs)
      await vi.advanceTimersByTimeAsync(CALM_MS - 1)
      expect(await factsIn(file)).not.toContain(name)
      await vi.advanceTimersByTimeAsync(1)
      await state.flush()
      expect(await factsIn(file)).toContain(name)
    }
  })

  it('is not forced to the disk', async () => {
    const file = await place()
    const { state, add } = factsAt(file)
    add('block')
    const { open } = await import('node:fs/promises')
    const handle = await open(path.dirname(file))
    const sync = vi.spyOn(Object.getPrototypeOf(handle) as { sync(): Promise<void> }, 'sync')
    onTestFinished(() => sync.mockRestore())
    await handle.close()
    await state.close()
    expect(await factsIn(file)).toEqual(['block'])
    expect(sync).not.toHaveBeenCalled()
  })

  it.each([
    ['empty', ''],
    ['full of zeros', '\0'.repeat(40)],
  ])('that a power cut left %s counts as none, without a word', async (_, text) => {
    const file = await place()
    await writeFile(file, text)
    const said: string[] = []
    const { state, add } = factsAt(file, said)
    await state.load()
    state.refresh()
    expect(state.current()).toEqual({})
    add('block')
    await state.close()
    expect(await factsIn(file)).toEqual(['block'])
    expect(said).toEqual([])
  })
})

describe('a disk that takes nothing', () => {
  it.each(['ENOSPC', 'EROFS'])(
    '(%s) is said once and tried again, by itself, until all of it is written',
    async (code) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      onTestFinished(() => void vi.useRealTimers())
      const file = await place()
      const said: string[] = []
      const { state, add } = factsAt(file, said)
      const restore = failFiles('open', () => code)
      for (const name of ['block', 'another']) {
        add(name)
        await state.flush()
      }
      await vi.advanceTimersByTimeAsync(CALM_MS)
      await state.flush()
      expect(await factsIn(file)).toEqual([])
      expect(said).toHaveLength(1)
      restore()
      await vi.advanceTimersByTimeAsync(CALM_MS)
      await state.flush()
      expect(await factsIn(file)).toEqual(['block', 'another'])
      expect(said).toHaveLength(1)
    },
  )
})

describe('the close of a state file', () => {
  it('touches no file when nothing is unwritten', async () => {
    const file = await place()
    const { state, add } = factsAt(file)
    add('block')
    await state.flush()
    const operations = recordFileOperations()
    await state.close()
    expect(operations).toEqual([])
  })

  it('writes what others must know although another window holds the file, and keeps what that one wrote', async () => {
    const file = await place()
    const { state, add } = factsAt(file)
    await heldByAnother(file)
    await writeFile(file, '{"theirs":1}')
    add('reading', 'calmly')
    add('block')
    await state.close()
    expect(await factsIn(file)).toEqual(['theirs', 'reading', 'block'])
  })

  it('loses nothing that others must know where several windows end while another one holds the file', async () => {
    const file = await place()
    const windows = Array.from({ length: 6 }, () => factsAt(file))
    await heldByAnother(file)
    const names = windows.map((_, index) => `block-${index}`)
    windows.forEach(({ add }, index) => add(names[index]!))
    await Promise.all(windows.map(({ state }) => state.close()))
    expect((await factsIn(file)).sort()).toEqual(names)
  })

  it('gives up a reading where another window holds the file', async () => {
    const file = await place()
    const { state, add } = factsAt(file)
    await heldByAnother(file)
    add('reading', 'calmly')
    await state.close()
    expect(await factsIn(file)).toEqual([])
    await rm(file, { force: true })
  })
})
