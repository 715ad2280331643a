import type { Account, AccountPool } from '../accounts/account.js'
import { withAccount, withActive, withoutAccount } from '../accounts/edits.js'
import { accountName } from '../accounts/labels.js'
import type { ProjectKeys } from '../accounts/project/project.js'
import { pinInForce, rulesOf, withProjectPin, withRules } from '../accounts/rules.js'
import { restored } from '../accounts/restore.js'
import type { AccountStore } from '../accounts/store/store.js'
import { dropUndefined } from '../kernel/drop-undefined.js'
import { CodexError } from '../kernel/errors.js'
import { plainText } from '../kernel/text/plain-text.js'
import type { Pin } from '../routing/types.js'
import { findAccount } from './find-account.js'

/** Longest label and note that the earlier plugin takes, in characters. */
const MAX_LABEL = 60
const MAX_NOTE = 240

/** An account as people name it; its uid always fits. */
export type AccountRef = string | number

/** Everything that a person can do to an account. */
export type AccountAction =
  /** New sessions go there; lifts the pins in force here, which would send them elsewhere. */
  | { readonly do: 'switch'; readonly account: AccountRef }
  | ({ readonly do: 'pin'; readonly account: AccountRef } & Pick<Pin, 'mode' | 'scope'>)
  /** Without a scope: every pin in force here. */
  | { readonly do: 'unpin'; readonly scope?: Pin['scope'] | undefined }
  | { readonly do: 'enable' | 'disable' | 'toggle'; readonly account: AccountRef }
  /** An empty text takes away. */
  | { readonly do: 'label' | 'tag' | 'note'; readonly account: AccountRef; readonly text: string }
  | { readonly do: 'remove'; readonly account: AccountRef }
  /** Puts a removed account back from a copy of the pool. */
  | { readonly do: 'restore'; readonly uid: string; readonly copy: AccountPool }

/** What an action depends on beside the pool. */
interface ActionContext {
  readonly maskEmail: boolean
  readonly project: ProjectKeys | undefined
}

/** What became of it. */
export interface ActionResult {
  readonly pool: AccountPool
  /** From 1; null when the action is of no single account. */
  readonly index: number | null
  /** Number and name. */
  readonly account: string | null
  readonly changed: boolean
  /** For the user. */
  readonly message: string
}

/**
 * Carries an action out on a pool. Pure.
 * @throws CodexError `invalid_input` for an unknown account or a text too long, `account_not_allowed` for a disabled one
 */
function applyAction(
  pool: AccountPool,
  action: AccountAction,
  context: ActionContext,
): ActionResult {
  switch (action.do) {
    case 'unpin':
      return unpinned(pool, action.scope, context)
    case 'restore': {
      const after = restored(pool, action.copy, new Set([action.uid]))
      return resultOf(pool, after, action.uid, context, (name) =>
        after === pool ? `${name} is there already.` : `${name} is back.`,
      )
    }
    default: {
      const { account } = findAccount(pool, action.account, context.maskEmail)
      return actionOn(pool, account, action, context)
    }
  }
}

function actionOn(
  pool: AccountPool,
  account: Account,
  action: Exclude<AccountAction, { readonly do: 'unpin' | 'restore' }>,
  context: ActionContext,
): ActionResult {
  const { uid } = account
  const done = (after: AccountPool, say: (name: string) => string): ActionResult =>
    resultOf(pool, after, uid, context, say)
  const edited = (
    key: 'accountLabel' | 'accountNote' | 'accountTags',
    value: string | readonly string[],
    set: string,
    removed: string,
  ): ActionResult => {
    const stored = value.length === 0 ? undefined : value
    const after = withField(pool, account, key, stored)
    const said = stored === undefined ? removed : set
    return done(after, (name) => `${name}: ${after === pool ? 'nothing to change' : said}.`)
  }
  switch (action.do) {
    case 'switch': {
      const after = withActive(withoutPins(pool, undefined, context), servable(pool, uid, context))
      return done(after, (name) => `New sessions go to ${name}.`)
    }
    case 'pin': {
      const { mode, scope } = action
      const pinned = withPin(pool, scope, { uid, mode }, context)
      const after = withActive(pinned, servable(pool, uid, context))
      return done(after, (name) =>
        [`${name} is pinned (${scope}, ${mode}).`, ...otherPin(after, uid, context)].join(' '),
      )
    }
    case 'enable':
    case 'disable':
    case 'toggle': {
      const isOn = action.do === 'toggle' ? account.enabled === false : action.do === 'enable'
      // Like the earlier plugin, only "disabled" is written down.
      const after = withField(pool, account, 'enabled', isOn ? undefined : false)
      const when = after === pool ? 'already' : 'now'
      return done(after, (name) => `${name} is ${when} ${isOn ? 'enabled' : 'disabled'}.`)
    }
    case 'label': {
      const label = plainText(action.text).replace(/\s+/g, ' ').trim()
      checkLength('label', label, MAX_LABEL)
      return edited('accountLabel', label, 'label set', 'label removed')
    }
    case 'note': {
      const note = plainText(action.text).trim()
      checkLength('note', note, MAX_NOTE)
      return edited('accountNote', note, 'note saved', 'note removed')
    }
    case 'tag': {
      const tags = plainText(action.text)
        .split(',')
        .map((tag) => tag.trim().toLowerCase())
      const list = [...new Set(tags)].filter((tag) => tag !== '')
      return edited('accountTags', list, `tags ${list.join(', ')}`, 'tags removed')
    }
    case 'remove': {
      const { index, account: name } = located(pool, uid, context)
      const after = withoutAccount(pool, uid)
      const message = removedText(name ?? 'The account', after.accounts.length)
      return { pool: after, index, account: name, changed: true, message }
    }
  }
}

/**
 * Carries an action out on the pool on disk.
 * @param check throws for what may not be done to the pool that is really there
 * @returns with the copy of the file that was written first because an account left, or null
 * @throws CodexError as `applyAction`, and those of the store; nothing is changed then
 */
export async function performAction(
  target: {
    readonly store: AccountStore
    readonly config: { readonly maskEmail: boolean }
    readonly scope: { readonly project?: ProjectKeys }
  },
  action: AccountAction,
  check: (pool: AccountPool) => void = () => undefined,
): Promise<ActionResult & { readonly backup: string | null }> {
  const { store, config, scope } = target
  const context = { maskEmail: config.maskEmail, project: scope.project }
  const copies: string[] = []
  let result: ActionResult | undefined
  await store.update(
    (before) => {
      check(before)
      result = applyAction(before, action, context)
      return result.pool
    },
    (file) => void copies.push(file),
  )
  if (result === undefined) throw new CodexError('internal', 'The store changed nothing.')
  return { ...result, backup: copies.at(-1) ?? null }
}

function located(
  pool: AccountPool,
  uid: string,
  context: ActionContext,
): { readonly index: number | null; readonly account: string | null } {
  const position = pool.accounts.findIndex((account) => account.uid === uid)
  const account = pool.accounts[position]
  if (account === undefined) return { index: null, account: null }
  return { index: position + 1, account: accountName(account, position, context) }
}

function resultOf(
  before: AccountPool,
  pool: AccountPool,
  uid: string,
  context: ActionContext,
  say: (name: string) => string,
): ActionResult {
  const { index, account } = located(pool, uid, context)
  return { pool, index, account, changed: pool !== before, message: say(account ?? 'The account') }
}

/** The pool with a field of an account set or taken away; the same pool when that is so already. */
function withField(
  pool: AccountPool,
  account: Account,
  key: 'enabled' | 'accountLabel' | 'accountNote' | 'accountTags',
  value: string | readonly string[] | false | undefined,
): AccountPool {
  if (JSON.stringify(account[key]) === JSON.stringify(value)) return pool
  return withAccount(pool, account.uid, (one) => dropUndefined({ ...one, [key]: value }))
}

/** What a removal says, in whatever way it was asked for. */
export function removedText(name: string, left: number): string {
  return `${name} was removed; ${left} left.`
}

function checkLength(what: string, text: string, most: number): void {
  if (text.length > most)
    throw new CodexError(
      'invalid_input',
      `A ${what} has at most ${most} characters; this one has ${text.length}.`,
    )
}

/** @throws CodexError when the account is disabled: sending sessions there would help none of them */
function servable(pool: AccountPool, uid: string, context: ActionContext): string {
  const account = pool.accounts.find((one) => one.uid === uid)
  if (account?.enabled === false)
    throw new CodexError(
      'account_not_allowed',
      `${located(pool, uid, context).account} is disabled.`,
      { hint: 'Enable it first: {toggle NUMBER}' },
    )
  return uid
}

function withPin(
  pool: AccountPool,
  scope: Pin['scope'],
  pin: Omit<Pin, 'scope'> | undefined,
  { project }: ActionContext,
): AccountPool {
  const rules = rulesOf(pool)
  if (scope === 'global') return withRules(pool, { ...rules, pin })
  if (project === undefined)
    throw new CodexError(
      'invalid_input',
      'This folder belongs to no project, so a pin for the project has no place.',
    )
  return withRules(pool, withProjectPin(rules, project, pin))
}

/** The same pool when there is none to lift. */
function withoutPins(
  pool: AccountPool,
  scope: Pin['scope'] | undefined,
  context: ActionContext,
): AccountPool {
  const all =
    context.project === undefined ? (['global'] as const) : (['global', 'project'] as const)
  const scopes: readonly Pin['scope'][] = scope === undefined ? all : [scope]
  const after = scopes.reduce((next, one) => withPin(next, one, undefined, context), pool)
  return JSON.stringify(rulesOf(after)) === JSON.stringify(rulesOf(pool)) ? pool : after
}

function unpinned(
  pool: AccountPool,
  scope: Pin['scope'] | undefined,
  context: ActionContext,
): ActionResult {
  const after = withoutPins(pool, scope, context)
  const stays = otherPin(after, undefined, context)
  const said = after === pool ? 'There was no pin to lift.' : 'The pin is lifted.'
  return {
    pool: after,
    index: null,
    account: null,
    changed: after !== pool,
    message: [said, ...stays].join(' '),
  }
}

/** A sentence on a pin that still counts here and names another account. */
function otherPin(pool: AccountPool, uid: string | undefined, context: ActionContext): string[] {
  const pin = pinInForce(rulesOf(pool), context.project)
  const name = pin === undefined ? null : located(pool, pin.uid, context).account
  if (pin === undefined || pin.uid === uid || name === null) return []
  const where = pin.scope === 'project' ? 'in this project' : 'everywhere'
  return [`${name} stays pinned ${where}.`]
}
