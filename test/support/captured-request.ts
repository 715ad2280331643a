import { readFile } from 'node:fs/promises'
import path from 'node:path'
import * as z from 'zod'

import { repositoryRoot } from './repository.js'

const Captured = z.looseObject({
  method: z.string(),
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.record(z.string(), z.unknown()),
})

/** A request as a backend saw it. */
export type CapturedRequest = z.infer<typeof Captured>

/** A way in which a request may differ from the captured one, and why that is right. */
export interface Allowance {
  /** Which values, by their place: `headers.host`, `body.input[3].encrypted_content`. */
  readonly where: RegExp
  readonly why: string
  /** Default: the value differs and has the same type. */
  readonly kind?: 'value' | 'added' | 'missing'
  /** What the value must look like all the same. */
  readonly shape?: RegExp
}

/** Tools of the plugin with which the captures were recorded. */
const RECORDING_TOOLS = /^body\.tools\{(codex-hello|js-schema|throws)\}/

/** What differs between any two runs of the same prompt, and what this plugin does differently on purpose. */
export const USUAL_ALLOWANCES: readonly Allowance[] = [
  { where: /^headers\.authorization$/, shape: /^Bearer \S+$/, why: 'the token of the account' },
  {
    where: /^headers\.(session-id|x-session-affinity|x-session-id|x-parent-session-id)$/,
    shape: /^ses_/,
    why: 'id of the session',
  },
  { where: /^body\.prompt_cache_key$/, shape: /^ses_/, why: 'id of the session' },
  {
    where: /^headers\.(host|content-length)$/,
    why: 'the address and the length of this very request',
  },
  {
    where: /^headers\.user-agent$/,
    shape: /^opencode\/1\.\d+\.\d+ .*ai-sdk\/provider-utils/,
    why: 'names the system and the version',
  },
  {
    where: /^headers\.accept$/,
    shape: /^text\/event-stream$/,
    why: 'the backend is asked for a stream',
  },
  {
    where: /^headers\.chatgpt-account-id$/,
    kind: 'added',
    why: 'the account that serves',
  },
  { where: /^body\.input\[\d+\]\.encrypted_content$/, why: 'reasoning of this run' },
  { where: /^body\.input\[\d+\]\.(call_id|output|arguments|name)$/, why: 'the call of this run' },
  { where: /^body\.input\[\d+\]\.(summary|content)\[\d+\]\.text$/, why: 'the words of this run' },
  { where: /^body\.tools\{\w+\}\.description$/, why: 'names folders and agents of this machine' },
  { where: RECORDING_TOOLS, kind: 'missing', why: 'tools of the recording plugin' },
  { where: /^body\.tools\{codex-[a-z-]+\}/, kind: 'added', why: 'tools of this plugin' },
]

/** Reads a capture: what OpenCode sent, or the Codex CLI. */
export async function loadCapture(
  name: string,
  client: 'opencode' | 'codex-cli' = 'opencode',
): Promise<CapturedRequest> {
  const file = path.join(repositoryRoot, 'test', 'fixtures', client, `${name}.json`)
  return Captured.parse(JSON.parse(await readFile(file, 'utf8')))
}

/**
 * Compares a request with a captured one, value by value: every header and every member of the body, at any depth.
 * @returns one line per difference that no allowance covers; empty when the requests agree
 */
export function differences(
  actual: CapturedRequest,
  captured: CapturedRequest,
  allowances: readonly Allowance[] = USUAL_ALLOWANCES,
): string[] {
  const is = flatten(actual)
  const was = flatten(captured)
  const found: string[] = []
  for (const [place, before] of was) {
    const now = is.get(place)
    if (now === undefined) {
      if (!isAllowed(allowances, 'missing', place, before))
        found.push(`${place} is missing (was ${show(before)})`)
    } else if (
      !agrees(now, before) &&
      !(typeof now === typeof before && isAllowed(allowances, 'value', place, now))
    ) {
      found.push(`${place} is ${show(now)} (was ${show(before)})`)
    }
  }
  for (const [place, now] of is) {
    if (!was.has(place) && !isAllowed(allowances, 'added', place, now))
      found.push(`${place} was added: ${show(now)}`)
  }
  return found
}

type Leaf = string | number | boolean | null

function flatten({ method, url, headers, body }: CapturedRequest): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>()
  walk('', { method, url: new URL(url, 'http://localhost').pathname, headers, body }, leaves)
  return leaves
}

function walk(place: string, value: unknown, leaves: Map<string, Leaf>): void {
  if (Array.isArray(value)) {
    leaves.set(`${place}[]`, 'list')
    for (const [index, item] of value.entries())
      walk(`${place}${indexOf(place, index, item)}`, item, leaves)
  } else if (typeof value === 'object' && value !== null) {
    if (Object.keys(value).length === 0) leaves.set(`${place}{}`, 'empty')
    for (const [key, member] of Object.entries(value))
      walk(place === '' ? key : `${place}.${key}`, member, leaves)
  } else {
    leaves.set(place, value as Leaf)
  }
}

/** Tools are told apart by name: their number differs with the plugins, which must not shift the others. */
function indexOf(place: string, index: number, item: unknown): string {
  const name = (item as { name?: unknown }).name
  return place === 'body.tools' && typeof name === 'string' ? `{${name}}` : `[${index}]`
}

/** Long texts were cut in the captures: `beginning...[1234 chars]`. */
const CUT = /\.\.\.\[\d+ chars\]$/

function agrees(now: Leaf, before: Leaf): boolean {
  if (now === before) return true
  if (typeof now !== 'string' || typeof before !== 'string' || !CUT.test(before)) return false
  return now.startsWith(before.replace(CUT, ''))
}

function isAllowed(
  allowances: readonly Allowance[],
  kind: NonNullable<Allowance['kind']>,
  place: string,
  value: Leaf,
): boolean {
  return allowances.some(
    (allowance) =>
      (allowance.kind ?? 'value') === kind &&
      allowance.where.test(place) &&
      (allowance.shape?.test(String(value)) ?? true),
  )
}

function show(value: Leaf): string {
  const text = JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
