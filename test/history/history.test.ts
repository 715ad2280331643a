import fs from 'node:fs'
import { appendFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import type { HistoryEntry } from '../../lib/history/entries.js'
import { createHistory, type HistoryDeps } from '../../lib/history/history.js'
import { parseLines } from '../../lib/history/lines.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { silentLogger } from '../../lib/kernel/logger.js'
import { holdLock } from '../support/held-lock.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { startProcess } from '../support/child-process.js'
import { recordFileOperations } from '../support/file-operations.js'
import { temporaryFolder } from '../support/temporary.js'
import { expectPrivate } from '../support/private-place.js'

const DAY = 86_400_000
const turn = (atMs: number, model = 'gpt-5.5'): HistoryEntry => ({
  type: 'turn',
  atMs,
  uid: 'a',
  model,
  inputTokens: 10,
  cachedTokens: 5,
  outputTokens: 2,
  reasoningTokens: 1,
  durationMs: 9,
  attempts: 1,
})
const reading = (atMs: number, usedPercent: number, resetsAtMs = 10 * DAY): HistoryEntry => ({
  type: 'reading',
  atMs,
  uid: 'a',
  limitId: 'codex',
  kind: 'weekly',
  usedPercent,
  resetsAtMs,
})

async function place(): Promise<string> {
  return path.join(await temporaryFolder(), 'state', 'history.jsonl')
}

function historyAt(
  file: string,
  changes: Partial<HistoryDeps> = {},
): ReturnType<typeof createHistory> {
  return createHistory({ file, clock: systemClock, log: silentLogger, ...changes })
}

describe('the history', () => {
  it('comes back as it was noted, oldest first, in another process too', async () => {
    const file = await place()
    const now = Date.now()
    const first = historyAt(file)
    first.note(turn(now - 5))
    first.note({ type: 'switch', atMs: now - 9, fromUid: 'a', toUid: 'b', reason: 'usage_limit' })
    first.note({
      type: 'alert',
      atMs: now - 1,
      uid: 'a',
      limitId: 'codex',
      kind: 'weekly',
      level: 10,
    })
    // A read waits for the write as long as it takes; a close only for a moment.
    await first.read()
    await first.close()
    expect((await historyAt(file).read()).map(({ type }) => type)).toEqual([
      'switch',
      'turn',
      'alert',
    ])
    await expectPrivate(file)
  })

  it('keeps its lines where a window closes before the folder of the first one is made', async () => {
    const file = await place()
    const { mkdir: original } = fs.promises
    let calls = 0
    fs.promises.mkdir = (async (...args: Parameters<typeof original>) => {
      calls += 1
      // The disk takes longer over it than a close waits.
      if (calls === 1) await new Promise(() => undefined)
      return original(...args)
    }) as typeof original
    syncBuiltinESMExports()
    onTestFinished(() => {
      fs.promises.mkdir = original
      syncBuiltinESMExports()
    })
    const history = historyAt(file)
    history.note(turn(Date.now()))
    await history.close()
    expect(parseLines(await readFile(file, 'utf8'))).toHaveLength(1)
    await expectPrivate(path.dirname(file))
  })

  it('touches no disk while lines are noted', async () => {
    const file = await place()
    const history = historyAt(file)
    const operations = recordFileOperations()
    for (let index = 0; index < 100; index += 1) history.note(turn(Date.now()))
    expect(operations).toEqual([])
    await history.close()
  })

  it('is empty where there is no file', async () => {
    expect(await historyAt(await place()).read()).toEqual([])
  })

  it('leaves out lines it does not understand and ends one that a killed process left half written', async () => {
    const file = await place()
    const now = Date.now()
    await mkdir(path.dirname(file))
    await writeFile(
      file,
      `not json\n{"type":"turn"}\n${JSON.stringify(turn(now - 2))}\n{"type":"tu`,
    )
    const history = historyAt(file)
    history.note(turn(now - 1))
    expect((await history.read()).map(({ atMs }) => atMs)).toEqual([now - 2, now - 1])
  })

  it('says once in the log that it cannot write and goes on', async () => {
    const folder = await temporaryFolder()
    await writeFile(path.join(folder, 'taken'), '')
    const said: string[] = []
    const history = historyAt(path.join(folder, 'taken', 'history.jsonl'), {
      log: { log: (level) => void said.push(level) },
    })
    for (let index = 0; index < 3; index += 1) {
      history.note(turn(Date.now()))
      await history.close()
    }
    expect(said).toEqual(['debug'])
  })
})

describe('the close of the history', () => {
  it.runIf(process.platform === 'linux')(
    'comes to an end where no folder can be made, as below /proc',
    async () => {
      const messages: string[] = []
      const history = historyAt('/proc/none/below/history.jsonl', {
        log: { log: (_level, message) => void messages.push(message) },
      })
      history.note(turn(Date.now()))
      await history.close()
      expect(messages).toEqual([expect.stringContaining('could not be written')])
    },
  )

  it('appends what is gathered although another window holds the file', async () => {
    const file = await place()
    const history = historyAt(file)
    await mkdir(path.dirname(file))
    const letGo = await holdLock(file)
    history.note(turn(5))
    await history.close()
    expect(parseLines(await readFile(file, 'utf8'))).toEqual([turn(5)])
    await letGo()
  })

  it('touches no file when nothing is gathered', async () => {
    const history = historyAt(await place())
    history.note(turn(Date.now()))
    await history.read()
    const operations = recordFileOperations()
    await history.close()
    expect(operations).toEqual([])
  })
})

describe('readings of one window', () => {
  const kept = async (...entries: readonly HistoryEntry[]): Promise<HistoryEntry[]> => {
    const file = await place()
    const history = historyAt(file, { clock: { ...systemClock, now: () => DAY } })
    for (const entry of entries) history.note(entry)
    await history.close()
    return parseLines(await readFile(file, 'utf8'))
  }

  it('are kept when the percentage differs, however soon', async () => {
    expect(
      await kept(reading(DAY, 4), reading(DAY + 1, 4), reading(DAY + 2, 5), reading(DAY + 3, 4)),
    ).toHaveLength(3)
  })

  it('are kept once a minute when only the reset moves, and not at all when it trembles', async () => {
    const resets = 3 * DAY
    expect(
      await kept(
        reading(DAY, 4, resets),
        reading(DAY + 1_000, 4, resets + DAY),
        reading(DAY + 61_000, 4, resets + DAY),
        reading(DAY + 200_000, 4, resets + DAY + 9_000),
      ),
    ).toHaveLength(2)
  })

  it('are told apart by account, limit and length', async () => {
    const one = reading(DAY, 4)
    expect(
      await kept(
        one,
        { ...one, uid: 'b' } as HistoryEntry,
        { ...one, limitId: 'x' } as HistoryEntry,
        { ...one, kind: 'five_hour' } as HistoryEntry,
      ),
    ).toHaveLength(4)
  })
})

describe('the bounds of the history', () => {
  it('are kept: entries that are too old go when a process first writes', async () => {
    const file = await place()
    const now = Date.now()
    await mkdir(path.dirname(file))
    await writeFile(
      file,
      [turn(now - 36 * DAY), turn(now - 34 * DAY)]
        .map((entry) => `${JSON.stringify(entry)}\n`)
        .join(''),
    )
    const history = historyAt(file)
    history.note(turn(now))
    await history.read()
    await history.close()
    expect(parseLines(await readFile(file, 'utf8')).map(({ atMs }) => atMs)).toEqual([
      now - 34 * DAY,
      now,
    ])
  })

  it('are kept: of too large a file the newest entries stay', async () => {
    const file = await place()
    const now = Date.now()
    await mkdir(path.dirname(file))
    const bounds = { maxAgeMs: DAY, maxBytes: 10_000 }
    for (let index = 0; index < 100; index += 1)
      await appendFile(file, `${JSON.stringify(turn(now - 100 + index))}\n`)
    const history = historyAt(file, { bounds })
    history.note(turn(now))
    await history.read()
    await history.close()
    const left = parseLines(await readFile(file, 'utf8'))
    expect((await stat(file)).size).toBeLessThanOrEqual(bounds.maxBytes)
    expect(left.length).toBeGreaterThan(40)
    expect(left.map(({ atMs }) => atMs)).toEqual([
      ...Array.from({ length: left.length - 1 }, (_, index) => now - left.length + 1 + index),
      now,
    ])
  })
})

describe('four windows that append while the file is compacted', () => {
  const worker = bundledWorker('test/history/history-writer.ts')

  it('lose no entry that is young enough', async () => {
    const file = await place()
    const [batches, perBatch] = [40, 10]
    // Half of the lines are too old, so the file overflows again and again and loses them, and them only.
    const maxBytes = 4 * batches * (perBatch / 2) * 180
    const names = ['w1', 'w2', 'w3', 'w4']
    const running = names.map((name) =>
      startProcess({
        file: process.execPath,
        args: [worker(), file, name, String(batches), String(perBatch), String(maxBytes)],
        cwd: path.dirname(path.dirname(file)),
        env: { PATH: process.env.PATH ?? '' },
      }),
    )
    const ends = await Promise.all(running.map(({ ended }) => ended))
    expect(ends.map(({ code, stderr }) => `${code} ${stderr}`)).toEqual(names.map(() => '0 '))
    const stored = parseLines(await readFile(file, 'utf8'))
    const young = stored.flatMap((entry) =>
      entry.type === 'turn' && entry.model !== 'old' ? [`${entry.uid} ${entry.model}`] : [],
    )
    const wanted = names.flatMap((name) =>
      Array.from(
        { length: batches * perBatch },
        (_, index) => `${name} ${Math.floor(index / perBatch)}-${index % perBatch}`,
      ).filter((_, index) => (index % perBatch) % 2 === 1),
    )
    expect(young.sort()).toEqual(wanted.sort())
    expect(stored.length - young.length).toBeLessThan((4 * batches * perBatch) / 2)
  }, 60_000)
})
