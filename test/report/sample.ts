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
      move({
        atMs: NOW - random() * days * DAY,
        fromUid: uids[index % accounts]!,
        toUid: uids[(index + 1) % accounts]!,
        reason: random() < 0.7 ? 'usage_limit' : 'server_error',
      }),
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

function sampleAccount(position: number, random: () => number): AccountView {
  const left = position === 1 ? 4 : Math.round(random() * 100)
  const observedAtMs = NOW - 300_000
  const week = Math.round(random() * 100)
  return accountView({
    uid: `u${position}`,
    index: position + 1,
    name: position % 3 === 0 ? `jo…@e….com` : `work ${position + 1}`,
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
  return [
    turn({
      atMs,
      uid,
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
  return accounts.slice(0, 2).map(({ uid }) => ({
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
