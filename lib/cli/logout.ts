import { readdir } from 'node:fs/promises'

import type { Account, AccountPool } from '../accounts/account.js'
import { accountsInCopies } from '../accounts/store/credential-copies.js'
import { type ReleasedEntry, releaseHostEntry } from '../login/host-entry.js'
import { CodexError, WrongUsage } from '../kernel/errors.js'
import { shellHere, shellWord } from '../kernel/text/shell-quote.js'
import type { Runtime } from '../runtime.js'
import { findAccount } from '../account-view/find-account.js'
import {
  type NamedAccount,
  previewRemoval,
  type Removal,
  type RemovalRequest,
  removeAccounts,
} from '../tools/accounts/removal.js'
import { defineCommand, jsonText } from './command.js'
import { withRuntime } from './tool-command.js'

const HELP = `Usage: oc-codex-multi-auth logout <account> [options]
       oc-codex-multi-auth logout --all [options]

Removes the login of one account, or of all, from this machine. The account itself and its logins on other machines and
in other programs stay. A copy is written first, and the answer says how to undo it.
With --purge there is no undo: backups, files that were moved aside, journals, flagged accounts, temporary files and the
pools of projects lose that login too. It also works for an account that is logged out already (by its id or address).

  --all      every account
  --purge    clear every copy of the login on this machine for good
  --yes      log out without asking (also --confirm); without a terminal, or with --json, only this logs out
  --json     print the result as JSON
  --help     show this text

Exit code: 0 done or not wanted, 1 failed, 2 wrong usage or --yes is missing, 130 cancelled.
`

/** `needed` by another pool; `unwritable`: the accounts are logged out, and the entry stays. */
type HostEntry = ReleasedEntry | 'needed' | 'unwritable'

interface LogoutData {
  readonly accounts: readonly NamedAccount[]
  readonly loggedOut: boolean
  readonly remaining: number
  /** Copy of the pool before; null when nothing was changed. */
  readonly backup: string | null
  /** OpenCode's own entry for openai; null while accounts are left. */
  readonly hostEntry: HostEntry | null
  readonly message: string
}

/** `logout`. Never speaks to the backend: a logout there ends logins elsewhere too. */
export const logoutCommand = defineCommand({
  name: 'logout',
  summary: 'Remove the login of an account from this machine.',
  help: HELP,
  options: {
    all: { type: 'boolean' },
    purge: { type: 'boolean' },
    yes: { type: 'boolean' },
    confirm: { type: 'boolean' },
  },
  takesWords: (given) => (given.length === 0 ? [{ kind: 'account' }] : []),
  async run(values, io, words) {
    const { all = false, purge: isPurge = false } = values
    const [wanted] = words
    if (words.length > 1 || (wanted !== undefined) === all)
      throw new WrongUsage('Say which account to log out, or --all.', 'The accounts: {list}')
    return withRuntime(io, async (runtime) => {
      const past =
        isPurge && wanted !== undefined ? await accountsInCopies(runtime.paths, wanted) : []
      const chosen = (pool: AccountPool): readonly Account[] => {
        const isEmpty = pool.accounts.length === 0
        const isHere = ({ uid }: Account): boolean => pool.accounts.some((one) => one.uid === uid)
        if (isPurge && isEmpty && (all || past.length > 0)) return []
        if (wanted !== undefined)
          return past.length > 0 && !past.some(isHere)
            ? []
            : [findAccount(pool, wanted, runtime.config.maskEmail).account]
        if (isEmpty)
          throw new CodexError('no_accounts', 'No ChatGPT account is signed in.', { hint: '' })
        return pool.accounts
      }
      const request = { pick: chosen, purge: isPurge ? { everything: all, past } : undefined }
      const show = (data: LogoutData): void =>
        io.stdout(values.json ? jsonText(data, 2) : `${data.message}\n`)
      if (values.yes !== true && values.confirm !== true) {
        const preview = previewOf(
          await previewRemoval(runtime, await runtime.store.read(), request),
        )
        const question = `${preview.message} Continue? [y/N] `
        const answer = values.json ? undefined : await io.ask(question)
        if (answer === undefined) {
          const message = `${preview.message} Nothing was changed; pass --yes to log out.`
          show({ ...preview, message })
          return 2
        }
        if (!/^y(es)?$/i.test(answer.trim())) {
          io.stdout('Nothing was changed.\n')
          return 0
        }
      }
      show(await logOut(runtime, request))
      return 0
    })
  },
})

function previewOf({ accounts, remaining, copies }: Removal): LogoutData {
  const last = remaining === 0 ? ' No account is left then.' : ''
  const text =
    accounts.length === 0
      ? 'That account is no longer signed in.'
      : `${listed(accounts)} would be logged out on this machine.${last}`
  const message = copies.length === 0 ? text : `${[text, ...copies].join('\n')}\n`
  return { accounts, loggedOut: false, remaining, backup: null, hostEntry: null, message }
}

async function logOut(runtime: Runtime, request: RemovalRequest): Promise<LogoutData> {
  const { accounts, remaining, backup, copies } = await removeAccounts(runtime, request)
  const hostEntry = remaining > 0 ? null : await releaseEntry(runtime)
  const message = [
    ...(accounts.length === 0
      ? []
      : [
          `${listed(accounts)} ${accounts.length === 1 ? 'is' : 'are'} logged out on this machine; ${remaining} left.`,
        ]),
    ...copies,
    ...(hostEntry === null ? [] : [ENTRY_TEXTS[hostEntry]]),
    ...(backup === null ? [] : [`Undo: {import ${shellWord(backup, shellHere(runtime.env))}}`]),
  ].join('\n')
  return { accounts, loggedOut: true, remaining, backup, hostEntry, message }
}

async function releaseEntry(runtime: Runtime): Promise<HostEntry> {
  if (!(await isLastPool(runtime))) return 'needed'
  return releaseHostEntry(runtime.paths.hostAuthFile).catch(() => 'unwritable' as const)
}

/** Another pool, global or of a project, still needs OpenCode to ask the plugin. */
async function isLastPool({ scope, paths }: Runtime): Promise<boolean> {
  return scope.kind === 'global' && (await readdir(paths.projectsDir).catch(() => [])).length === 0
}

const ENTRY_TEXTS: Readonly<Record<HostEntry, string>> = {
  needed: 'OpenCode’s entry for openai stays: another pool of this plugin uses it.',
  removed:
    'OpenCode’s entry for openai came from this plugin and was removed too; the next login puts it back.',
  absent: 'OpenCode has no entry for openai.',
  foreign: 'OpenCode’s own login for openai is not ours and stays; to end it: opencode auth logout',
  unwritable:
    'OpenCode’s login file could not be written, so our entry for openai stays; to end it: opencode auth logout',
  unreadable:
    'OpenCode’s login file could not be read, so its entry for openai stays; to end it: opencode auth logout',
}

function listed(accounts: readonly NamedAccount[]): string {
  return accounts.map(({ account }) => account).join(', ')
}
