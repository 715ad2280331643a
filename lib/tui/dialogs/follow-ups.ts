import type { Arguments } from './work.js'

/** What can be done with a result by one key. */
export interface FollowUp {
  readonly key: string
  readonly does: string
  readonly then:
    /** Runs a command and shows what it came to in place of this. */
    | { readonly kind: 'run'; readonly args: Arguments }
    /** Asks for a text, and runs the command with it. */
    | {
        readonly kind: 'ask'
        readonly title: string
        readonly placeholder: string
        readonly argsOf: (text: string) => Arguments
      }
    /** Lets the user choose what to import from. */
    | { readonly kind: 'sources'; readonly names: readonly string[] }
    /** Does something to an account that is chosen first, and shows this again. */
    | { readonly kind: 'account'; readonly act: AccountKey }
    /** Puts the removed account back. */
    | {
        readonly kind: 'undo'
        readonly index: number
        readonly name: string
        readonly backup: string
      }
}

/** What keys do to an account. */
export type AccountKey = 'switch' | 'pin' | 'toggle' | 'read' | 'label'

const ACCOUNT_KEYS: readonly FollowUp[] = [
  { key: 's', does: 'switch', then: { kind: 'account', act: 'switch' } },
  { key: 'p', does: 'pin', then: { kind: 'account', act: 'pin' } },
  { key: 'e', does: 'enable/disable', then: { kind: 'account', act: 'toggle' } },
  { key: 'l', does: 'name', then: { kind: 'account', act: 'label' } },
  { key: 'a', does: 'read limits', then: { kind: 'account', act: 'read' } },
]

/** Those that find an account to do something to. */
function accountKeys(accounts: number): readonly FollowUp[] {
  if (accounts === 0) return []
  return ACCOUNT_KEYS.filter(({ key }) => key !== 's' || accounts > 1)
}

/** The keys of a result; what takes something away or uses it up is offered behind its preview alone. Pure. */
export function followUps(name: string, args: Arguments, data: unknown): readonly FollowUp[] {
  const found = (typeof data === 'object' && data !== null ? data : {}) as Readonly<
    Record<string, unknown>
  >
  const run = (key: string, does: string, more: Arguments): FollowUp => ({
    key,
    does,
    then: { kind: 'run', args: { ...args, ...more } },
  })
  const yes = (does: string, more: Arguments = {}): FollowUp =>
    run('y', does, { ...more, confirm: true })
  const shown = rows(found.accounts).length
  // A result about one of several accounts shows that one.
  const least = args.account === undefined ? shown : Math.max(shown, 2)
  const accounts = typeof found.totalAccounts === 'number' ? found.totalAccounts : least
  switch (name) {
    case 'status':
      return accounts === 0
        ? []
        : [
            run('w', args.why === true ? 'without reasons' : 'why', { why: args.why !== true }),
            ...accountKeys(accounts),
          ]
    case 'limits':
    case 'list':
    case 'dashboard':
      return accountKeys(accounts)
    case 'remove':
      if (found.removed === false) return [yes('remove it')]
      return typeof found.backup === 'string' && args.purge !== true
        ? [
            {
              key: 'u',
              does: 'put it back',
              then: {
                kind: 'undo',
                index: Number(found.index),
                name: String(found.account),
                backup: found.backup,
              },
            },
          ]
        : []
    case 'warm':
      return rows(found.accounts).some(({ status }) => status === 'would_start')
        ? [yes('send them')]
        : []
    case 'reset':
      if (args.action !== 'consume')
        return Number(found.availableCount) > 0
          ? [run('x', 'redeem one', { action: 'consume' })]
          : []
      return found.result === null && args.confirm !== true ? [yes('redeem it')] : []
    case 'keychain':
      if (found.dryRun === true) return [yes('do it', { dryRun: false })]
      return [
        ...(found.storage === 'plain' && found.optedIn === true
          ? [run('m', 'migrate', { command: 'migrate', confirm: false })]
          : []),
        ...(found.storage === 'sealed'
          ? [run('b', 'roll back', { command: 'rollback', confirm: false })]
          : []),
      ]
    case 'import': {
      const isNamed = args.path !== undefined || args.from !== undefined
      const changes = Number(found.added) + Number(found.updated) + Number(found.removed)
      if (isNamed)
        return found.dryRun === true && changes > 0 ? [yes('import', { dryRun: false })] : []
      const names = [...new Set(rows(found.found).map(({ source }) => String(source)))]
      return [
        ...(names.length === 0
          ? []
          : [{ key: 'i', does: 'import', then: { kind: 'sources', names } } as const]),
        {
          key: 'f',
          does: 'from a file',
          then: {
            kind: 'ask',
            title: 'Import accounts',
            placeholder: 'path of an export or of a copy in the backups folder',
            argsOf: (path) => ({ path, dryRun: true }),
          },
        },
      ]
    }
    case 'pool':
      return [
        {
          key: 'f',
          does: 'fence this project',
          then: {
            kind: 'ask',
            title: 'Accounts that may serve this project',
            placeholder: '1, 2',
            argsOf: (text) => ({ action: 'fence', accounts: listOf(text) }),
          },
        },
        ...(Array.isArray(found.projectFence)
          ? [run('u', 'lift the fence', { action: 'unfence' })]
          : []),
      ]
    case 'doctor':
      return [run('f', 'fix', { fix: true })]
    case 'health':
      return accounts === 0 ? [] : [run('x', 'forget blocks', { clear: true })]
    default:
      return []
  }
}

function rows(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? (value as Readonly<Record<string, unknown>>[]) : []
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
