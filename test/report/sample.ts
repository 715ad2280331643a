import type { HistoryEntry } from '../../lib/history/entries.js'
import type { AccountView } from '../../lib/account-view/view.js'
import type { ReportData } from '../../lib/report/report-data.js'
import { accountView, windowView } from '../support/account-view.js'
import { alert, DAY, HOUR, move, NOW, reading, turn } from './entries.js'

/** A small generator of repeatable numbers, 0 up to 1. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

/** A page's worth of data: this many accounts that worked for this many days, in office hours. */
export function sampleReport(
  accounts: number,
  days: number,
  parts: Partial<ReportData> = {},
): ReportData {
  const random = numbers(7)
  const list = Array.from({ length: accounts }, (_, position): AccountView =>
    sampleAccount(position, random),
  )
  const entries: HistoryEntry[] = []
  for (let atMs = NOW - days * DAY; atMs <= NOW; atMs += HOUR / 4) {
    const date = new Date(atMs)
    const busy = date.getUTCHours() > 7 && date.getUTCHours() < 19 && date.getUTCDay() % 6 !== 0
    for (const { uid } of list)
      if (random() < (busy ? 0.7 : 0.05)) entries.push(...quarter(uid, atMs, random))
  }
  const uids = list.map(({ uid }) => uid)
  for (let index = 0; index < days * 3 && accounts > 1; index += 1)
    entries.push(
      ...rescued(
        NOW - HOUR - random() * days * DAY,
        uids[index % accounts]!,
        uids[(index + 1) % accounts]!,
        random,
      ),
    )
  return {
    nowMs: NOW,
    timeZone: 'UTC',
    accounts: list,
    entries: entries.sort((left, right) => left.atMs - right.atMs),
    forecasts: forecastsOf(list),
    ...parts,
  }
}

/** A request of a session that moved and was answered, with the answer before it. */
function rescued(
  atMs: number,
  fromUid: string,
  toUid: string,
  random: () => number,
): HistoryEntry[] {
  const session = `ses_${String(atMs)}`
  const inputTokens = 20_000 + Math.round(random() * 80_000)
  const reason = random() < 0.7 ? 'usage_limit' : 'server_error'
  return [
    turn({
      atMs: atMs - 300_000,
      uid: fromUid,
      session,
      inputTokens,
      cachedTokens: inputTokens - 900,
    }),
    move({ atMs, fromUid, toUid, reason, session }),
    turn({
      atMs: atMs + 6000,
      uid: toUid,
      session,
      inputTokens: inputTokens + 2000,
      cachedTokens: random() < 0.3 ? 4096 : 0,
      durationMs: 8000,
      attempts: 2,
    }),
  ]
}

/** Names as people give them, and as they should not. */
const NAMES = [
  'jo…@e….com',
  'work 2',
  '研究チームの共有アカウント（東京オフィス）',
  'חשבון של דנה',
  '🚀 launch 👩‍💻',
  'a-very-long-label-without-any-place-to-break-it-0123456789-abcdefghijklmnopqrstuvwxyz',
  '<script>alert(1)</script>',
  '\u001b[31mred\u001b[0m \u202egnirts',
]
const PROJECTS = ['shop-frontend-0123456789ab', 'billing-api-00112233aabb', undefined]

function sampleAccount(position: number, random: () => number): AccountView {
  const left = position === 1 ? 4 : Math.round(random() * 100)
  const observedAtMs = NOW - 300_000
  const week = Math.round(random() * 100)
  return accountView({
    uid: `u${position}`,
    index: position + 1,
    name: NAMES[position % NAMES.length]!,
    plan: position % 2 === 0 ? 'pro' : 'plus',
    active: position === 0,
    ...(position === 2
      ? { state: { kind: 'login-needed', reason: 'it was revoked' } }
      : {
          windows: [
            windowView('five_hour', left, { resetsAtMs: NOW + 2 * HOUR, observedAtMs }),
            windowView('weekly', week, {
              resetsAtMs: position === 3 ? undefined : NOW + 3 * DAY,
              observedAtMs,
            }),
          ],
        }),
  })
}

function quarter(uid: string, atMs: number, random: () => number): HistoryEntry[] {
  const input = Math.round(random() * 120_000)
  const fiveHours = ((atMs / (5 * HOUR)) % 1) * 95
  const week = ((atMs / (7 * DAY)) % 1) * 90
  const project = PROJECTS[Math.floor(random() * PROJECTS.length)]
  return [
    turn({
      atMs,
      uid,
      ...(project !== undefined && { project }),
      model: random() < 0.8 ? 'gpt-5.5' : 'gpt-5.5-codex-mini',
      inputTokens: input,
      cachedTokens: Math.round(input * (0.5 + random() * 0.45)),
      outputTokens: Math.round(random() * 4000),
      reasoningTokens: Math.round(random() * 1000),
    }),
    reading({
      atMs,
      uid,
      usedPercent: Math.round(fiveHours),
      resetsAtMs: Math.ceil(atMs / (5 * HOUR)) * 5 * HOUR,
    }),
    reading({
      atMs,
      uid,
      kind: 'weekly',
      usedPercent: Math.round(week),
      resetsAtMs: Math.ceil(atMs / (7 * DAY)) * 7 * DAY,
    }),
    ...(fiveHours > 88 ? [alert({ atMs, uid, level: 10 })] : []),
  ]
}

function forecastsOf(accounts: readonly AccountView[]): ReportData['forecasts'] {
  return accounts
    .filter(({ windows }) => windows.length > 0)
    .map(({ uid }) => ({
      uid,
      window: '7d',
      leftPercent: 44,
      forecast: {
        ratePerHour: { low: 0.3, mid: 0.8, high: 1.6 },
        runsOutAtMs: { early: NOW + 27 * HOUR, mid: NOW + 55 * HOUR },
        resetsAtMs: NOW + 3 * DAY,
        runOutChance: 0.62,
        paceBudgetPerHour: 0.61,
        basis: { samples: 41, hours: 30.5 },
      },
    }))
}
