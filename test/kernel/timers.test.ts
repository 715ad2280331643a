import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'

import { createTimers } from '../../lib/kernel/timers.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
})

describe('limits of time over one timer', () => {
  it('are each called once, when they are due, in whatever order they came', () => {
    const { after } = createTimers()
    const called: string[] = []
    after(300, () => called.push('c'))
    after(100, () => called.push('a'))
    after(200, () => called.push('b'))
    vi.advanceTimersByTime(99)
    expect(called).toEqual([])
    vi.advanceTimersByTime(1)
    expect(called).toEqual(['a'])
    vi.advanceTimersByTime(10_000)
    expect(called).toEqual(['a', 'b', 'c'])
  })

  it('that are taken back are not called, also where another that is due takes them back', () => {
    const { after } = createTimers()
    const called: string[] = []
    after(50, () => called.push('kept'))
    const first = after(10, () => called.push('taken back'))
    first()
    first()
    after(60, () => second())
    const second = after(60, () => called.push('taken back too late'))
    vi.advanceTimersByTime(1_000)
    expect(called).toEqual(['kept'])
  })

  it('set no timer of the runtime for each: one that is set serves those that come later', () => {
    const { after } = createTimers()
    const set = vi.spyOn(globalThis, 'setTimeout')
    for (let round = 0; round < 100; round += 1) {
      after(1_000, () => undefined)()
      vi.advanceTimersByTime(1)
    }
    expect(set).toHaveBeenCalledTimes(1)
  })

  it('come in time after one that was taken back, however long the timer stood for that', () => {
    const { after } = createTimers()
    const called: number[] = []
    after(100, () => undefined)()
    after(250, () => called.push(performance.now()))
    const begun = performance.now()
    vi.advanceTimersByTime(249)
    expect(called).toEqual([])
    vi.advanceTimersByTime(1)
    expect(called).toEqual([begun + 250])
  })

  it('may be set within one that is due', () => {
    const { after } = createTimers()
    const called: string[] = []
    after(10, () => after(10, () => called.push('later')))
    vi.advanceTimersByTime(19)
    expect(called).toEqual([])
    vi.advanceTimersByTime(1)
    expect(called).toEqual(['later'])
  })

  it('leave no timer behind once they are closed and what waited has ended', () => {
    const { after, close } = createTimers()
    const takeBack = after(1_000, () => undefined)
    close()
    expect(vi.getTimerCount()).toBe(1)
    takeBack()
    expect(vi.getTimerCount()).toBe(0)
  })
})
