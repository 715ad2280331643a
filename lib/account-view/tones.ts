import type { Tone } from '../kernel/text/tones.js'
import type { AccountState } from './state.js'

/** How a state catches the eye, the same on every surface. */
export const STATE_TONES: Readonly<Record<AccountState['kind'], Tone>> = {
  eligible: 'good',
  resting: 'low',
  limited: 'low',
  blocked: 'bad',
  'login-needed': 'bad',
  disabled: 'faint',
  'fenced-out': 'faint',
  'set-aside': 'faint',
  'pinned-out': 'faint',
  tried: 'faint',
}

/** Percent left at which a window is worth a look, and at which it is as good as used up. */
const LOW_PERCENT = 25
const VERY_LOW_PERCENT = 10

/** What is left of a window, as it catches the eye. */
export function leftTone(leftPercent: number): Tone | undefined {
  if (leftPercent <= VERY_LOW_PERCENT) return 'bad'
  return leftPercent <= LOW_PERCENT ? 'low' : undefined
}
