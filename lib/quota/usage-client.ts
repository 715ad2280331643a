import {
  type BackendCaller,
  type BackendDeps,
  callBackend,
  failedCall,
} from '../kernel/backend-call.js'
import { type QuotaReading, readingOfUsage } from './readings.js'

/** The same reading under its two names; the first is the Codex CLI's. */
const PATHS = ['/wham/usage', '/codex/usage'] as const
const WHAT = 'usage request'
const ANSWER_TIMEOUT_MS = 15_000

/**
 * Asks the backend for the quota of an account. Costs no quota.
 * @throws CodexError `backend_unreachable`, `backend_failed`: a refusal here says nothing about the login, so no account
 * is marked for it
 */
export async function readUsage(
  deps: BackendDeps & { readonly now: () => number },
  caller: BackendCaller,
  signal?: AbortSignal,
): Promise<QuotaReading> {
  let status = 0
  for (const path of PATHS) {
    const request = { path, what: WHAT, timeoutMs: ANSWER_TIMEOUT_MS, signal }
    const answer = await callBackend(deps, caller, request)
    status = answer.status
    const reading = status === 200 ? readingOfUsage(answer.body, deps.now()) : undefined
    if (reading !== undefined) return reading
    if (status !== 404 && status !== 200) break
  }
  throw failedCall(WHAT, status)
}
