import { createHash } from 'node:crypto'
import * as z from 'zod'

import type { SimAccount } from '../accounts/account.js'
import {
  answerFrames,
  createEventWriter,
  type OfferedTool,
  type Question,
  silentFrames,
} from './answer.js'
import { mayUse, modelList } from './catalogue.js'
import { encodingOf } from './encoded-body.js'
import { deactivatedWorkspace, forcedReply } from '../forced.js'
import {
  charge,
  familyOf,
  quotaHeaders,
  rateLimitsEvent,
  usageLimitBody,
} from '../accounts/quota.js'
import { apiError, detail, json, type Reply } from '../reply.js'
import type { Action, RequestKind, Transport } from '../scenario.js'
import type { Settings } from '../settings.js'
import { firing, recordOf, type SimRequest, type World } from '../world.js'

const text = z.string().optional().catch(undefined)
/** Tools, and groups of them with a name of their own. */
const toolList = z
  .array(
    z.looseObject({
      type: text,
      name: text,
      tools: z
        .array(z.looseObject({ type: text, name: text }))
        .optional()
        .catch(undefined),
    }),
  )
  .optional()
  .catch(undefined)
const bodySchema = z.looseObject({
  model: z.string().catch(''),
  instructions: text,
  input: z
    .array(
      z.looseObject({
        type: text,
        role: text,
        content: z.unknown().optional(),
        encrypted_content: text,
        id: text,
        call_id: text,
        tools: toolList,
      }),
    )
    .catch([]),
  store: z.unknown().optional(),
  stream: z.unknown().optional(),
  include: z.array(z.string()).catch([]),
  reasoning: z.looseObject({ effort: text }).optional().catch(undefined),
  tools: toolList,
})
type Body = z.infer<typeof bodySchema>

/** Members the real backend refuses with a sentence of its own. */
const UNSUPPORTED = [
  'previous_response_id',
  'max_output_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'user',
  'metadata',
]

/** Members that only a frame has. */
const OF_A_FRAME = ['type', 'generate']

/** A request for an answer, whatever it came over. */
export interface Asked {
  readonly transport: Transport
  readonly headers: Readonly<Record<string, string>>
  /** The members of the request, with the whole input. */
  readonly members: Readonly<Record<string, unknown>>
  /** Size of the input, in bytes. */
  readonly bytes: number
  /** Makes the connection ready: no output, and nothing from the quota. */
  readonly prewarm: boolean
}

/** `POST /codex/responses` for a request whose token is good. */
export function answerResponses(world: World, account: SimAccount, request: SimRequest): Reply {
  const members = recordOf(request.body)
  if (members === undefined) return detail(400, 'The body is not a JSON object')
  const asked: Asked = {
    transport: 'http',
    headers: request.headers,
    members,
    bytes: request.body.length,
    prewarm: false,
  }
  const actions = firingFor(world, account, asked)
  if (members.stream !== true && members.store === false)
    return detail(400, 'Stream must be set to true')
  for (const name of OF_A_FRAME)
    if (name in members) return detail(400, `Unsupported parameter: ${name}`)
  return answerAsked(world, account, asked, actions)
}

/** The actions of the rules that fire for it; counts it. */
export function firingFor(
  world: World,
  account: SimAccount,
  { transport, headers, members }: Asked,
): readonly Action[] {
  const body = bodySchema.parse(members)
  return firing(world, 'responses', {
    account: account.name,
    model: body.model,
    kind: kindOf(body),
    session: headers['session-id'],
    transport,
    encoding: encodingOf(headers['content-encoding']),
  })
}

/** The answer, with everything the actions ask for. */
export function answerAsked(
  world: World,
  account: SimAccount,
  { members, bytes, transport, prewarm }: Asked,
  actions: readonly Action[],
): Reply {
  const body = bodySchema.parse(members)
  const { model } = body
  const now = world.now()
  const family = familyOf(account, model)
  const extra = Object.assign(
    {},
    ...actions.map((action) => (action.type === 'headers' ? action.headers : {})),
  ) as Record<string, string>
  // A broken body is refused even where a fault is due, so that a scenario never hides one.
  const refused = refusal(body, members, account)
  if (refused !== undefined) return refused
  const forced = forcedReply(actions, {
    now,
    account,
    familyIndex: account.families.indexOf(family),
  })
  if (forced !== undefined) return { ...forced, headers: { ...forced.headers, ...extra }, actions }

  if (account.deactivated) return deactivatedWorkspace()
  if (!mayUse(account, model))
    return detail(
      400,
      `The '${model}' model is not supported when using Codex with a ChatGPT account.`,
    )
  if (!prewarm && !charge(account, family, now))
    return json(429, usageLimitBody(account, family, now), quotaHeaders(account, family, now))

  const writer = createEventWriter(`resp_${world.random.hex(40)}`, model, Math.floor(now / 1000))
  const frames = prewarm
    ? silentFrames(writer)
    : answerFrames(questionOf(body, bytes, world.settings.says), {
        writer,
        random: world.random,
        seal: () => seal(account, world.random.hex(32)),
        limits: limitsText(rateLimitsEvent(account, family, now)),
      })
  const delayMs = prewarm ? 0 : world.settings.outputDelayMs[transport]
  return {
    status: 200,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-request-id': world.random.uuid(),
      'openai-model': model,
      'x-models-etag': modelList(account).etag,
      'x-codex-turn-state': `ts_${account.name}_${world.random.hex(8)}`,
      ...quotaHeaders(account, family, now),
      ...extra,
    },
    body: { frames, writer },
    actions:
      delayMs > 0 ? [{ type: 'stall', ms: delayMs, at: 'created' } as const, ...actions] : actions,
  }
}

function limitsText(event: Readonly<Record<string, unknown>>): string {
  return `event: codex.rate_limits\ndata: ${JSON.stringify(event)}\n\n`
}

function refusal(
  body: Body,
  raw: Readonly<Record<string, unknown>>,
  account: SimAccount,
): Reply | undefined {
  if (body.store !== false) return detail(400, 'Store must be set to false')
  for (const name of UNSUPPORTED)
    if (name in raw) return detail(400, `Unsupported parameter: ${name}`)
  if (!Array.isArray(raw.input)) return detail(400, 'Input must be a list')
  for (const [index, item] of body.input.entries()) {
    if (item.type === 'item_reference')
      return apiError(404, {
        message: `Item with id '${item.id ?? ''}' not found. Items are not persisted when \`store\` is set to false.`,
        param: `input[${index}]`,
      })
    if (item.encrypted_content !== undefined && !opens(account, item.encrypted_content)) {
      return apiError(400, {
        message:
          'The encrypted content could not be verified. Reason: Encrypted content could not be decrypted or parsed.',
        code: 'invalid_encrypted_content',
        param: null,
      })
    }
  }
  return unpaired(body)
}

/** A call without its output, or an output without its call before it. */
function unpaired({ input }: Body): Reply | undefined {
  const open = new Set<string>()
  for (const { type = '', call_id: id = '' } of input) {
    if (/^(?:function|custom_tool|local_shell)_call$/.test(type)) open.add(id)
    else if (/_call_output$/.test(type) && !open.delete(id))
      return apiError(400, {
        message: `No tool call found for function call output with call_id ${id}.`,
        param: 'input',
      })
  }
  const [id] = open
  return id === undefined
    ? undefined
    : apiError(400, { message: `No tool output found for function call ${id}.`, param: 'input' })
}

/** Reasoning can be read again by the account it was made for, and by nobody else. */
function seal(account: SimAccount, nonce: string): string {
  return Buffer.from(`${nonce}.${mac(account, nonce)}`).toString('base64')
}

function opens(account: SimAccount, sealed: string): boolean {
  const [nonce = '', signature = ''] = Buffer.from(sealed, 'base64').toString('utf8').split('.')
  return signature === mac(account, nonce)
}

function mac(account: SimAccount, nonce: string): string {
  return createHash('sha256').update(`${account.uid} ${nonce}`).digest('hex')
}

function kindOf(body: Body): RequestKind {
  const start = (body.instructions ?? textOf(body.input[0]?.content)).slice(0, 400)
  if (/title generator/i.test(start)) return 'title'
  return /summariz/i.test(start) && toolsIn(body).length === 0 ? 'compaction' : 'turn'
}

function questionOf(body: Body, bytes: number, says: Settings['says']): Question {
  const spoken = body.input.findLastIndex((item) => item.role === 'user')
  const kind = kindOf(body)
  const isOutput = ({ type = '' }: { type?: string | undefined }): boolean =>
    type.endsWith('_call_output')
  return {
    kind,
    says: kind === 'compaction' ? null : says[kind],
    model: body.model,
    effort: body.reasoning?.effort ?? 'medium',
    text: textOf(body.input[spoken]?.content),
    // In the Lite shape they stand in the input
    // (docs/development/facts/codex-backend.md#responses-lite).
    tools: toolsIn(body),
    toolOutputs: body.input.slice(spoken + 1).filter(isOutput).length,
    wantsReasoning: body.include.includes('reasoning.encrypted_content'),
    inputTokens: Math.ceil(bytes / 4),
  }
}

function toolsIn(body: Body): OfferedTool[] {
  const lists = [body.tools, ...body.input.map(({ tools }) => tools)].flatMap((list) => list ?? [])
  return lists
    .flatMap((tool) => tool.tools ?? [tool])
    .flatMap(({ type, name }) =>
      name === undefined ? [] : [{ name, kind: type === 'custom' ? 'custom' : 'function' }],
    )
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map((part: unknown) =>
      typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string'
        ? part.text
        : '',
    )
    .join('\n')
}
