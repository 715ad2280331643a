import { isRecord } from '../kernel/text/json.js'
import { TOOL_RISKS } from '../slash-commands/tool-list.js'

/**
 * The part of the host's merged configuration that says what a session may do
 * (docs/development/facts/opencode-host.md#tools).
 */
export interface HostPermissions {
  permission?: unknown
  agent?: Record<string, unknown>
}

type Action = 'allow' | 'ask' | 'deny'
interface Rule {
  readonly permission: string
  readonly pattern: string
  readonly action: Action
}

/** What the host's own agents may do with a tool it does not know; any other agent is like `build`. */
const HOST_AGENTS: Readonly<Record<string, Action>> = {
  build: 'allow',
  plan: 'allow',
  general: 'allow',
  explore: 'deny',
  compaction: 'deny',
  title: 'deny',
  summary: 'deny',
}

const RISING = ['edit', 'spend', 'secret', 'destroy'] as const

/** A tool that a setting of its own adds, and no list holds. */
const OPTIONAL_RISKS = { personality: 'edit' } as const

/** The names of tools that can do more than look, each with what its calls can come to. */
const GUARDED = Object.entries({ ...TOOL_RISKS, ...OPTIONAL_RISKS }).map(([name, worst]) => ({
  id: `codex-${name}`,
  risks: RISING.slice(0, RISING.indexOf(worst) + 1),
}))

/** Whether the user's own configuration lets calls of a tool that can come to this through, by the name of the tool. */
export type UserAllowance = (tool: string, risk: string) => boolean

/**
 * Makes the host ask before a tool of ours does more than look, and keeps it so: what other plugins change in the
 * configuration after us is checked again whenever it is read, with the agents they add.
 * @param config changed in place
 */
export function askBeforeTools(config: HostPermissions, userAllows: UserAllowance): void {
  const held: HostPermissions = { ...config }
  putGuards(held, userAllows)
  for (const key of ['permission', 'agent'] as const) {
    Object.defineProperty(config, key, {
      enumerable: true,
      configurable: true,
      get() {
        putGuards(held, userAllows)
        return held[key]
      },
      set(value: never) {
        held[key] = value
      },
    })
  }
}

/**
 * The host by itself lets every unknown tool through, and a rule `"*": "allow"` may come from a project; so the question is
 * asked unless the user's own configuration names the tool. A refusal stays a refusal, whoever wrote it. What is as it should
 * be stays the same object, because others may hold it.
 */
function putGuards(config: HostPermissions, userAllows: UserAllowance): void {
  const common = rulesIn(config.permission)
  const agents = isRecord(config.agent) ? config.agent : {}
  for (const name of new Set([...Object.keys(HOST_AGENTS), ...Object.keys(agents)])) {
    const own = isRecord(agents[name]) ? agents[name] : {}
    const base = rulesIn(HOST_AGENTS[name] ?? 'allow')
    const rules = [...base, ...common, ...rulesIn(own.permission)]
    const permission = withGuards(own.permission, rules, userAllows)
    if (permission !== own.permission) agents[name] = { ...own, permission }
  }
  config.agent = agents
  // For agents that are not known here.
  config.permission = withGuards(config.permission, [...rulesIn('allow'), ...common], userAllows)
}

/**
 * A permission with our rules behind all others, because the last that fits counts; the same object where nothing changes.
 * @param rules everything that counts so far
 */
function withGuards(
  permission: unknown,
  rules: readonly Rule[],
  userAllows: UserAllowance,
): unknown {
  const added = GUARDED.flatMap(
    ({ id, risks }): [tool: string, rule: Action | Record<string, Action>][] => {
      const wanted = risks.map((risk): [risk: string, action: Action] => {
        const action = actionOf(rules, id, risk)
        return [risk, action === 'allow' && !userAllows(id, risk) ? 'ask' : action]
      })
      const [first, ...others] = new Set(wanted.map(([, action]) => action))
      if (first === undefined) return []
      // What the user's own configuration allows as a whole needs no rule of ours.
      if (others.length === 0) return first === 'allow' ? [] : [[id, first]]
      const told = wanted.filter(([, action]) => action !== 'ask')
      return [[id, { '*': 'ask', ...Object.fromEntries(told) }]]
    },
  )
  const kept = Object.entries(permissionObject(permission)).filter(
    ([key]) => !added.some(([id]) => id === key),
  )
  const guarded = Object.fromEntries([...kept, ...added])
  return JSON.stringify(guarded) === JSON.stringify(permission) ? permission : guarded
}

/** True when some rule lets a tool of ours through by its name: the only case in which the user's own file has to be read. */
export function namesOurTools({ permission, agent }: HostPermissions): boolean {
  const all = [
    permission,
    ...Object.values(agent ?? {}).map((one) => (isRecord(one) ? one.permission : undefined)),
  ]
  return all.some((one) =>
    rulesIn(one).some((rule) => rule.permission.includes('codex') && rule.action === 'allow'),
  )
}

/**
 * Whether permissions, the later before the earlier, let a tool through by its name (`codex-note`, `codex-*`); a bare `*` names
 * nothing. Pure.
 */
export function allowsByName(permissions: readonly unknown[], tool: string, risk: string): boolean {
  const rules = permissions.flatMap(rulesIn).filter((rule) => rule.permission.includes('codex'))
  return actionOf(rules, tool, risk) === 'allow'
}

/** As the host decides: the last rule that fits; it asks when none does. */
function actionOf(rules: readonly Rule[], tool: string, risk: string): Action {
  return (
    rules.findLast(({ permission, pattern }) => fits(permission, tool) && fits(pattern, risk))
      ?.action ?? 'ask'
  )
}

function rulesIn(permission: unknown): Rule[] {
  return Object.entries(permissionObject(permission)).flatMap(([name, value]) => {
    return Object.entries(permissionObject(value)).flatMap(([pattern, action]) =>
      isAction(action) ? [{ permission: name, pattern, action }] : [],
    )
  })
}

/** A single word stands for everything. */
function permissionObject(permission: unknown): Record<string, unknown> {
  if (isRecord(permission)) return permission
  return isAction(permission) ? { '*': permission } : {}
}

/** `*` stands for any text, `?` for one character; a step back goes to the last star alone, so no pattern is slow. */
function fits(wildcard: string, text: string): boolean {
  let at = 0
  let star = -1
  let resume = 0
  for (let index = 0; index < text.length;) {
    if (wildcard[at] === '*') {
      star = at
      resume = index
      at += 1
    } else if (wildcard[at] === '?' || wildcard[at] === text[index]) {
      at += 1
      index += 1
    } else if (star >= 0) {
      at = star + 1
      resume += 1
      index = resume
    } else return false
  }
  return /^\**$/.test(wildcard.slice(at))
}

function isAction(value: unknown): value is Action {
  return value === 'allow' || value === 'ask' || value === 'deny'
}
