import * as z from 'zod'

import { plainText } from '../kernel/plain-text.js'
import {
  DEFAULT_LIMIT_ID,
  type EvidenceSource,
  type QuotaWindow,
  type WindowKind,
} from '../routing/limits.js'

/** What one source said about one limit family. */
export interface LimitReading {
  readonly limitId: string
  /** What the backend calls the family. */
  readonly name?: string
  readonly windows: readonly QuotaWindow[]
}

/** Paid credits of an account. */
export interface CreditsReading {
  readonly hasCredits: boolean
  readonly unlimited: boolean
  /** As the backend writes it. */
  readonly balance?: string
}

/** Everything one answer said about quota. */
export interface QuotaReading {
  readonly limits: readonly LimitReading[]
  readonly credits?: CreditsReading
  readonly planType?: string
  /** Banked resets of the windows. */
  readonly resetCredits?: number
}

/** Windows by length in minutes; the backend is free to put any of them first (wire facts §7). */
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
 * Quota in the headers of an answer; undefined when there is none (wire facts §7). The id of a family is its header
 * prefix with underscores.
 */
export function readingOfHeaders(headers: Headers, nowMs: number): QuotaReading | undefined {
  const limits: LimitReading[] = []
  for (const prefix of familyPrefixes(headers)) {
    const windows = (['primary', 'secondary'] as const).flatMap((position) => {
      const header = (name: string): number | undefined =>
        numberIn(headers.get(`x-${prefix}-${position}-${name}`))
      const resetAt = header('reset-at')
      const resetAfter = header('reset-after-seconds')
      return windowOf(
        {
          usedPercent: header('used-percent'),
          minutes: header('window-minutes'),
          resetsAtMs:
            resetAt === undefined
              ? resetAfter === undefined
                ? undefined
                : nowMs + resetAfter * 1000
              : resetAt * 1000,
        },
        nowMs,
        'headers',
      )
    })
    const name = headers.get(`x-${prefix}-limit-name`)
    if (windows.length > 0)
      limits.push({
        limitId: prefix.replaceAll('-', '_'),
        windows,
        ...(name === null || name === '' ? {} : { name }),
      })
  }
  const credits = creditsOfHeaders(headers)
  if (limits.length === 0 && credits === undefined) return undefined
  return { limits, ...(credits === undefined ? {} : { credits }) }
}

function familyPrefixes(headers: Headers): string[] {
  const prefixes = headers.has(USUAL_HEADER) ? ['codex'] : []
  headers.forEach((_value, name) => {
    const prefix = name.startsWith('x-') ? FAMILY_HEADER.exec(name)?.[1] : undefined
    if (prefix !== undefined && !prefixes.includes(prefix)) prefixes.push(prefix)
  })
  return prefixes
}

function creditsOfHeaders(headers: Headers): CreditsReading | undefined {
  const has = flagIn(headers.get('x-codex-credits-has-credits'))
  if (has === undefined) return undefined
  const balance = headers.get('x-codex-credits-balance')
  return {
    hasCredits: has,
    unlimited: flagIn(headers.get('x-codex-credits-unlimited')) ?? false,
    ...(balance === null ? {} : { balance }),
  }
}

const number = z.number().optional().nullable().catch(undefined)
const eventWindow = z
  .looseObject({ used_percent: number, window_minutes: number, reset_at: number })
  .nullable()
  .optional()
  .catch(undefined)
const creditsSchema = z
  .looseObject({
    has_credits: z.boolean(),
    unlimited: z.boolean().catch(false),
    balance: z.union([z.string(), z.number()]).nullable().optional().catch(undefined),
  })
  .nullable()
  .optional()
  .catch(undefined)

const eventSchema = z.looseObject({
  plan_type: z.string().transform(plainText).optional().catch(undefined),
  rate_limits: z
    .looseObject({ primary: eventWindow, secondary: eventWindow })
    .nullable()
    .optional()
    .catch(undefined),
  credits: creditsSchema,
  metered_limit_name: z.string().nullable().optional().catch(undefined),
  limit_name: z.string().nullable().optional().catch(undefined),
})

/** Quota in a `codex.rate_limits` event; undefined when it says nothing that can be used (wire facts §7). */
export function readingOfEvent(event: unknown, nowMs: number): QuotaReading | undefined {
  const parsed = eventSchema.safeParse(event)
  if (!parsed.success) return undefined
  const {
    plan_type: planType,
    rate_limits: limits,
    credits,
    metered_limit_name: metered,
    limit_name: name,
  } = parsed.data
  const windows = [limits?.primary, limits?.secondary].flatMap((window) =>
    windowOf(
      {
        usedPercent: window?.used_percent ?? undefined,
        minutes: window?.window_minutes ?? undefined,
        resetsAtMs: window?.reset_at == null ? undefined : window.reset_at * 1000,
      },
      nowMs,
      'event',
    ),
  )
  const limitId = metered ?? name ?? DEFAULT_LIMIT_ID
  const spoken = creditsOf(credits)
  if (windows.length === 0 && spoken === undefined && planType === undefined) return undefined
  return {
    limits: windows.length === 0 ? [] : [{ limitId, windows, ...(name == null ? {} : { name }) }],
    ...(spoken === undefined ? {} : { credits: spoken }),
    ...(planType === undefined ? {} : { planType }),
  }
}

const usageWindow = z
  .looseObject({
    used_percent: number,
    limit_window_seconds: number,
    reset_after_seconds: number,
    reset_at: number,
  })
  .nullable()
  .optional()
  .catch(undefined)
const usageLimit = z
  .looseObject({ primary_window: usageWindow, secondary_window: usageWindow })
  .nullable()
  .optional()
  .catch(undefined)
const usageSchema = z.looseObject({
  plan_type: z.string().transform(plainText).optional().catch(undefined),
  rate_limit: usageLimit,
  credits: creditsSchema,
  additional_rate_limits: z
    .array(
      z.looseObject({
        limit_name: z.string().nullable().optional(),
        metered_feature: z.string().nullable().optional(),
        rate_limit: usageLimit,
      }),
    )
    .nullable()
    .optional()
    .catch(undefined),
  rate_limit_reset_credits: z
    .looseObject({ available_count: z.number() })
    .nullable()
    .optional()
    .catch(undefined),
})

/** Quota in the answer of the usage endpoint; undefined when it has another form (wire facts §7). */
export function readingOfUsage(body: unknown, nowMs: number): QuotaReading | undefined {
  const parsed = usageSchema.safeParse(body)
  if (!parsed.success) return undefined
  const {
    plan_type: planType,
    rate_limit: standard,
    credits,
    additional_rate_limits: additional,
    rate_limit_reset_credits: banked,
  } = parsed.data
  const limits: LimitReading[] = []
  const add = (
    limitId: string,
    name: string | null | undefined,
    limit: z.infer<typeof usageLimit>,
  ): void => {
    const windows = [limit?.primary_window, limit?.secondary_window].flatMap((window) => {
      const after = window?.reset_after_seconds
      const at = window?.reset_at
      return windowOf(
        {
          usedPercent: window?.used_percent ?? undefined,
          minutes:
            window?.limit_window_seconds == null
              ? undefined
              : Math.round(window.limit_window_seconds / 60),
          resetsAtMs: at == null ? (after == null ? undefined : nowMs + after * 1000) : at * 1000,
        },
        nowMs,
        'usage',
      )
    })
    if (windows.length > 0) limits.push({ limitId, windows, ...(name == null ? {} : { name }) })
  }
  add(DEFAULT_LIMIT_ID, undefined, standard)
  for (const { metered_feature: feature, limit_name: name, rate_limit: limit } of additional ??
    []) {
    const id = feature ?? name
    if (id != null) add(id, name, limit)
  }
  const spoken = creditsOf(credits)
  if (limits.length === 0 && spoken === undefined && planType === undefined) return undefined
  return {
    limits,
    ...(spoken === undefined ? {} : { credits: spoken }),
    ...(planType === undefined ? {} : { planType }),
    ...(banked == null ? {} : { resetCredits: banked.available_count }),
  }
}

/** A window counts when it has a percentage and something else than zeros (wire facts §7). */
function windowOf(
  raw: {
    usedPercent: number | undefined
    minutes: number | undefined
    resetsAtMs: number | undefined
  },
  nowMs: number,
  source: EvidenceSource,
): QuotaWindow[] {
  const { usedPercent, minutes, resetsAtMs } = raw
  if (usedPercent === undefined || usedPercent < 0) return []
  // A length of 0 is a window that is switched off (peer facts §2.8).
  if (minutes === 0 || (usedPercent === 0 && minutes === undefined && resetsAtMs === undefined))
    return []
  const believable =
    resetsAtMs !== undefined && resetsAtMs > 0 && resetsAtMs - nowMs < FARTHEST_RESET_MS
  return [
    {
      kind: windowKindOf(minutes),
      usedPercent,
      ...(minutes === undefined ? {} : { windowMinutes: minutes }),
      ...(believable ? { resetsAtMs } : {}),
      observedAtMs: nowMs,
      source,
    },
  ]
}

function creditsOf(raw: z.infer<typeof creditsSchema>): CreditsReading | undefined {
  if (raw == null) return undefined
  return {
    hasCredits: raw.has_credits,
    unlimited: raw.unlimited,
    ...(raw.balance == null ? {} : { balance: String(raw.balance) }),
  }
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
