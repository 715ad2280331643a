import * as s from '../kernel/shape.js'

import { goodEntries, goodItems } from '../kernel/text/odd-values.js'
import type { Account, AccountPool } from './account.js'
import type { Pin } from '../routing/types.js'
import type { ProjectKeys } from './project/project.js'

const pinSchema = s.looseObject({ uid: s.string(), mode: s.oneOf(['soft', 'hard']).catch('soft') })

/**
 * The user's rules about who may serve, kept beside the accounts (top-level key `rules`) so that every window sees them
 * at once. Parsed part by part: a rule that cannot be read is as if it were not there, except a fence, which then lets
 * nobody through.
 */
const rulesSchema = s.looseObject({
  pin: pinSchema.optional().catch(undefined),
  /** By project key. */
  projectPins: goodEntries(pinSchema).optional().catch(undefined),
  /** By session id. */
  sessionPins: goodEntries(pinSchema).optional().catch(undefined),
  /** By project key: accounts that may serve there. */
  fences: goodEntries(goodItems(s.string()).catch([])).optional().catch(undefined),
})

/** The rules of a pool. */
export type PoolRules = s.Infer<typeof rulesSchema>

/** Reads the rules of a pool. Pure. */
export function rulesOf(pool: AccountPool): PoolRules {
  const parsed = rulesSchema.safeParse(pool.rules ?? {})
  return parsed.success ? parsed.data : {}
}

/** The pool with changed rules; empty parts are dropped. Pure. */
export function withRules(pool: AccountPool, rules: PoolRules): AccountPool {
  const kept = Object.fromEntries(
    Object.entries(rules).filter(([, value]) => value !== undefined && !isEmptyRecord(value)),
  )
  if (Object.keys(kept).length > 0) return { ...pool, rules: kept }
  const { rules: _dropped, ...rest } = pool
  return rest
}

/** What a table holds for a project, under its own key first. */
function valuesFor<Value>(
  table: Readonly<Record<string, Value>> = {},
  project: ProjectKeys | undefined,
  more: readonly string[] = [],
): Value[] {
  const keys =
    project === undefined ? [] : [project.key, ...project.aliases, ...project.above, ...more]
  return keys.flatMap((key) => {
    const value = Object.hasOwn(table, key) ? table[key] : undefined
    return value === undefined ? [] : [value]
  })
}

/**
 * The accounts that may serve a project; undefined when every account may. Where several keys of it have a fence, only who
 * is inside all of them may: a fence never stops to count because the folder was entered by another path. Pure.
 */
export function fenceOf(
  { fences }: PoolRules,
  project: ProjectKeys | undefined,
): readonly string[] | undefined {
  const [first, ...others] = valuesFor(fences, project, project?.claimed)
  return first?.filter((uid) => others.every((fence) => fence.includes(uid)))
}

/** The pin of a project: where several keys of it have one, a hard one first. Pure. */
export function projectPinOf(
  { projectPins }: PoolRules,
  project: ProjectKeys | undefined,
): PoolRules['pin'] {
  const found = valuesFor(projectPins, project)
  return found.find(({ mode }) => mode === 'hard') ?? found[0]
}

/** The pin that counts for a folder: that of its project before that of all. Pure. */
export function pinInForce(rules: PoolRules, project: ProjectKeys | undefined): Pin | undefined {
  const own = projectPinOf(rules, project)
  if (own !== undefined) return { ...own, scope: 'project' }
  return rules.pin === undefined ? undefined : { ...rules.pin, scope: 'global' }
}

/** The pins that name an account of these. Pure. */
export function pinsOf(
  { pin, projectPins = {}, sessionPins = {} }: PoolRules,
  isWanted: (uid: string) => boolean,
): Pick<PoolRules, 'pin' | 'projectPins' | 'sessionPins'> {
  const wanted = <Pin extends { uid: string }>(pins: Record<string, Pin>): Record<string, Pin> =>
    Object.fromEntries(Object.entries(pins).filter(([, { uid }]) => isWanted(uid)))
  return {
    ...(pin !== undefined && isWanted(pin.uid) ? { pin } : {}),
    projectPins: wanted(projectPins),
    sessionPins: wanted(sessionPins),
  }
}

/** The rules with another fence of a project, or with none; older keys of it go, the repository around it keeps its own. Pure. */
export function withFence(
  rules: PoolRules,
  project: ProjectKeys,
  uids: readonly string[] | undefined,
): PoolRules {
  const others = withoutKeys(rules.fences, project)
  return {
    ...rules,
    fences: uids === undefined ? others : { ...others, [project.key]: [...new Set(uids)] },
  }
}

/** The rules with another pin of a project, or with none; older keys of it and of the repository around it go. Pure. */
export function withProjectPin(
  rules: PoolRules,
  project: ProjectKeys,
  pin: PoolRules['pin'],
): PoolRules {
  const aliases = [...project.aliases, ...project.above]
  const others = withoutKeys(rules.projectPins, { ...project, aliases })
  return { ...rules, projectPins: pin === undefined ? others : { ...others, [project.key]: pin } }
}

function withoutKeys<Value>(
  record: Readonly<Record<string, Value>> | undefined,
  { key, aliases }: ProjectKeys,
): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(record ?? {}).filter(([one]) => one !== key && !aliases.includes(one)),
  )
}

function isEmptyRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/**
 * The accounts that a list of keys names: our own uid, `seat:["<accountId>","<accountUserId>"]`, or a bare account id,
 * which stands for every seat of that workspace (docs/development/facts/other-plugins.md#model-pools). Keys that name
 * nobody are left out. Pure.
 */
export function uidsOfKeys(keys: readonly string[], accounts: readonly Account[]): Set<string> {
  const wanted = new Set(keys)
  const named = accounts.filter(
    ({ uid, accountId, accountUserId }) =>
      wanted.has(uid) ||
      (accountId !== undefined &&
        (wanted.has(accountId) ||
          (accountUserId !== undefined && wanted.has(seatKey(accountId, accountUserId))))),
  )
  return new Set(named.map(({ uid }) => uid))
}

/** The key of one seat in a workspace, as the earlier plugin writes it into `modelAccountPools`. */
export function seatKey(accountId: string, accountUserId: string): string {
  return `seat:${JSON.stringify([accountId, accountUserId])}`
}
