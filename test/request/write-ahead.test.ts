import { existsSync } from 'node:fs'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { writeAhead } from '../../lib/request/late/write-ahead.js'
import { ask, coreOver, firstTurn } from '../support/core-over.js'

/** Counts what is written. */
function stores() {
  const written: string[] = []
  const store = (name: string) => ({ flush: async () => void written.push(name) })
  const all = {
    ahead: {},
    ledger: store('ledger'),
    history: store('history'),
    sessions: store('sessions'),
  }
  return { written, runtime: all as unknown as Parameters<typeof writeAhead>[0] }
}

function fakeTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
}

describe('behind an answer of a process that ends soon', () => {
  it('what others may know later is written at once, so that its end waits for nothing', () => {
    fakeTime()
    const { written, runtime } = stores()
    writeAhead(runtime, true)
    expect(written).toEqual([])
    vi.advanceTimersByTime(50)
    expect(written.sort()).toEqual(['history', 'ledger', 'sessions'])
  })

  it('a long run writes ever more seldom', () => {
    fakeTime()
    const { written, runtime } = stores()
    const seconds = 100
    for (let turn = 0; turn < seconds * 10; turn += 1) {
      writeAhead(runtime, true)
      vi.advanceTimersByTime(100)
    }
    const writes = written.filter((name) => name === 'history').length
    expect(writes).toBeGreaterThan(2)
    expect(writes).toBeLessThanOrEqual(Math.log2(seconds * 10) + 2)
  })

  it('several answers at once are one write', () => {
    fakeTime()
    const { written, runtime } = stores()
    for (let answer = 0; answer < 5; answer += 1) writeAhead(runtime, true)
    vi.advanceTimersByTime(50)
    expect(written).toHaveLength(3)
  })

  it('the history of opencode run is on the disk before its end', async () => {
    process.argv.push('run')
    onTestFinished(() => void process.argv.pop())
    const { core } = await coreOver(['a'])
    onTestFinished(() => core.close())
    expect((await ask(core, await firstTurn())).text).toContain('response.completed')
    const { historyFile } = core.runtime.paths
    await expect.poll(() => existsSync(historyFile)).toBe(true)
  })

  it('every other process keeps to its calm time', () => {
    fakeTime()
    const { written, runtime } = stores()
    writeAhead(runtime)
    vi.advanceTimersByTime(1_000)
    expect(written).toEqual([])
  })
})
