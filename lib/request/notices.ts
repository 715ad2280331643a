import * as s from '../kernel/shape.js'

import type { Config } from '../config/settings.js'
import type { Clock } from '../kernel/clock.js'
import { createStateFile } from '../kernel/files/state-file.js'
import type { Logger } from '../kernel/logger.js'
import { goodEntries } from '../kernel/text/odd-values.js'
import { limitName } from '../account-view/words.js'
import type { HostPort, Toast } from '../kernel/host-port.js'
import type { Alert } from '../quota/alerts.js'
import { formatDuration, formatMoment, formatWhen } from '../kernel/text/moments.js'

/** A block that ends is waited for a little longer: the backend's clock is not ours, ms. */
export const WAIT_MARGIN_MS = 250
/** How often the countdown of a waiting request is refreshed, ms. */
export const COUNTDOWN_MS = 5_000

/** The few things worth a toast; each said once within the configured time. */
export type Notices = ReturnType<typeof createNotices>

/** Creates the notices of one plugin instance. */
export function createNotices(deps: {
  host: HostPort
  config: Config
  clock: Clock
  gate: Pick<ReturnType<typeof createSharedGate>, 'mayShow'>
}) {
  const { host, config, clock, gate } = deps
  const show = (key: string, withinMs: number, toast: Toast): void => {
    if (gate.mayShow(key, clock.now(), withinMs))
      host.toast({ title: 'Codex accounts', durationMs: config.toastDurationMs, ...toast })
  }
  return {
    /** Another account serves now. */
    switched(from: string, to: string, why: string): void {
      if (!config.accountToasts) return
      show(`switched ${from} ${to}`, config.rateLimitToastDebounceMs, {
        variant: 'info',
        message: `${from} ${why}; continuing with ${to}.`,
      })
    },
    /** Every account is blocked and the request waits. Called again and again while it does. */
    waiting(untilMs: number): void {
      const leftMs = untilMs - clock.now()
      show(`waiting ${Math.ceil(leftMs / COUNTDOWN_MS)}`, COUNTDOWN_MS, {
        variant: 'warning',
        message: `Every account is at a limit. Resumes automatically at ${formatMoment(untilMs, clock.now())}, in ${formatDuration(leftMs)}. Esc stops waiting.`,
        durationMs: COUNTDOWN_MS,
      })
    },
    /**
     * Little is left of a window.
     * @param pace a sentence on how long it lasts, or nothing
     */
    alert(label: string, { window, level, limitId }: Alert, pace: string): void {
      const name = limitName(window.kind)
      const left = level === 0 ? 'is used up' : `has ${level}% left`
      const until =
        window.resetsAtMs === undefined
          ? ''
          : ` It resets ${formatWhen(window.resetsAtMs, clock.now())}.`
      show(`alert ${label} ${limitId} ${window.kind} ${level}`, config.rateLimitToastDebounceMs, {
        variant: level <= 5 ? 'warning' : 'info',
        message: `${label}: the ${name} ${left}.${until}${pace === '' ? '' : ` ${pace}`}`,
      })
    },
    /** An account cannot be used until the user signs in again. */
    loginNeeded(label: string): void {
      show(`login ${label}`, Math.max(config.rateLimitToastDebounceMs, 10 * 60_000), {
        variant: 'error',
        message: `${label} must sign in again: {login}`,
      })
    },
  }
}

/** When each message was last shown, in any window. */
type Shown = Readonly<Record<string, number>>

const fileSchema = s.object({ version: s.literal(1), shown: goodEntries(s.number()).catch({}) })

/** Other windows must learn of a message before they would show it themselves, ms. */
const WRITE_DELAY_MS = 20
const KEEP_MS = 60 * 60_000

/** A gate for all windows of the user: what one has shown the others keep to themselves. */
export function createSharedGate(deps: { file: string; clock: Clock; log: Logger }) {
  const { clock } = deps
  const state = createStateFile<Shown>({
    ...deps,
    initial: {},
    parse: (text) => fileSchema.parse(JSON.parse(text)).shown,
    format: (shown) => JSON.stringify({ version: 1, shown }),
    merge: (ours, theirs) => merged(ours, theirs, clock.now()),
    delayMs: WRITE_DELAY_MS,
    watch: true,
  })
  return {
    /**
     * True for the first caller within the time, in any window. The same sentence with another number is the same message:
     * the key tells.
     */
    mayShow(key: string, nowMs: number, withinMs: number): boolean {
      const last = state.current()[key]
      if (last !== undefined && nowMs >= last && nowMs - last < withinMs) return false
      state.set(merged({ ...state.current(), [key]: nowMs }, {}, nowMs))
      return true
    },
    load: () => state.load(),
    close: () => state.close(),
  }
}

function merged(ours: Shown, theirs: Shown, nowMs: number): Shown {
  const both: Record<string, number> = {}
  for (const [key, at] of [...Object.entries(ours), ...Object.entries(theirs)]) {
    if (nowMs - at < KEEP_MS && at <= nowMs) both[key] = Math.max(at, both[key] ?? 0)
  }
  return both
}
