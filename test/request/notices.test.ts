import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { DEFAULT_CONFIG } from '../../lib/config/settings.js'
import { parseEvents, type PoolEvent } from '../../lib/history/pool-events.js'
import { systemClock } from '../../lib/kernel/clock.js'
import type { Toast } from '../../lib/kernel/host-port.js'
import { silentLogger } from '../../lib/kernel/logger.js'
import {
  alertNotice,
  noticeOfWait,
  noticesOfServed,
  type Passed,
} from '../../lib/request/notice-words.js'
import { createNotices } from '../../lib/request/notices.js'
import { createSharedGate } from '../../lib/request/shared-gate.js'
import type { QuotaWindow } from '../../lib/routing/limits.js'
import { temporaryFolder } from '../support/temporary.js'

const NOW = new Date(2026, 10, 16, 12, 0).getTime()
const FREE = NOW + 3 * 3_600_000 + 10 * 60_000

/** What a request tells: the messages, and the events. */
async function told(
  say: (notices: ReturnType<typeof createNotices>) => void,
  config: Partial<typeof DEFAULT_CONFIG> = {},
): Promise<{ toasts: readonly string[]; events: readonly PoolEvent[] }> {
  const toasts: Toast[] = []
  const events: PoolEvent[] = []
  const notices = createNotices({
    host: { log: () => undefined, toast: (toast: Toast) => void toasts.push(toast) },
    config: { ...DEFAULT_CONFIG, ...config },
    gate: {
      claim: async () => true,
      note: (event) => {
        events.push(event)
        return () => undefined
      },
    },
  })
  say(notices)
  await notices.close()
  return { toasts: toasts.map(({ message }) => message), events }
}

const limited = (label: string, untilMs = FREE): Passed => ({
  label,
  why: 'is at its 5-hour limit',
  kind: 'limit',
  untilMs,
})
const WORK = { uid: 'w', label: 'Account 2 (work)' }

const switched = (session: string): PoolEvent => ({
  kind: 'switch',
  atMs: Date.now(),
  session,
  from: 'a',
  to: 'b',
  why: 'is at its weekly limit',
})

/** A request that left these accounts, and was answered by `WORK`. */
async function served(passed: Record<string, Passed>, by: object = {}) {
  const all = new Map(Object.entries(passed))
  return told((notices) => {
    if (all.size > 0) notices.moves()
    notices.served(all, noticesOfServed(all, { ...WORK, ...by }, NOW), undefined)
  })
}

describe('the message of a request', () => {
  it('says who is at a limit until when, and who continues', async () => {
    const { toasts } = await served({ a: limited('Account 1 (home)') })
    expect(toasts).toEqual([
      'Account 1 (home) is at its 5-hour limit until 15:10; continuing with Account 2 (work).',
    ])
  })

  it('counts the accounts where it passed several, and tells the earliest end', async () => {
    const { toasts } = await served({
      a: limited('Account 1', FREE + 60_000),
      b: limited('Account 3'),
      c: limited('Account 4', FREE + 120_000),
    })
    expect(toasts).toEqual([
      '3 accounts are at a limit, the first until 15:10; continuing with Account 2 (work).',
    ])
  })

  it('has words of its own for a login that ended and for paid credits', async () => {
    const login: Passed = { label: 'Account 1', why: 'must sign in again', kind: 'login' }
    expect((await served({ a: login })).toasts).toEqual([
      'Account 1 must sign in again: {login}. Until then Account 2 (work) serves.',
    ])
    expect((await served({ a: login, b: limited('Account 3') })).toasts).toEqual([
      'Account 3 is at its 5-hour limit until 15:10; continuing with Account 2 (work). Account 1 must sign in again: {login}.',
    ])
    expect(
      (await served({}, { onCredits: { window: 'weekly limit', untilMs: FREE } })).toasts,
    ).toEqual(['Account 2 (work) uses paid credits: its weekly limit is used up until 15:10.'])
  })

  it('holds what an answer says of several windows, and leaves out the limit the switch tells of', async () => {
    const window: QuotaWindow = {
      kind: 'weekly',
      usedPercent: 95,
      resetsAtMs: FREE,
      observedAtMs: NOW,
      source: 'headers',
    }
    const alert = (uid: string, level: number) =>
      alertNotice({ uid, label: uid, pace: '', alert: { limitId: 'codex', level, window } }, NOW)
    const { toasts } = await told((notices) => {
      const passed = new Map([['a', limited('Account 1')]])
      notices.tell(alert('a', 0))
      notices.moves()
      notices.tell(alert('w', 5))
      notices.served(passed, noticesOfServed(passed, WORK, NOW), undefined)
    })
    expect(toasts).toEqual([
      'w: 5% of the weekly limit is left. It resets 15:10 (in 3 h 10 min). Account 1 is at its 5-hour limit until 15:10; continuing with Account 2 (work).',
    ])
  })

  it('says what is left, not the level that was passed on the way there', () => {
    const said = (usedPercent: number, level: number): string =>
      alertNotice(
        {
          uid: 'a',
          label: 'a',
          pace: '',
          alert: {
            limitId: 'codex',
            level,
            window: { kind: 'weekly', usedPercent, observedAtMs: NOW, source: 'headers' },
          },
        },
        NOW,
      ).message
    expect(said(88, 20)).toBe('a: 12% of the weekly limit is left.')
    expect(said(97.6, 2.5)).toBe('a: 2% of the weekly limit is left.')
    expect(said(99.4, 2.5)).toBe('a: <1% of the weekly limit is left.')
  })

  it('is kept back where toasts of switches are not wanted; what happened is noted all the same', async () => {
    const passed = new Map([['a', limited('Account 1')]])
    const { toasts, events } = await told(
      (notices) => notices.served(new Map(), noticesOfServed(passed, WORK, NOW), switched('s')),
      { accountToasts: false },
    )
    expect(toasts).toEqual([])
    expect(events).toHaveLength(1)
  })

  it('tells of a wait that follows another one within the minute, and of the same wait in two windows once', () => {
    const { keys } = noticeOfWait(NOW + 12_000, NOW)
    expect(noticeOfWait(NOW + 12_000, NOW + 3_000).keys).toEqual(keys)
    expect(noticeOfWait(NOW + 28_000, NOW + 16_000).keys).not.toEqual(keys)
  })

  it('says once of a wait how long it takes', async () => {
    expect(noticeOfWait(NOW + 90_000, NOW).message).toBe(
      'Every account is at a limit. Resumes automatically at 12:01, in 2 min. Esc stops waiting.',
    )
  })
})

describe('the events in the file of all windows', () => {
  const window = async (file: string) => {
    const gate = createSharedGate({ file, clock: systemClock, log: silentLogger })
    await gate.load()
    onTestFinished(() => gate.close())
    return gate
  }
  const eventsIn = async (file: string) => parseEvents(await readFile(file, 'utf8').catch(() => ''))
  it('come from every window, and a wait that is over has its end', async () => {
    const file = path.join(await temporaryFolder(), 'notices.json')
    const [one, two] = [await window(file), await window(file)]
    const first = switched('one')
    one.note(first)
    const atMs = Date.now()
    const over = two.note({ kind: 'wait', atMs, session: 'two', untilMs: atMs + 600_000 })
    await expect.poll(() => eventsIn(file)).toHaveLength(2)
    expect(await eventsIn(file)).toContainEqual(first)
    over()
    await expect
      .poll(async () =>
        (await eventsIn(file)).some((one) => one.kind === 'wait' && one.untilMs <= Date.now()),
      )
      .toBe(true)
    expect(await eventsIn(file)).toHaveLength(2)
  })

  it('a wait is over when its window is closed', async () => {
    const file = path.join(await temporaryFolder(), 'notices.json')
    const gate = await window(file)
    const atMs = Date.now() - 1_000
    gate.note({ kind: 'wait', atMs, session: 's', untilMs: atMs + 600_000 })
    await gate.close()
    const [event] = await eventsIn(file)
    expect(event).toMatchObject({ kind: 'wait', session: 's' })
    expect(event?.kind === 'wait' && event.untilMs <= Date.now()).toBe(true)
  })

  it('survive a version that knows none, and kinds that this one does not know survive it', async () => {
    const file = path.join(await temporaryFolder(), 'notices.json')
    const now = Date.now()
    const later = `event ${JSON.stringify({ kind: 'parade', atMs: now })}`
    await writeFile(file, JSON.stringify({ version: 1, shown: { [later]: now, 'login x': now } }))
    const gate = await window(file)
    gate.note(switched('s'))
    await expect.poll(() => eventsIn(file)).toHaveLength(1)
    // What version 1 has always done: it takes over every name with a moment, and writes them back.
    const { shown } = JSON.parse(await readFile(file, 'utf8')) as { shown: Record<string, number> }
    expect(Object.values(shown).every((at) => typeof at === 'number')).toBe(true)
    expect(Object.keys(shown)).toEqual(expect.arrayContaining([later, 'login x']))
  })

  it('are bounded, and nothing in a broken file is one', async () => {
    const file = path.join(await temporaryFolder(), 'notices.json')
    const gate = await window(file)
    for (let i = 0; i < 200; i += 1) gate.note(switched(String(i)))
    await expect.poll(async () => (await eventsIn(file)).length).toBe(40)
    for (const text of [
      '',
      'no JSON',
      '[]',
      '{"shown":3}',
      '{"shown":{"event x":1,"event {}":1,"event null":1,"event {\\"kind\\":\\"switch\\",\\"atMs\\":1}":1}}',
    ])
      expect(parseEvents(text)).toEqual([])
  })

  it('a message is not lost to the look of its own window at the file it has just written', async () => {
    const file = path.join(await temporaryFolder(), 'notices.json')
    const gate = await window(file)
    for (let i = 0; i < 40; i += 1) {
      const progress = { isDone: false }
      const claim = gate
        .claim(`moved limit ${String(i)}`, 60_000)
        .finally(() => (progress.isDone = true))
      // As a watch has it look, which another window's write a moment ago called.
      while (!progress.isDone) await Promise.all([gate.load(), new Promise(setImmediate)])
      expect(await claim).toBe(true)
    }
  })

  it('a message is shown by one of the windows that have it to say at the same moment', async () => {
    const file = path.join(await temporaryFolder(), 'notices.json')
    const gates = await Promise.all(Array.from({ length: 10 }, () => window(file)))
    const answers = await Promise.all(gates.map((gate) => gate.claim('moved limit a', 60_000)))
    expect(answers.filter(Boolean)).toHaveLength(1)
    expect(await (await window(file)).claim('moved limit a', 60_000)).toBe(false)
    expect(await (await window(file)).claim('moved limit b', 60_000)).toBe(true)
  })
})
