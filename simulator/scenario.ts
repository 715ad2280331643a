import * as z from 'zod'

import type { Prng } from './prng.js'

/**
 * The scenario language: rules that make the simulator misbehave on purpose.
 *
 * A rule is `{ when?, do, nth?, every?, times?, probability? }`. Each request that gets past authentication is held
 * against every rule in order; a rule whose `when` fits counts the request, and fires if `nth`, `every`, `times` and
 * `probability` allow it. All rules that fire add their actions. The first action that replaces the answer (a status, a
 * captive portal, …) wins; actions that shape the delivery (`cut`, `slow`, `split`, …) all apply.
 *
 *     { "when": { "endpoint": "responses", "account": "work" }, "times": 2, "do": { "type": "usage_limit" } }
 *     { "when": { "kind": "turn" }, "nth": 3, "do": [{ "type": "cut", "at": 5 }, { "type": "split", "bytes": 7 }] }
 *
 * `at` says where in a stream something happens: `"connect"` before the status line, `"start"` after the headers,
 * `"created"` (the default) after `response.created` and before any output, a number after that many text or
 * tool-argument deltas, `"end"` before the terminal event, `"after"` behind it. In an answer that is no stream every
 * place but `"connect"` is the middle of the body.
 *
 * A WebSocket is opened under the endpoint `upgrade`: a replacing action refuses it, `stall` at `connect` never answers.
 * Each `response.create` frame on it counts as a request for `responses` with the transport `websocket`; a replacing
 * action becomes an error frame with its status, `cut` a connection that is lost, `split` a fragmented message.
 */

const ENDPOINTS = [
  'responses',
  'upgrade',
  'models',
  'usage',
  'accounts_check',
  'reset_credits',
  'consume',
  'authorize',
  'token',
  'revoke',
  'device_code',
  'device_token',
] as const

export type Endpoint = (typeof ENDPOINTS)[number]

/** How a request for an answer came. */
export type Transport = 'http' | 'websocket'

/** What kind of request a host sends to `responses`. */
export type RequestKind = 'turn' | 'title' | 'compaction'

const at = z
  .union([z.enum(['connect', 'start', 'created', 'end', 'after']), z.number().int().positive()])
  .default('created')
const ms = z.number().min(0)
const headers = z.record(z.string(), z.string())
const retryAfterSec = z.number().min(0).optional()
const text = z.string().optional()

const actionSchema = z.discriminatedUnion('type', [
  // Replacing the answer.
  z.strictObject({
    type: z.literal('respond'),
    status: z.number().int().min(200).max(599),
    headers: headers.optional(),
    json: z.unknown().optional(),
    text,
  }),
  z.strictObject({
    type: z.literal('usage_limit'),
    resetsInSec: z.number().optional(),
    planType: text,
    message: text,
    drain: z.boolean().default(false),
  }),
  z.strictObject({ type: z.literal('usage_not_included') }),
  z.strictObject({ type: z.literal('rate_limit'), retryAfterSec, message: text, code: text }),
  z.strictObject({
    type: z.literal('unauthorized'),
    code: z.string().default('token_revoked'),
    message: text,
  }),
  z.strictObject({ type: z.literal('payment_required') }),
  z.strictObject({ type: z.literal('forbidden'), detail: z.string().default('Forbidden') }),
  z.strictObject({
    type: z.literal('server_error'),
    status: z.number().int().min(500).max(599).default(500),
    code: text,
    message: text,
    retryAfterSec,
  }),
  z.strictObject({
    type: z.literal('token_error'),
    code: z.enum([
      'refresh_token_reused',
      'refresh_token_expired',
      'refresh_token_invalidated',
      'invalid_grant',
    ]),
  }),
  z.strictObject({ type: z.literal('json_200'), json: z.unknown().default({}) }),
  z.strictObject({
    type: z.literal('html'),
    status: z.number().int().min(200).max(599).default(200),
  }),
  z.strictObject({ type: z.literal('empty') }),
  // Answers of the sign-in page and of a device login.
  z.strictObject({ type: z.literal('approve'), account: z.string() }),
  z.strictObject({
    type: z.literal('deny'),
    error: z.string().default('access_denied'),
    description: z.string().default('The user refused the login'),
  }),
  // Changing a good answer.
  z.strictObject({ type: z.literal('headers'), headers }),
  z.strictObject({ type: z.literal('omit'), fields: z.array(z.string()) }),
  // Ending a stream in another way.
  z.strictObject({
    type: z.literal('stream_failed'),
    code: z.string().default('server_error'),
    message: text,
    at,
  }),
  z.strictObject({
    type: z.literal('stream_error_event'),
    code: z.string().default('server_error'),
    message: text,
    status: z.number().int().optional(),
    /** The member that carries the status; clients take either, never both. */
    statusMember: z.enum(['status', 'status_code']).default('status'),
    /** What an HTTP answer would have in its head. */
    headers: headers.optional(),
    shape: z.enum(['flat', 'nested']).default('flat'),
    at,
    /** False goes on with the stream, as after an error that is none. */
    ends: z.boolean().default(true),
  }),
  z.strictObject({
    type: z.literal('incomplete'),
    reason: z.string().default('max_output_tokens'),
    at: at.default('end'),
  }),
  z.strictObject({ type: z.literal('done') }),
  z.strictObject({ type: z.literal('eof'), at }),
  z.strictObject({ type: z.literal('cut'), at }),
  // Shaping the delivery.
  z.strictObject({
    type: z.literal('malformed'),
    kind: z
      .enum(['garbage', 'invalid_json', 'not_an_object', 'unknown_event', 'huge_line'])
      .default('garbage'),
    bytes: z.number().int().positive().default(1_048_576),
    at,
  }),
  z.strictObject({
    type: z.literal('stall'),
    ms: z.union([ms, z.literal('forever')]).default('forever'),
    at,
  }),
  z.strictObject({ type: z.literal('latency'), ms, jitterMs: ms.default(0) }),
  z.strictObject({ type: z.literal('slow'), ms }),
  z.strictObject({
    type: z.literal('split'),
    bytes: z.number().int().positive(),
    /** A ping between the fragments of a message. */
    ping: z.boolean().default(false),
  }),
  z.strictObject({
    type: z.literal('keepalive'),
    times: z.number().int().positive().default(1),
    everyMs: ms.default(0),
    at,
  }),
  // What only a WebSocket can do; over HTTP a `ping` is a comment, a `close` the end of the stream.
  z.strictObject({ type: z.literal('ping'), at }),
  z.strictObject({
    type: z.literal('close'),
    /** 1006 loses the connection without a close frame. */
    code: z.number().int().min(1000).max(4999).default(1000),
    reason: z.string().default(''),
    at,
  }),
  z.strictObject({ type: z.literal('binary'), at }),
  /** Neither reads nor writes any more, as when the network is gone without a word. */
  z.strictObject({ type: z.literal('freeze'), at }),
  /** The connection forgets the answer it could be continued from. */
  z.strictObject({ type: z.literal('forget') }),
  z.strictObject({ type: z.literal('connection_limit') }),
])

const listOf = <T extends z.ZodType>(item: T): z.ZodUnion<[T, z.ZodArray<T>]> =>
  z.union([item, z.array(item)])

const ruleSchema = z.strictObject({
  /** Shown in the state of the control plane. */
  id: z.string().optional(),
  when: z
    .strictObject({
      endpoint: listOf(z.enum(ENDPOINTS)).optional(),
      account: listOf(z.string()).optional(),
      model: listOf(z.string()).optional(),
      /** The `session-id` header. */
      session: listOf(z.string()).optional(),
      kind: listOf(z.enum(['turn', 'title', 'compaction'])).optional(),
      transport: z.enum(['http', 'websocket']).optional(),
      /** `content-encoding` of an HTTP body; `identity` for one that is not packed. */
      encoding: listOf(z.string()).optional(),
      /** `grant_type` of a token request. */
      grant: listOf(z.string()).optional(),
    })
    .default({}),
  do: listOf(actionSchema),
  /** Fires on these of the fitting requests; the first is 1. */
  nth: listOf(z.number().int().positive()).optional(),
  /** Fires on every n-th fitting request. */
  every: z.number().int().positive().optional(),
  /** Fires at most this often. */
  times: z.number().int().positive().optional(),
  /** Fires with this chance, drawn from the simulator's seeded generator. */
  probability: z.number().min(0).max(1).optional(),
})

export type ScenarioRule = z.input<typeof ruleSchema>
export type Action = z.output<typeof actionSchema>
export type Position = z.output<typeof at>

/** Rules as they stand in a scenario file or in a control request: one, or a list. */
export const scenarioSchema = z.union([ruleSchema.transform((rule) => [rule]), z.array(ruleSchema)])

/** What a rule is held against. */
export interface Subject {
  readonly endpoint: Endpoint
  readonly account?: string | undefined
  readonly model?: string | undefined
  readonly session?: string | undefined
  readonly kind?: RequestKind | undefined
  readonly transport?: Transport | undefined
  readonly encoding?: string | undefined
  readonly grant?: string | undefined
}

export interface RuleBook {
  /** Adds rules behind the others; returns their ids. */
  add(rules: z.output<typeof scenarioSchema>): string[]
  /** Counts a request against every rule and returns the actions of those that fire. */
  fire(subject: Subject): readonly Action[]
  /** Removes the named rule, or all. */
  remove(id?: string): void
  list(): { id: string; seen: number; fired: number; rule: z.output<typeof ruleSchema> }[]
}

const NOTHING: readonly Action[] = []

/** Creates an empty book of rules that draws its chances from `random`. */
export function createRuleBook(random: Prng): RuleBook {
  let entries: { id: string; seen: number; fired: number; rule: z.output<typeof ruleSchema> }[] = []
  let numbered = 0
  return {
    add(rules) {
      const added = rules.map((rule) => ({
        id: rule.id ?? `rule-${(numbered += 1)}`,
        seen: 0,
        fired: 0,
        rule,
      }))
      entries = [...entries, ...added]
      return added.map(({ id }) => id)
    },
    fire(subject) {
      if (entries.length === 0) return NOTHING
      const actions: Action[] = []
      for (const entry of entries) {
        if (!fits(entry.rule.when, subject)) continue
        entry.seen += 1
        const { nth, every, times, probability } = entry.rule
        if (nth !== undefined && !asList(nth).includes(entry.seen)) continue
        if (every !== undefined && entry.seen % every !== 0) continue
        if (times !== undefined && entry.fired >= times) continue
        if (probability !== undefined && random.next() >= probability) continue
        entry.fired += 1
        actions.push(...asList(entry.rule.do))
      }
      return actions
    },
    remove(id) {
      entries = id === undefined ? [] : entries.filter((entry) => entry.id !== id)
    },
    list: () => entries.map((entry) => ({ ...entry })),
  }
}

function fits(when: z.output<typeof ruleSchema>['when'], subject: Subject): boolean {
  return (
    matches(when.endpoint, subject.endpoint) &&
    matches(when.account, subject.account) &&
    matches(when.model, subject.model) &&
    matches(when.session, subject.session) &&
    matches(when.kind, subject.kind) &&
    matches(when.transport, subject.transport) &&
    matches(when.encoding, subject.encoding) &&
    matches(when.grant, subject.grant)
  )
}

function matches(
  wanted: string | readonly string[] | undefined,
  actual: string | undefined,
): boolean {
  if (wanted === undefined) return true
  if (actual === undefined) return false
  return typeof wanted === 'string' ? wanted === actual : wanted.includes(actual)
}

function asList<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T]
}
