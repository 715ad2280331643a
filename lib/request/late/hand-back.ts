import { dropUndefined } from '../../kernel/drop-undefined.js'
import type { HealthEvent } from '../../routing/health.js'
import type { AccountBody } from '../body/reasoning.js'
import { endingAfter } from './hand-over.js'
import { passedHeaders } from '../headers/headers.js'
import { type AttemptResult, finish, type RequestRun, type Target } from '../run.js'
import { aggregate } from '../stream/aggregate.js'
import type { StreamEnd } from '../stream/stream.js'
import { savedBytes } from '../transport/passage.js'

/** What the end of an answer says of its account; nothing where the reader stopped, which is the fault of neither. */
const HEALTH_OF_END: Readonly<Record<StreamEnd['kind'], HealthEvent | undefined>> = {
  completed: 'succeeded',
  incomplete: 'succeeded',
  failed: 'failed',
  broken: 'network_failed',
  idle: 'network_failed',
  aborted: undefined,
  cancelled: undefined,
}

/** The answer for the host, once its first output is there. */
export function handBack(
  run: RequestRun,
  { account: { uid }, breaker }: Target,
  {
    response,
    body,
    account,
  }: Extract<AttemptResult, { ok: true }> & { readonly account: AccountBody },
): Promise<Response> | Response {
  const { runtime } = run
  const nowMs = runtime.clock.now()
  breaker.reached()
  runtime.router.served(run.sessionId, uid, nowMs)
  const known = account.served(nowMs)
  // The account is in use, so its next token may be fetched ahead of time; idle ones are never touched.
  if (runtime.config.proactiveRefresh) runtime.tokens.refreshSoon([uid])
  const answered = known === undefined ? body : endingAfter(body, known)
  return run.prepared.wantsStream
    ? new Response(answered, { status: 200, headers: passedHeaders(response.headers) })
    : aggregate(answered)
}

/** What the end of an answer says of the account, for the choice, the history and the trace. */
export function noteEnd(run: RequestRun, uid: string, { kind, bytes, usage }: StreamEnd): void {
  const { runtime, record } = run
  const atMs = runtime.clock.now()
  record.responseBytes = bytes
  if (usage !== undefined) {
    record.usage = usage
    runtime.history.note(
      dropUndefined({
        type: 'turn' as const,
        atMs,
        uid,
        model: record.model,
        session: run.sessionId,
        project: runtime.scope.project?.key,
        ...usage,
        durationMs: atMs - record.startedAtMs,
        attempts: record.attempts.length,
        savedBytes: savedBytes(record.attempts.at(-1)?.passage),
      }),
    )
  }
  const event = HEALTH_OF_END[kind]
  if (event !== undefined) runtime.router.record(uid, event, atMs)
  finish(runtime, run, kind)
}
