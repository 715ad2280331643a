import type { AuthOAuthResult } from '@opencode-ai/plugin'

import { CodexError } from '../kernel/errors.js'
import type { HostPort } from '../kernel/host-port.js'
import { commandsIn } from '../kernel/text/command-words.js'
import { hostEntryOf } from './host-entry.js'
import { MANAGED_AUTH } from './managed-entry.js'

/** What the user types to get the menu. */
const COMMAND = commandsIn('{accounts}', 'terminal')

export interface ManageDeps {
  readonly host: HostPort
  /** OpenCode's own login file. */
  readonly hostAuthFile: string
  readonly hasAccounts: () => Promise<boolean>
  /** Arguments of the running program, and whether it has the terminal to itself. */
  readonly argv: readonly string[]
  readonly isTerminal: boolean
  /** Runs the menu to its end. */
  readonly runMenu: () => Promise<void>
}

/**
 * "Manage ChatGPT accounts" among the login methods. In `opencode auth login` on a terminal the menu runs right there;
 * elsewhere (the TUI owns its screen, a pipe has none) the user is told the command.
 * The host takes every method for a login, so the answer is the entry that is there already.
 */
export async function manageAccounts(deps: ManageDeps): Promise<AuthOAuthResult> {
  const isHere = deps.isTerminal && isLoginCommand(deps.argv)
  if (isHere) await deps.runMenu()
  else
    deps.host.toast({
      variant: 'info',
      title: 'Codex accounts',
      message: `Run in a terminal: ${COMMAND}`,
      durationMs: 15_000,
    })
  return {
    method: 'auto',
    url: '',
    instructions: isHere ? 'The accounts are as you left them.' : `Run in a terminal: ${COMMAND}`,
    async callback() {
      if (!(await deps.hasAccounts()))
        throw new CodexError('no_accounts', 'No ChatGPT account is signed in.', { hint: '' })
      const entry = await hostEntryOf(deps.hostAuthFile)
      // Success is written over the entry: a login of the host's own must not end because the user looked at ours.
      if (entry === 'foreign' || entry === 'unreadable')
        throw new CodexError('login_cancelled', 'Nothing was changed in OpenCode’s own login.', {
          hint: '',
        })
      return { ...MANAGED_AUTH, type: 'success' }
    },
  }
}

/** True for `opencode auth login` and its other name: the TUI and the server list the same methods. */
export function isLoginCommand(argv: readonly string[]): boolean {
  return argv.some(
    (word, index) => (word === 'auth' || word === 'providers') && argv[index + 1] === 'login',
  )
}
