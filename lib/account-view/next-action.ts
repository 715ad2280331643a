import { formatWhen } from '../kernel/text/moments.js'
import { canServe } from './state.js'
import type { AccountView } from './view.js'

/** What the user should do now, in one sentence. Pure. */
export function nextAction(views: readonly AccountView[], nowMs: number): string {
  if (views.length === 0) return 'Sign in: {login}'
  const login = views.filter(({ state }) => state.kind === 'login-needed')
  if (login.length > 0)
    return `Sign in again with account ${login.map(({ index }) => index).join(', ')}: {login}`
  const able = views.filter(({ state }) => canServe(state)).length
  if (able > 0) return `Nothing to do: ${servingText(able, views.length)} can serve.`
  const kinds = new Set(views.map(({ state }) => state.kind))
  if (kinds.size === 1 && kinds.has('disabled'))
    return 'Every account is disabled; enable one: {toggle NUMBER}'
  const freeAtMs = Math.min(
    ...views.map(({ state }) => ('untilMs' in state ? state.untilMs : Infinity)),
  )
  if (Number.isFinite(freeAtMs))
    return `No account can serve until ${formatWhen(freeAtMs, nowMs)}; wait, or sign in to another account: {login}`
  return kinds.has('pinned-out')
    ? 'No account can serve: the pinned one cannot, and no other may. Lift the pin: {switch}'
    : 'No account may serve this project: see {pool}'
}

/** `2 of 3 accounts`, `all 3 accounts`, `the only account`. */
export function servingText(count: number, total: number): string {
  if (count < total) return `${count} of ${total} accounts`
  return total === 1 ? 'the only account' : `all ${total} accounts`
}
