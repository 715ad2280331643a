import { dropUndefined } from '../../kernel/drop-undefined.js'
import type { HealthEvent } from '../../routing/health.js'
import type { AccountBody } from '../body/reasoning.js'
import { lastLimitOf } from '../failures/refusal.js'
import { noticesOfServed, type Passed, whyText } from '../notice-words.js'
import { endingAfter } from './hand-over.js'
import { passedHeaders } from '../headers/headers.js'
import { type AttemptResult, finish, type RequestRun, type Target } from '../run.js'
import { aggregate } from '../stream/aggregate.js'
import type { StreamEnd } from '../stream/stream.js'
import { savedBytes } from '../transport/passage.js'
import { writeAhead } from './write-ahead.js'

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
  tellWhoServes(run, uid, nowMs)
  runtime.router.served(run.sessionId, uid, nowMs)
  const known = account.served(nowMs)
  // The account is in use, so its next token may be fetched ahead of time; idle ones are never touched.
  if (runtime.config.proactiveRefresh) runtime.tokens.refreshSoon([uid])
  const answered = known === undefined ? body : endingAfter(body, known)
  return run.prepared.wantsStream
    ? new Response(answered, { status: 200, headers: passedHeaders(response.headers) })
    : aggregate(answered)
}

/** Who could not serve and who does, also where the session only finds its account at a limit. */
function tellWhoServes(run: RequestRun, uid: string, nowMs: number): void {
  const { runtime, sessionId, passed, pool, notices, prepared } = run
  const { ledger, sessions, router, config } = runtime
  const formerUid = sessionId === undefined ? undefined : sessions.get(sessionId, nowMs)
  const isPaid = config.creditsPolicy === 'allow' && ledger.hasCredits(uid)
  const stays = formerUid === undefined || formerUid === uid
  if (stays && !isPaid && passed.size === 0) return
  const request = { model: prepared.model, limitId: router.limitOf(prepared.model), nowMs }
  const account = pool.accounts.find((one) => one.uid === uid)
  const former = pool.accounts.find((one) => one.uid === formerUid)
  const limit = former === undefined ? undefined : lastLimitOf(ledger, former, request)
  const found: [string, Passed][] =
    former === undefined || limit?.isLimit !== true || former.uid === uid
      ? []
      : [
          [
            former.uid,
            {
              label: runtime.label(former),
              why: `is at its ${limit.why}`,
              kind: 'limit',
              untilMs: limit.untilMs,
            },
          ],
        ]
  const spent = isPaid && account !== undefined ? lastLimitOf(ledger, account, request) : undefined
  const by = { uid, label: account === undefined ? 'another account' : runtime.label(account) }
  const all = new Map([...found, ...passed])
  const onCredits = spent === undefined ? undefined : { window: spent.why, untilMs: spent.untilMs }
  const [from] = [...all].filter(([one]) => one !== uid)
  notices.served(
    passed,
    noticesOfServed(all, { ...by, onCredits }, nowMs),
    from === undefined
      ? undefined
      : dropUndefined({
          kind: 'switch' as const,
          atMs: nowMs,
          session: sessionId,
          from: from[0],
          to: uid,
          why: whyText(from[1], nowMs),
        }),
  )
  passed.clear()
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
  writeAhead(runtime)
}
