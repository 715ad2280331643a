import { TOOL_LIST } from '../slash-commands/tool-list.js'

/** The part of the host's merged configuration that says what a session may do (host facts §5). */
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
const HOST_AGENTS: Readonly<Record<string, Action>> = { build: 'allow', plan: 'allow', general: 'allow', explore: 'deny', compaction: 'deny', title: 'deny', summary: 'deny' }

const RISING = ['edit', 'spend', 'secret', 'destroy'] as const

/** The names of tools that can do more than look, each with what its calls can come to. */
const GUARDED = TOOL_LIST.flatMap(([name, , worst]) => (worst === 'read' ? [] : [{ id: `codex-${name}`, risks: RISING.slice(0, RISING.indexOf(worst) + 1) }]))

/**
 * Makes the host ask before a tool of ours does more than look. By itself it lets every unknown tool through, and a rule
 * `"*": "allow"` may come from a project; so the question is asked unless the user's own file names the tool. A refusal stays
 * a refusal, whoever wrote it.
 * @param config changed in place
 * @param userAllows whether the user's own configuration lets a tool through by its name
 */
export function askBeforeTools(config: HostPermissions, userAllows: (tool: string) => boolean): void {
  const common = rulesIn(config.permission)
  const agents = { ...Object.fromEntries(Object.keys(HOST_AGENTS).map((name) => [name, undefined])), ...config.agent }
  for (const [name, agent] of Object.entries(agents)) {
    const own = isRecord(agent) ? agent : {}
    const base: Rule = { permission: '*', pattern: '*', action: HOST_AGENTS[name] ?? 'allow' }
    config.agent = { ...config.agent, [name]: { ...own, permission: withGuards(own.permission, [base, ...common, ...rulesIn(own.permission)], userAllows) } }
  }
  // For agents that are not known here.
  config.permission = withGuards(config.permission, [{ permission: '*', pattern: '*', action: 'allow' }, ...common], userAllows)
}

/**
 * A permission with our rules behind all others, because the last that fits counts.
 * @param rules everything that counts so far
 */
function withGuards(permission: unknown, rules: readonly Rule[], userAllows: (tool: string) => boolean): Record<string, unknown> {
  const added = GUARDED.flatMap(({ id, risks }): [tool: string, rule: Action | Record<string, Action>][] => {
    const refused = risks.filter((risk) => actionOf(rules, id, risk) === 'deny')
    // Also said where it is so already: how the host reads a wildcard is its own affair.
    if (refused.length === risks.length) return [[id, 'deny']]
    if (userAllows(id)) return []
    return [[id, refused.length === 0 ? 'ask' : { '*': 'ask', ...Object.fromEntries(refused.map((risk) => [risk, 'deny' as const])) }]]
  })
  const kept = Object.entries(permissionObject(permission)).filter(([key]) => !added.some(([id]) => id === key))
  return Object.fromEntries([...kept, ...added])
}

/** True when some rule lets a tool of ours through by its name: the only case in which the user's own file has to be read. */
export function namesOurTools({ permission, agent }: HostPermissions): boolean {
  const all = [permission, ...Object.values(agent ?? {}).map((one) => (isRecord(one) ? one.permission : undefined))]
  return all.some((one) => rulesIn(one).some((rule) => rule.permission.includes('codex') && rule.action === 'allow'))
}

/** What a permission of the host's configuration says about a tool, when it names it (`codex-note`, `codex-*`); a bare `*` names nothing. */
export function allowsByName(permission: unknown, tool: string): boolean {
  const rules = rulesIn(permission).filter((rule) => rule.permission.includes('codex'))
  return actionOf(rules, tool, '*') === 'allow'
}

/** As the host decides: the last rule that fits; it asks when none does. */
function actionOf(rules: readonly Rule[], tool: string, risk: string): Action {
  return rules.findLast(({ permission, pattern }) => fits(permission, tool) && fits(pattern, risk))?.action ?? 'ask'
}

function rulesIn(permission: unknown): Rule[] {
  return Object.entries(permissionObject(permission)).flatMap(([name, value]) => {
    if (isAction(value)) return [{ permission: name, pattern: '*', action: value }]
    return isRecord(value) ? Object.entries(value).flatMap(([pattern, action]) => (isAction(action) ? [{ permission: name, pattern, action }] : [])) : []
  })
}

/** A single word stands for everything. */
function permissionObject(permission: unknown): Record<string, unknown> {
  return isRecord(permission) ? permission : isAction(permission) ? { '*': permission } : {}
}

/** `*` stands for any text, `?` for one character; a step back goes to the last star alone, so no pattern is slow. */
function fits(wildcard: string, text: string): boolean {
  let at = 0
  let star = -1
  let resume = 0
  for (let index = 0; index < text.length; ) {
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
