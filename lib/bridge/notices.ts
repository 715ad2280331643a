import type { Config } from '../config/settings.js'
import type { Clock } from '../kernel/clock.js'
import { LIMIT_NAMES } from '../routing/limits.js'
import type { HostPort, Toast } from '../kernel/host-port.js'
import type { Alert } from '../quota/alerts.js'
import { formatDuration, formatMoment, formatWhen } from '../kernel/moments.js'

/** The few things worth a toast; each said once within the configured time. */
export interface Notices {
  /** Another account serves now. */
  switched(from: string, to: string, why: string): void
  /** Every account is blocked and the request waits. Called again and again while it does. */
  waiting(untilMs: number): void
  /**
   * Little is left of a window.
   * @param pace a sentence on how long it lasts, or nothing
   */
  alert(label: string, alert: Alert, pace: string): void
  /** An account cannot be used until somebody signs in again. */
  loginNeeded(label: string): void
}

/** The same sentence with another number is the same message: the key tells. */
export interface NoticeGate {
  /** True for the first caller within the time, among all windows if the gate is shared. */
  mayShow(key: string, nowMs: number, withinMs: number): boolean
}

/** How often the countdown of a waiting request is refreshed, ms. */
export const COUNTDOWN_MS = 5_000

/** Creates the notices of one plugin instance. */
export function createNotices(deps: {
  host: HostPort
  config: Config
  clock: Clock
  gate: NoticeGate
}): Notices {
  const { host, config, clock, gate } = deps
  const show = (key: string, withinMs: number, toast: Toast): void => {
    if (gate.mayShow(key, clock.now(), withinMs))
      host.toast({ title: 'Codex accounts', durationMs: config.toastDurationMs, ...toast })
  }
  return {
    switched(from, to, why) {
      if (!config.accountToasts) return
      show(`switched ${from} ${to}`, config.rateLimitToastDebounceMs, {
        variant: 'info',
        message: `${from} ${why}. ${to} goes on.`,
      })
    },
    waiting(untilMs) {
      const leftMs = untilMs - clock.now()
      show(`waiting ${Math.ceil(leftMs / COUNTDOWN_MS)}`, COUNTDOWN_MS, {
        variant: 'warning',
        message: `Every account is at a limit. Going on by itself at ${formatMoment(untilMs, clock.now())}, in ${formatDuration(leftMs)}. Esc stops waiting.`,
        durationMs: COUNTDOWN_MS,
      })
    },
    alert(label, { window, level, limitId }, pace) {
      const name = LIMIT_NAMES[window.kind]
      const left = level === 0 ? 'is used up' : `has ${level} % left`
      const until =
        window.resetsAtMs === undefined
          ? ''
          : ` It resets ${formatWhen(window.resetsAtMs, clock.now())}.`
      show(`alert ${label} ${limitId} ${window.kind} ${level}`, config.rateLimitToastDebounceMs, {
        variant: level <= 5 ? 'warning' : 'info',
        message: `${label}: the ${name} ${left}.${until}${pace === '' ? '' : ` ${pace}`}`,
      })
    },
    loginNeeded(label) {
      show(`login ${label}`, Math.max(config.rateLimitToastDebounceMs, 10 * 60_000), {
        variant: 'error',
        message: `${label} must sign in again: opencode auth login`,
      })
    },
  }
}
