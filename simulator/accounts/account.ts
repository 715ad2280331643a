import { createHash } from 'node:crypto'
import * as z from 'zod'

import { createFamily, DEFAULT_LIMIT_ID, type LimitFamily } from './quota.js'
import { asUuid } from '../prng.js'

const FIVE_HOURS_MINUTES = 300
const WEEK_MINUTES = 10_080
/** Requests that fill a default window. */
const FIVE_HOUR_REQUESTS = 200
const WEEKLY_REQUESTS = 2_000

const windowSpec = z.strictObject({
  /** Length in minutes: 300 is the 5-hour window, 10080 the weekly one. */
  minutes: z.number().positive(),
  /** Units that fill the window; a request costs `cost` units. */
  limit: z.number().positive(),
  /** Units used at the start. */
  used: z.number().min(0).default(0),
  /** ms until the window resets; a window that is untouched starts with its first request. */
  resetsInMs: z.number().positive().optional(),
})

const creditsSpec = z.strictObject({
  /** Requests left that may be paid with credits once a window is full. */
  balance: z.number().min(0).default(0),
  unlimited: z.boolean().default(false),
})

const defaultWindows = (): z.input<typeof windowSpec>[] => [
  { minutes: FIVE_HOURS_MINUTES, limit: FIVE_HOUR_REQUESTS },
  { minutes: WEEK_MINUTES, limit: WEEKLY_REQUESTS },
]

const shape = {
  plan: z.string().min(1),
  /** First is primary, second secondary. */
  windows: z.array(windowSpec).max(2),
  /** Units one request takes from every window of its family. */
  cost: z.number().min(0),
  credits: creditsSpec,
  /** Banked resets of the windows. */
  resetCredits: z.number().int().min(0),
  /** Slugs the account may use instead of those of its plan. */
  models: z.array(z.string().min(1)),
  /** A workspace its owner switched off: requests answer 402. */
  deactivated: z.boolean(),
}

/** A simulated account: one user in one workspace. Accounts with the same `user` are workspaces of that user. */
const accountSpecSchema = z.strictObject({
  /** Unique name, used by rules, by the control plane and on the sign-in page. */
  name: z.string().regex(/^[\w.@-]+$/),
  user: z
    .string()
    .regex(/^[\w.@-]+$/)
    .optional(),
  email: z.string().min(3).optional(),
  plan: shape.plan.default('plus'),
  accountId: z.string().min(1).optional(),
  userId: z.string().min(1).optional(),
  structure: z.enum(['personal', 'workspace']).default('personal'),
  windows: shape.windows.default(() => z.array(windowSpec).parse(defaultWindows())),
  cost: shape.cost.default(1),
  credits: creditsSpec.optional(),
  resetCredits: shape.resetCredits.default(0),
  models: shape.models.optional(),
  deactivated: shape.deactivated.default(false),
  /** Extra limit families such as `codex_bengalfox`; their models draw from them alone. */
  extraLimits: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[a-z][a-z0-9_]*$/),
        name: z.string().min(1).optional(),
        models: z.array(z.string().min(1)).default([]),
        windows: z.array(windowSpec).max(2),
      }),
    )
    .default([]),
  /** Answered by `accounts/check` (docs/development/facts/codex-backend.md#workspace-routing). */
  accountRouting: z.enum(['NO_CONSTRAINT', 'us', 'us_cr']).default('NO_CONSTRAINT'),
  /** Token claim `chatgpt_compute_residency`. */
  residency: z.string().min(1).optional(),
  fedramp: z.boolean().default(false),
})

/** What may be changed of an account while the simulator runs. */
export const accountPatchSchema = z.strictObject(shape).partial()

export type AccountSpec = z.input<typeof accountSpecSchema>
export type AccountPatch = z.input<typeof accountPatchSchema>

interface ResetCredit {
  readonly id: string
  readonly grantedAtMs: number
  status: 'available' | 'redeemed'
}

/** An account at run time. */
export interface SimAccount {
  readonly name: string
  readonly email: string
  readonly userId: string
  readonly accountId: string
  /** User × workspace, the claim `chatgpt_account_user_id`. */
  readonly uid: string
  readonly structure: 'personal' | 'workspace'
  readonly accountRouting: 'NO_CONSTRAINT' | 'us' | 'us_cr'
  readonly residency: string | undefined
  readonly fedramp: boolean
  plan: string
  cost: number
  credits: { balance: number; unlimited: boolean } | undefined
  models: readonly string[] | undefined
  deactivated: boolean
  /** The plain `x-codex-*` family first. */
  families: LimitFamily[]
  resetCredits: ResetCredit[]
  /** Ids of redeem requests that were carried out. */
  readonly redeemed: Set<string>
}

/** How long a banked reset can be used. */
export const RESET_CREDIT_LIFE_MS = 30 * 86_400_000

/** Builds the account a specification describes; ids not given are derived from the name, so they never change. */
export function createAccount(input: AccountSpec, now: number): SimAccount {
  const spec = accountSpecSchema.parse(input)
  const user = spec.user ?? spec.name
  const userId = spec.userId ?? `user-${digest(`user ${user}`).slice(0, 24)}`
  const accountId = spec.accountId ?? asUuid(digest(`account ${spec.name}`))
  return {
    name: spec.name,
    email: spec.email ?? (user.includes('@') ? user : `${user}@example.test`),
    userId,
    accountId,
    uid: `${userId}__${accountId}`,
    structure: spec.structure,
    accountRouting: spec.accountRouting,
    residency: spec.residency,
    fedramp: spec.fedramp,
    plan: spec.plan,
    cost: spec.cost,
    credits: spec.credits,
    models: spec.models,
    deactivated: spec.deactivated,
    families: [
      createFamily({ id: DEFAULT_LIMIT_ID, windows: spec.windows }, now),
      ...spec.extraLimits.map((limit) => createFamily(limit, now)),
    ],
    resetCredits: bank(spec.name, spec.resetCredits, now),
    redeemed: new Set(),
  }
}

/** Changes a running account. */
export function patchAccount(account: SimAccount, input: AccountPatch, now: number): void {
  const patch = accountPatchSchema.parse(input)
  if (patch.plan !== undefined) account.plan = patch.plan
  if (patch.cost !== undefined) account.cost = patch.cost
  if (patch.credits !== undefined) account.credits = patch.credits
  if (patch.models !== undefined) account.models = patch.models
  if (patch.deactivated !== undefined) account.deactivated = patch.deactivated
  if (patch.resetCredits !== undefined)
    account.resetCredits = bank(account.name, patch.resetCredits, now)
  if (patch.windows !== undefined) {
    account.families = [
      createFamily({ id: DEFAULT_LIMIT_ID, windows: patch.windows }, now),
      ...account.families.slice(1),
    ]
  }
}

function bank(name: string, count: number, now: number): ResetCredit[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `rrc_${digest(`credit ${name} ${index}`).slice(0, 20)}`,
    grantedAtMs: now,
    status: 'available' as const,
  }))
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
