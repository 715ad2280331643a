import type { SimAccount } from './accounts/account.js'
import type { Prng } from './prng.js'
import type { Action, Endpoint, RuleBook, Subject } from './scenario.js'
import type { Settings } from './settings.js'
import type { TokenRegistry } from './accounts/tokens.js'

/** Everything a simulator knows; handlers read and change it. */
export interface World {
  readonly issuer: string
  readonly settings: Settings
  readonly accounts: readonly SimAccount[]
  readonly tokens: TokenRegistry
  readonly rules: RuleBook
  readonly random: Prng
  /** Epoch ms on the simulator's own clock. */
  now(): number
}

/** A request as the handlers see it. */
export interface SimRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The actions of the rules that fire, with those that only decorate an answer at the end. */
export function firing(
  world: World,
  endpoint: Endpoint,
  subject: Omit<Subject, 'endpoint'> = {},
): readonly Action[] {
  return world.rules.fire({ endpoint, ...subject })
}

/** The account of that name. */
export function accountNamed(world: World, name: string): SimAccount | undefined {
  return world.accounts.find((account) => account.name === name)
}

/** Fields of a JSON or form body; none for anything else. */
export function fieldsOf(request: SimRequest): Readonly<Record<string, string>> {
  if ((request.headers['content-type'] ?? '').includes('json')) {
    const parsed = recordOf(request.body)
    return Object.fromEntries(
      Object.entries(parsed ?? {}).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      ),
    )
  }
  return Object.fromEntries(new URLSearchParams(request.body))
}

/** A JSON object, or undefined. */
export function recordOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
