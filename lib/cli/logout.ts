import { readdir } from 'node:fs/promises'
import { parseArgs } from 'node:util'

import type { Account, AccountPool } from '../accounts/account.js'
import { withoutAccounts } from '../accounts/edits.js'
import { accountsInCopies, withoutUnreadableOf } from '../accounts/login-copies.js'
import { accountName } from '../accounts/labels.js'
import { type ReleasedEntry, releaseHostEntry } from '../auth/host-entry.js'
import { CodexError, WrongUsage } from '../kernel/errors.js'
import { sweepEverywhere } from '../kernel/temporaries.js'
import type { Runtime } from '../runtime.js'
import { findAccount } from '../tools/account-ref.js'
import { copiesLeftText, previewText, purge, purgePlan } from '../tools/purge.js'
import type { Command, CommandIo } from './io.js'
import { withRuntime } from './tool-command.js'

const HELP = `Usage: oc-codex-multi-auth logout <account> [options]
       oc-codex-multi-auth logout --all [options]

Removes the login of one account, or of all, from this machine. The account itself and its logins on other machines and
in other programs stay. A copy is written first, and the answer says how to undo it.
With --purge there is no undo: backups, files that were moved aside, journals, flagged accounts, temporary files and the
pools of projects lose that login too. It also works for an account that is logged out already (by its id or address).

  --all      every account
  --purge    clear every copy of the login on this machine for good
  --yes      do it without asking (also --confirm); needed where nobody can be asked
  --json     print the result as JSON
  --help     show this text

Exit code: 0 done or not wanted, 1 failed, 2 wrong usage or --yes is missing, 130 cancelled.
`

/** `needed` by another pool; `unwritable`: the accounts are logged out, and the entry stays. */
type HostEntry = ReleasedEntry | 'needed' | 'unwritable'

interface LogoutData {
  readonly accounts: readonly { readonly index: number; readonly account: string }[]
  readonly loggedOut: boolean
  readonly remaining: number
  /** Copy of the pool before; null when nothing was changed. */
  readonly backup: string | null
  /** OpenCode's own entry for openai; null while accounts are left. */
  readonly hostEntry: HostEntry | null
  readonly message: string
}

/** `logout`. Never speaks to the backend: a logout there ends logins elsewhere too. */
export const logoutCommand: Command = {
  name: 'logout',
  summary: 'Remove the login of an account from this machine.',
  async run(argv, io) {
    const boolean = { type: 'boolean' } as const
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        all: boolean,
        purge: boolean,
        yes: boolean,
        confirm: boolean,
        json: boolean,
        help: { ...boolean, short: 'h' },
      },
    })
    if (values.help) {
      io.stdout(HELP)
      return 0
    }
    const all = values.all === true
    const isPurge = values.purge === true
    const [wanted] = positionals
    if (positionals.length > 1 || (wanted !== undefined) === all)
      throw new WrongUsage(
        'Say which account to log out, or --all.',
        'The accounts: oc-codex-multi-auth list',
      )
    return withRuntime(io, async (runtime) => {
      const past =
        isPurge && wanted !== undefined ? await accountsInCopies(runtime.paths, wanted) : []
      const chosen = (pool: AccountPool): readonly Account[] => {
        if (isPurge && pool.accounts.length === 0 && (all || past.length > 0)) return []
        if (
          wanted !== undefined &&
          past.length > 0 &&
          !pool.accounts.some(({ uid }) => past.some((one) => one.uid === uid))
        )
          return []
        if (wanted !== undefined)
          return [findAccount(pool, wanted, runtime.config.maskEmail).account]
        if (pool.accounts.length === 0)
          throw new CodexError('no_accounts', 'No ChatGPT account is signed in.', { hint: '' })
        return pool.accounts
      }
      const show = (data: LogoutData): void =>
        io.stdout(values.json ? `${JSON.stringify(data, undefined, 2)}\n` : `${data.message}\n`)
      const before = await runtime.store.read()
      const plain = previewOf(runtime, before, chosen(before))
      const logins = [...chosen(before), ...past]
      const preview = isPurge
        ? {
            ...plain,
            message:
              `${plain.message}\n${previewText(await purgePlan(runtime, logins, all))}\n`.trimStart(),
          }
        : plain
      if (values.yes !== true && values.confirm !== true) {
        const answer = values.json ? undefined : await askToLogOut(io, preview)
        if (answer === undefined) {
          show({
            ...preview,
            message: `${preview.message} Nothing was changed; say --yes to do it.`,
          })
          return 2
        }
        if (!/^y(es)?$/i.test(answer.trim())) {
          io.stdout('Nothing was changed.\n')
          return 0
        }
      }
      show(await logOut(runtime, chosen, isPurge ? { past, all } : undefined))
      return 0
    })
  },
}

async function askToLogOut(io: CommandIo, preview: LogoutData): Promise<string | undefined> {
  return io.ask(`${preview.message} Go on? [y/N] `)
}

function previewOf(runtime: Runtime, pool: AccountPool, accounts: readonly Account[]): LogoutData {
  const rows = rowsOf(runtime, pool, accounts)
  const remaining = pool.accounts.length - accounts.length
  const last = remaining === 0 ? ' No account is left then.' : ''
  return {
    accounts: rows,
    loggedOut: false,
    remaining,
    backup: null,
    hostEntry: null,
    message:
      rows.length === 0
        ? 'No such account is signed in any more.'
        : `${listed(rows)} would be logged out on this machine.${last}`,
  }
}

/**
 * Logs accounts out in one step.
 * @param chosen picks them from the pool that is really on disk
 */
async function logOut(
  runtime: Runtime,
  chosen: (pool: AccountPool) => readonly Account[],
  purging?: { readonly past: readonly Account[]; readonly all: boolean },
): Promise<LogoutData> {
  let rows: LogoutData['accounts'] = []
  let gone: readonly Account[] = []
  const copies: string[] = []
  const pool = await runtime.store.update(
    (before) => {
      const accounts = chosen(before)
      rows = rowsOf(runtime, before, accounts)
      gone = accounts
      const after = withoutAccounts(before, new Set(accounts.map(({ uid }) => uid)))
      return purging === undefined
        ? after
        : withoutUnreadableOf(after, purging.all ? undefined : [...accounts, ...purging.past])
    },
    (file) => void copies.push(file),
  )
  const backup = purging === undefined ? (copies.at(-1) ?? null) : null
  const remaining = pool.accounts.length
  const hostEntry =
    remaining > 0
      ? null
      : (await isLastPool(runtime))
        ? await releaseHostEntry(runtime.paths.hostAuthFile).catch(() => 'unwritable' as const)
        : 'needed'
  const cleared =
    purging === undefined ? [] : await purge(runtime, [...gone, ...purging.past], purging.all)
  if (purging === undefined) await sweepEverywhere(runtime.paths, runtime.clock.now())
  const left =
    purging === undefined ? await copiesLeftText(runtime, gone, purgeCommand(gone, remaining)) : ''
  const lines = [
    ...(rows.length === 0
      ? []
      : [
          `${listed(rows)} ${rows.length === 1 ? 'is' : 'are'} logged out on this machine; ${remaining} left.`,
        ]),
    ...cleared,
    ...(hostEntry === null ? [] : [entryText(hostEntry)]),
    ...(left === '' ? [] : [left]),
    ...(backup === null ? [] : [`Undo: oc-codex-multi-auth import ${shellWord(backup)}`]),
  ]
  return {
    accounts: rows,
    loggedOut: true,
    remaining,
    backup,
    hostEntry,
    message: lines.join('\n'),
  }
}

/** The command that clears what stays after a logout. */
function purgeCommand(gone: readonly Account[], remaining: number): string {
  const [only] = gone
  return `oc-codex-multi-auth logout ${gone.length === 1 && remaining > 0 && only !== undefined ? shellWord(only.uid) : '--all'} --purge`
}

/** Another pool, global or of a project, still needs OpenCode to ask the plugin. */
async function isLastPool({ scope, paths }: Runtime): Promise<boolean> {
  return scope.kind === 'global' && (await readdir(paths.projectsDir).catch(() => [])).length === 0
}

function entryText(entry: HostEntry): string {
  switch (entry) {
    case 'needed':
      return 'OpenCode’s entry for openai stays: another pool of this plugin uses it.'
    case 'removed':
      return 'OpenCode’s own entry for openai was ours and is removed too; the next login puts it back.'
    case 'absent':
      return 'OpenCode has no entry for openai.'
    case 'foreign':
      return 'OpenCode’s own login for openai is not ours and stays; to end it: opencode auth logout'
    case 'unwritable':
      return 'OpenCode’s login file could not be written, so our entry for openai stays; to end it: opencode auth logout'
    case 'unreadable':
      return 'OpenCode’s login file could not be read, so its entry for openai stays; to end it: opencode auth logout'
  }
}

function rowsOf(
  runtime: Runtime,
  pool: AccountPool,
  accounts: readonly Account[],
): LogoutData['accounts'] {
  const positions = new Map(pool.accounts.map((account, position) => [account, position]))
  return accounts.map((account) => {
    const position = positions.get(account) ?? -1
    return { index: position + 1, account: accountName(account, position, runtime.config) }
  })
}

function listed(rows: LogoutData['accounts']): string {
  return rows.map(({ account }) => account).join(', ')
}

/** A path as it can be typed into a shell. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
