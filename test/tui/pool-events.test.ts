import { describe, expect, it } from 'vitest'

import { lastSwitchOf, parsePoolEvents, waitOf } from '../../lib/tui/pool-events.js'

const NOW = 1_800_000_000_000
const file = (...events: unknown[]) => JSON.stringify({ version: 1, shown: { a: 1 }, events })
const moved = { kind: 'switch', atMs: NOW, session: 's', from: 'a', to: 'b', why: 'used up' }
const waits = (atMs: number, untilMs: number, session = 's') => ({
  kind: 'wait',
  atMs,
  session,
  untilMs,
})

describe('what the windows tell each other', () => {
  it('is taken from the shared file, the good events of it, oldest first', () => {
    const { session: _session, ...anywhere } = moved
    const events = [
      { ...moved, atMs: NOW + 2 },
      { kind: 'of a later version', atMs: NOW },
      { kind: 'switch', atMs: 'then' },
      null,
      waits(NOW + 1, NOW + 9),
      { ...anywhere, atMs: NOW - 1 },
    ]
    expect(parsePoolEvents(file(...events)).map(({ atMs }) => atMs - NOW)).toEqual([-1, 1, 2])
  })

  it.each(['', 'nonsense', '[]', '{"version":1}', '{"events":{}}', '{"version":'])(
    'is nothing in a file that holds %j',
    (text) => {
      expect(parsePoolEvents(text)).toEqual([])
    },
  )

  it('is safe to show', () => {
    const events = parsePoolEvents(file({ ...moved, why: '\u001b[31mred\u202e' }))
    expect(events).toMatchObject([{ why: 'red' }])
  })

  it('a wait is that of its session, until it is over or ended', () => {
    const events = parsePoolEvents(file(waits(NOW, NOW + 50), waits(NOW + 1, NOW + 70, 'other')))
    expect(waitOf(events, 's', NOW)).toBe(NOW + 50)
    expect(waitOf(events, 's', NOW + 50)).toBeUndefined()
    expect(waitOf(events, 'third', NOW)).toBeUndefined()
    expect(waitOf(events, undefined, NOW)).toBeUndefined()
    const ended = parsePoolEvents(file(waits(NOW, NOW + 50), waits(NOW + 5, NOW + 5)))
    expect(waitOf(ended, 's', NOW + 6)).toBeUndefined()
  })

  it('the last switch is that of a session or of any', () => {
    const events = parsePoolEvents(
      file(moved, { ...moved, atMs: NOW + 1, session: 'other', to: 'c' }),
    )
    expect(lastSwitchOf(events)?.to).toBe('c')
    expect(lastSwitchOf(events, 's')?.to).toBe('b')
    expect(lastSwitchOf(events, 'third')).toBeUndefined()
  })
})
