/** Quota windows: pure arithmetic over plain data; `now` is epoch ms everywhere. */

/** The family that the plain `x-codex-*` headers speak of. */
export const DEFAULT_LIMIT_ID = 'codex'

interface Window {
  readonly minutes: number
  readonly limit: number
  used: number
  /** Epoch ms; undefined while nothing was used since the last reset: the first request starts the window. */
  resetsAtMs: number | undefined
}

/** One limit family: its windows deplete together. */
export interface LimitFamily {
  readonly id: string
  /** Name shown to people (`x-<id>-limit-name`). */
  readonly name: string | undefined
  /** Models that draw from this family; empty for the default one. */
  readonly models: readonly string[]
  readonly windows: readonly Window[]
}

interface FamilySpec {
  readonly id: string
  readonly name?: string | undefined
  readonly models?: readonly string[]
  readonly windows: readonly {
    readonly minutes: number
    readonly limit: number
    readonly used?: number
    readonly resetsInMs?: number | undefined
  }[]
}

/** Builds a family from its specification. */
export function createFamily(spec: FamilySpec, now: number): LimitFamily {
  return {
    id: spec.id,
    name: spec.name,
    models: spec.models ?? [],
    windows: spec.windows.map(({ minutes, limit, used = 0, resetsInMs }) => ({
      minutes,
      limit,
      used,
      resetsAtMs:
        resetsInMs === undefined
          ? used > 0
            ? now + minutes * 60_000
            : undefined
          : now + resetsInMs,
    })),
  }
}

/** What the quota functions need of an account. */
export interface QuotaHolder {
  readonly plan: string
  readonly cost: number
  readonly credits: { balance: number; unlimited: boolean } | undefined
  readonly families: readonly LimitFamily[]
}

/** The family a model draws from. */
export function familyOf(holder: QuotaHolder, model: string): LimitFamily {
  const [standard, ...extra] = holder.families
  const family = extra.find((candidate) => candidate.models.includes(model)) ?? standard
  if (!family) throw new Error('an account always has its default limit family')
  return family
}

/** Takes one request from the quota, or from credits when a window is full. False when neither can pay. */
export function charge(holder: QuotaHolder, family: LimitFamily, now: number): boolean {
  roll(family, now)
  if (exhausted(family)) {
    if (!holder.credits) return false
    if (holder.credits.unlimited) return true
    if (holder.credits.balance < 1) return false
    holder.credits.balance -= 1
    return true
  }
  for (const window of family.windows) {
    window.resetsAtMs ??= now + window.minutes * 60_000
    window.used += holder.cost
  }
  return true
}

/** Fills every window of a family, as a burst of use elsewhere would. */
export function drain(family: LimitFamily, now: number): void {
  roll(family, now)
  for (const window of family.windows) {
    window.resetsAtMs ??= now + window.minutes * 60_000
    window.used = Math.max(window.used, window.limit)
  }
}

/** Empties every used window of every family; returns how many there were. */
export function resetWindows(holder: QuotaHolder, now: number): number {
  let count = 0
  for (const family of holder.families) {
    roll(family, now)
    for (const window of family.windows) {
      if (window.used === 0) continue
      window.used = 0
      window.resetsAtMs = undefined
      count += 1
    }
  }
  return count
}

function roll(family: LimitFamily, now: number): void {
  for (const window of family.windows) {
    if (window.resetsAtMs === undefined || now < window.resetsAtMs) continue
    window.used = 0
    window.resetsAtMs = undefined
  }
}

function exhausted(family: LimitFamily): boolean {
  return family.windows.some(isFull)
}

function isFull(window: Window): boolean {
  return window.used >= window.limit
}

function percent(window: Window): number {
  return Math.round((window.used / window.limit) * 1_000) / 10
}

/** An untouched window would reset one length from now. */
function resetMs(window: Window, now: number): number {
  return window.resetsAtMs ?? now + window.minutes * 60_000
}

/** Epoch ms at which the family can serve again: the last reset among its full windows. */
function freeAtMs(family: LimitFamily, now: number): number {
  return Math.max(now, ...family.windows.filter(isFull).map((window) => resetMs(window, now)))
}

const POSITIONS = ['primary', 'secondary'] as const

/**
 * The quota headers of an answer (docs/development/facts/codex-backend.md#rate-limit-headers),
 * every family included.
 */
export function quotaHeaders(
  holder: QuotaHolder,
  active: LimitFamily,
  now: number,
): Record<string, string> {
  const headers: Record<string, string> = {
    'x-codex-plan-type': holder.plan,
    'x-codex-active-limit': active.id,
    'x-codex-credits-has-credits': String(hasCredits(holder)),
    'x-codex-credits-unlimited': String(holder.credits?.unlimited ?? false),
    'x-codex-credits-balance': String(holder.credits?.balance ?? 0),
  }
  for (const family of holder.families) {
    roll(family, now)
    const prefix = `x-${family.id.replaceAll('_', '-')}`
    if (family.name !== undefined) headers[`${prefix}-limit-name`] = family.name
    family.windows.forEach((window, index) => {
      const position = `${prefix}-${POSITIONS[index] ?? 'secondary'}`
      headers[`${position}-used-percent`] = String(percent(window))
      headers[`${position}-window-minutes`] = String(window.minutes)
      headers[`${position}-reset-at`] = String(Math.ceil(resetMs(window, now) / 1_000))
      headers[`${position}-reset-after-seconds`] = String(
        Math.ceil((resetMs(window, now) - now) / 1_000),
      )
    })
  }
  if (exhausted(active)) headers['x-codex-rate-limit-reached-type'] = 'rate_limit_reached'
  return headers
}

function hasCredits(holder: QuotaHolder): boolean {
  return holder.credits !== undefined && (holder.credits.unlimited || holder.credits.balance > 0)
}

/**
 * The in-stream event `codex.rate_limits`
 * (docs/development/facts/codex-backend.md#rate-limit-headers).
 */
export function rateLimitsEvent(
  holder: QuotaHolder,
  family: LimitFamily,
  now: number,
): Record<string, unknown> {
  roll(family, now)
  const window = (index: number): unknown => {
    const found = family.windows[index]
    if (!found) return null
    return {
      used_percent: percent(found),
      window_minutes: found.minutes,
      reset_at: Math.ceil(resetMs(found, now) / 1_000),
    }
  }
  return {
    type: 'codex.rate_limits',
    plan_type: holder.plan,
    rate_limits: {
      allowed: !exhausted(family),
      limit_reached: exhausted(family),
      primary: window(0),
      secondary: window(1),
    },
    credits: credits(holder),
    metered_limit_name: family.id,
    limit_name: family.name ?? null,
  }
}

function credits(holder: QuotaHolder): Record<string, unknown> {
  return {
    has_credits: hasCredits(holder),
    unlimited: holder.credits?.unlimited ?? false,
    balance: String(holder.credits?.balance ?? 0),
  }
}

/**
 * The `rate_limit` member of the usage answer; percentages are whole numbers there
 * (docs/development/facts/codex-backend.md#usage-endpoint).
 */
function usageLimit(family: LimitFamily, now: number): Record<string, unknown> {
  roll(family, now)
  const window = (index: number): unknown => {
    const found = family.windows[index]
    if (!found) return null
    return {
      used_percent: Math.floor(percent(found)),
      limit_window_seconds: found.minutes * 60,
      reset_after_seconds: Math.ceil((resetMs(found, now) - now) / 1_000),
      reset_at: Math.ceil(resetMs(found, now) / 1_000),
    }
  }
  return {
    allowed: !exhausted(family),
    limit_reached: exhausted(family),
    primary_window: window(0),
    secondary_window: window(1),
  }
}

/** The body of `GET /wham/usage` without the account's identity. */
export function usageBody(holder: QuotaHolder, now: number): Record<string, unknown> {
  const [standard, ...extra] = holder.families
  const limit = standard && usageLimit(standard, now)
  const reached = standard !== undefined && exhausted(standard)
  const left = holder.credits?.balance ?? 0
  return {
    plan_type: holder.plan,
    rate_limit: limit ?? null,
    credits: {
      ...credits(holder),
      approx_local_messages: [left, left],
      approx_cloud_messages: [0, left],
    },
    additional_rate_limits: extra.map((family) => ({
      limit_name: family.name ?? family.id,
      metered_feature: family.id,
      rate_limit: usageLimit(family, now),
    })),
    spend_control: { reached: false, individual_limit: null },
    rate_limit_reached_type: reached ? { type: 'rate_limit_reached' } : null,
    rate_limit_upsell: null,
    ordinary_usage_allowed: !reached || hasCredits(holder),
  }
}

/** The body of a 429 for a full window (docs/development/facts/codex-backend.md#errors). */
export function usageLimitBody(
  holder: QuotaHolder,
  family: LimitFamily,
  now: number,
  change: {
    resetsInSec?: number | undefined
    planType?: string | undefined
    message?: string | undefined
  } = {},
): Record<string, unknown> {
  const freeAt =
    change.resetsInSec === undefined ? freeAtMs(family, now) : now + change.resetsInSec * 1_000
  return {
    error: {
      type: 'usage_limit_reached',
      message: change.message ?? 'The usage limit has been reached',
      plan_type: change.planType ?? holder.plan,
      resets_at: Math.ceil(freeAt / 1_000),
      resets_in_seconds: Math.ceil((freeAt - now) / 1_000),
    },
  }
}
