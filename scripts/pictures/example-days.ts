import type { HistoryEntry } from '../../lib/history/entries.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const MODELS = ['gpt-5.5', 'gpt-5.5', 'gpt-5.5', 'gpt-5.4-mini']

/** An account of the example. */
interface ExampleAccount {
  readonly uid: string
  /** Percent of the weekly window that an answer takes: a small plan empties faster. */
  readonly weeklyPerAnswer: number
  /** Its week begins so many hours after those of the others. */
  readonly weekOffsetHours: number
}

/** Days of work, and where they leave each account. */
interface ExampleDays {
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[]
  /** Percent used and end of each window now, by account. */
  readonly windows: ReadonlyMap<string, Readonly<Record<Kind, Fill>>>
}

type Kind = 'five_hour' | 'weekly'

interface Fill {
  used: number
  resetsAtMs: number
}

interface Busy extends ExampleAccount {
  readonly windows: Record<Kind, Fill>
}

/**
 * Two weeks of one person's work on several accounts: sessions in office hours, the account that resets first before the
 * others, and another one where a window is full. The numbers repeat: the same seed and time give the same days. Pure.
 */
export function exampleDays(
  accounts: readonly ExampleAccount[],
  projects: readonly string[],
  nowMs: number,
): ExampleDays {
  const random = numbers(11)
  const entries: HistoryEntry[] = []
  const fromMs = nowMs - 14 * DAY_MS
  const busy = accounts.map((account): Busy => ({
    ...account,
    windows: {
      five_hour: { used: 0, resetsAtMs: fromMs },
      weekly: { used: 0, resetsAtMs: fromMs + account.weekOffsetHours * HOUR_MS },
    },
  }))
  let serving = busy[0]
  if (serving === undefined) return { entries, windows: new Map() }
  let session = { id: 'ses_1', project: projects[0] ?? '', tokens: 0, ends: 0 }
  for (let atMs = fromMs; atMs < nowMs - 60_000; atMs += (2 + random() * 9) * 60_000) {
    for (const account of busy) renewed(account, atMs)
    if (!isAtWork(atMs, nowMs) || random() < 0.25) continue
    if (session.ends <= 0) {
      serving = busy.find(roomIn) ?? serving
      session = {
        id: `ses_${String(entries.length)}`,
        project: projects[Math.floor(random() ** 2 * projects.length)] ?? '',
        tokens: 9000,
        ends: 6 + random() * 22,
      }
    }
    const before = serving
    serving = roomIn(serving) ? serving : (busy.find(roomIn) ?? serving)
    const isMoved = serving !== before
    if (isMoved)
      entries.push({
        type: 'switch',
        atMs: atMs - 9000,
        fromUid: before.uid,
        toUid: serving.uid,
        reason: 'usage_limit',
        session: session.id,
      })
    const inputTokens = session.tokens + Math.round(random() * 4000)
    const outputTokens = Math.round(300 + random() * 2600)
    entries.push({
      type: 'turn',
      atMs,
      uid: serving.uid,
      model: MODELS[Math.floor(random() * MODELS.length)] ?? 'gpt-5.5',
      session: session.id,
      project: session.project,
      inputTokens,
      cachedTokens: isMoved ? 0 : Math.round(session.tokens * 0.94),
      outputTokens,
      reasoningTokens: Math.round(outputTokens * 0.4),
      durationMs: 12_000 + Math.round(random() * 20_000),
      attempts: isMoved ? 2 : 1,
    })
    entries.push(...charged(serving, atMs, inputTokens / 60_000))
    session.tokens = inputTokens + outputTokens
    session.ends -= 1
  }
  return { entries, windows: new Map(busy.map(({ uid, windows }) => [uid, windows])) }
}

/** Windows whose time is over begin anew. */
function renewed({ windows }: Busy, atMs: number): void {
  const lengths = { five_hour: 5 * HOUR_MS, weekly: 7 * DAY_MS }
  for (const kind of ['five_hour', 'weekly'] as const) {
    const window = windows[kind]
    if (window.resetsAtMs > atMs) continue
    window.used = 0
    while (window.resetsAtMs <= atMs) window.resetsAtMs += lengths[kind]
  }
}

function roomIn({ windows }: Busy): boolean {
  return windows.five_hour.used < 98 && windows.weekly.used < 98
}

/** Nine to seven on weekdays as this computer counts them, a little at other times, and always the last two hours. */
function isAtWork(atMs: number, nowMs: number): boolean {
  const date = new Date(atMs)
  const isWeekday = date.getDay() % 6 !== 0
  const isDay = date.getHours() >= 9 && date.getHours() < 19
  return (isWeekday && isDay) || nowMs - atMs < 2 * HOUR_MS || Math.floor(atMs / HOUR_MS) % 17 === 0
}

function charged(
  { uid, weeklyPerAnswer, windows }: Busy,
  atMs: number,
  weight: number,
): HistoryEntry[] {
  const share = Math.min(1.6, 0.4 + weight)
  windows.five_hour.used = Math.min(100, windows.five_hour.used + weeklyPerAnswer * 18 * share)
  windows.weekly.used = Math.min(100, windows.weekly.used + weeklyPerAnswer * share)
  return (['five_hour', 'weekly'] as const).map((kind) => ({
    type: 'reading',
    atMs: atMs + 500,
    uid,
    limitId: 'codex',
    kind,
    usedPercent: Math.floor(windows[kind].used),
    resetsAtMs: windows[kind].resetsAtMs,
  }))
}

/** A small generator of repeatable numbers, 0 up to 1. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}
