import * as s from '../kernel/shape.js'

import { dropUndefined } from '../kernel/drop-undefined.js'
import { maybe } from '../kernel/text/odd-values.js'
import { plainText } from '../kernel/text/plain-text.js'
import {
  DEFAULT_LIMIT_ID,
  type EvidenceSource,
  type QuotaWindow,
  type WindowKind,
} from '../routing/limits.js'

/** Everything one answer said about quota. */
export interface QuotaReading {
  readonly limits: readonly {
    readonly limitId: string
    /** What the backend calls the family. */
    readonly name?: string
    readonly windows: readonly QuotaWindow[]
  }[]
  /** Paid credits of the account; the balance as the backend writes it. */
  readonly credits?: {
    readonly hasCredits: boolean
    readonly unlimited: boolean
    readonly balance?: string
  }
  readonly planType?: string
  /** Banked resets of the windows. */
  readonly resetCredits?: number
}

/** Windows by length in minutes; the backend is free to put any of them first. */
const KINDS: readonly (readonly [WindowKind, number, number])[] = [
  ['five_hour', 295, 305],
  ['weekly', 10_000, 10_160],
  ['monthly', 40_000, 45_000],
]
/** Later than this a reset time is taken for a mistake and left out, ms. */
const FARTHEST_RESET_MS = 40 * 86_400_000

/** The kind of a window, by its length. */
export function windowKindOf(minutes: number | undefined): WindowKind {
  if (minutes === undefined) return 'unknown'
  return KINDS.find(([, from, to]) => minutes >= from && minutes <= to)?.[0] ?? 'unknown'
}

const FAMILY_HEADER = /^x-(.+)-(primary|secondary)-used-percent$/
const USUAL_HEADER = 'x-codex-primary-used-percent'

/**
 * Quota in the headers of an answer; undefined when there is none. The id of a family is its header prefix with
 * underscores; see docs/development/facts/codex-backend.md#rate-limit-headers.
 */
export function readingOfHeaders(headers: Headers, nowMs: number): QuotaReading | undefined {
  const limits = familyPrefixes(headers).flatMap((prefix) => {
    const windows = (['primary', 'secondary'] as const).map((position): RawWindow => {
      const header = (name: string): number | undefined =>
        numberIn(headers.get(`x-${prefix}-${position}-${name}`))
      return {
        usedPercent: header('used-percent'),
        minutes: header('window-minutes'),
        resetAt: header('reset-at'),
        resetAfter: header('reset-after-seconds'),
      }
    })
    const name = headers.get(`x-${prefix}-limit-name`) || undefined
    return limitOf({ limitId: prefix.replaceAll('-', '_'), name }, windows, nowMs, 'headers')
  })
  return readingWith({ limits, credits: creditsOfHeaders(headers) })
}

function familyPrefixes(headers: Headers): string[] {
  const prefixes = headers.has(USUAL_HEADER) ? ['codex'] : []
  headers.forEach((_value, name) => {
    const prefix = name.startsWith('x-') ? FAMILY_HEADER.exec(name)?.[1] : undefined
    if (prefix !== undefined && !prefixes.includes(prefix)) prefixes.push(prefix)
  })
  return prefixes
}

function creditsOfHeaders(headers: Headers): QuotaReading['credits'] {
  const hasCredits = flagIn(headers.get('x-codex-credits-has-credits'))
  if (hasCredits === undefined) return undefined
  const unlimited = flagIn(headers.get('x-codex-credits-unlimited')) ?? false
  const balance = headers.get('x-codex-credits-balance') ?? undefined
  return dropUndefined({ hasCredits, unlimited, balance })
}

const number = maybe(s.number())
const text = maybe(s.string())
const planType = maybe(s.string().transform(plainText))
const credits = maybe(
  s
    .looseObject({
      has_credits: s.boolean(),
      unlimited: s.boolean().catch(false),
      balance: maybe(s.union([s.string(), s.number()])),
    })
    .transform(({ has_credits: hasCredits, unlimited, balance }) =>
      dropUndefined({ hasCredits, unlimited, balance: balance?.toString() }),
    ),
)

const eventWindow = maybe(
  s
    .looseObject({ used_percent: number, window_minutes: number, reset_at: number })
    .transform((raw): RawWindow => ({
      usedPercent: raw.used_percent,
      minutes: raw.window_minutes,
      resetAt: raw.reset_at,
    })),
)
const eventSchema = s.looseObject({
  plan_type: planType,
  rate_limits: maybe(s.looseObject({ primary: eventWindow, secondary: eventWindow })),
  credits,
  metered_limit_name: text,
  limit_name: text,
})

/** Quota in a `codex.rate_limits` event; undefined when it says nothing that can be used. */
export function readingOfEvent(event: unknown, nowMs: number): QuotaReading | undefined {
  const { data } = eventSchema.safeParse(event)
  if (data === undefined) return undefined
  const { rate_limits: found, metered_limit_name: metered, limit_name: name } = data
  const family = { limitId: metered ?? name ?? DEFAULT_LIMIT_ID, name }
  return readingWith({
    limits: limitOf(family, [found?.primary, found?.secondary], nowMs, 'event'),
    credits: data.credits,
    planType: data.plan_type,
  })
}

const usageWindow = maybe(
  s
    .looseObject({
      used_percent: number,
      limit_window_seconds: number,
      reset_after_seconds: number,
      reset_at: number,
    })
    .transform(({ limit_window_seconds: seconds, ...raw }): RawWindow => ({
      usedPercent: raw.used_percent,
      minutes: seconds === undefined ? undefined : Math.round(seconds / 60),
      resetAt: raw.reset_at,
      resetAfter: raw.reset_after_seconds,
    })),
)
const usageLimit = maybe(
  s
    .looseObject({ primary_window: usageWindow, secondary_window: usageWindow })
    .transform((limit) => [limit.primary_window, limit.secondary_window]),
)
const usageSchema = s.looseObject({
  plan_type: planType,
  rate_limit: usageLimit,
  credits,
  additional_rate_limits: maybe(
    s.array(
      s.looseObject({
        limit_name: s.string().nullish(),
        metered_feature: s.string().nullish(),
        rate_limit: usageLimit,
      }),
    ),
  ),
  rate_limit_reset_credits: maybe(s.looseObject({ available_count: s.number() })),
})

/** Quota in the answer of docs/development/facts/codex-backend.md#usage-endpoint; undefined when it has another form. */
export function readingOfUsage(body: unknown, nowMs: number): QuotaReading | undefined {
  const { data } = usageSchema.safeParse(body)
  if (data === undefined) return undefined
  const usual = { limitId: DEFAULT_LIMIT_ID, name: undefined }
  const others = (data.additional_rate_limits ?? []).flatMap((one) => {
    const name = one.limit_name ?? undefined
    const limitId = one.metered_feature ?? name
    return limitId === undefined
      ? []
      : limitOf({ limitId, name }, one.rate_limit ?? [], nowMs, 'usage')
  })
  const reading = readingWith({
    limits: [...limitOf(usual, data.rate_limit ?? [], nowMs, 'usage'), ...others],
    credits: data.credits,
    planType: data.plan_type,
  })
  const resetCredits = data.rate_limit_reset_credits?.available_count
  return reading && { ...reading, ...dropUndefined({ resetCredits }) }
}

/** A window as the backend tells it. */
interface RawWindow {
  readonly usedPercent: number | undefined
  readonly minutes: number | undefined
  /** Epoch seconds. */
  readonly resetAt: number | undefined
  /** Seconds from now. */
  readonly resetAfter?: number | undefined
}

/** The family with its windows; nothing when none of them counts. */
function limitOf(
  family: { readonly limitId: string; readonly name: string | undefined },
  raw: readonly (RawWindow | undefined)[],
  nowMs: number,
  source: EvidenceSource,
): QuotaReading['limits'] {
  const windows = raw.flatMap((window) => windowOf(window, nowMs, source) ?? [])
  return windows.length === 0 ? [] : [{ ...dropUndefined(family), windows }]
}

/** A window counts when it has a percentage and something else than zeros. */
function windowOf(
  raw: RawWindow | undefined,
  nowMs: number,
  source: EvidenceSource,
): QuotaWindow | undefined {
  const { usedPercent, minutes, resetAt, resetAfter } = raw ?? {}
  const resetsAfterMs = resetAfter === undefined ? undefined : nowMs + resetAfter * 1000
  const resetsAtMs = resetAt === undefined ? resetsAfterMs : resetAt * 1000
  if (usedPercent === undefined || usedPercent < 0) return undefined
  // A length of 0 is a window that is switched off.
  if (minutes === 0 || (usedPercent === 0 && minutes === undefined && resetsAtMs === undefined))
    return undefined
  const isBelievable =
    resetsAtMs !== undefined && resetsAtMs > 0 && resetsAtMs - nowMs < FARTHEST_RESET_MS
  return dropUndefined({
    kind: windowKindOf(minutes),
    usedPercent,
    windowMinutes: minutes,
    resetsAtMs: isBelievable ? resetsAtMs : undefined,
    observedAtMs: nowMs,
    source,
  })
}

/** The reading; undefined when nothing was said. */
function readingWith(said: {
  readonly limits: QuotaReading['limits']
  readonly credits: QuotaReading['credits'] | undefined
  readonly planType?: string | undefined
}): QuotaReading | undefined {
  const { limits, credits, planType } = said
  const isEmpty = limits.length === 0 && credits === undefined && planType === undefined
  return isEmpty ? undefined : dropUndefined(said)
}

function numberIn(text: string | null): number | undefined {
  if (text === null || text.trim() === '') return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

function flagIn(text: string | null): boolean | undefined {
  const value = text?.trim().toLowerCase()
  if (value === 'true' || value === '1') return true
  return value === 'false' || value === '0' ? false : undefined
}
