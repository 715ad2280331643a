/** Where a text is read: on the screen of OpenCode, or in a terminal (`opencode run`, the command line, documents). */
export type Place = 'tui' | 'terminal'

/** The package need not be installed for the whole machine, so its name alone may be no command. */
const PROGRAM = 'npx oc-codex-multi-auth'

/** Commands that have a name of their own: on the screen, then in a terminal. */
const OWN_FORMS: Readonly<Record<string, readonly [tui: string, terminal: string]>> = {
  login: ['/connect', 'opencode auth login'],
  models: ['/models', 'opencode models'],
  accounts: ['/codex', `${PROGRAM} accounts`],
}

/** On the screen these are no commands, the first ones never, the second ones not with arguments: those name files. */
const IN_A_TERMINAL =
  /^(?:completion|config|install|personality|update|uninstall|logout|replay|simulate|doctor --drill|(?:login|export|import) )/

/** Commands that fetch the newest version first. */
const NEWEST: Readonly<Record<string, string>> = {
  install: 'npx -y oc-codex-multi-auth@latest',
  update: 'npx -y oc-codex-multi-auth@latest update',
}

/**
 * A command with what follows its name, on one line; braces in it come in pairs, and within quotes they are letters. Any
 * other word in braces stays as it is.
 */
const COMMAND =
  /\{(\/?(?:accounts|completion|config|dashboard|diag|diff|doctor|export|health|help|import|install|keychain|label|limits|list|login|logout|metrics|models|next|note|personality|pool|refresh|remove|replay|reset|setup|simulate|status|switch|tag|toggle|uninstall|update|warm)(?: (?:'[^'\n]*'|"[^"\n]*"|\\[^{}\n]|[^{}\n'"\\]|\{[^{}\n]*\})*)?)\}/g

/**
 * A text of ours with its commands as they work where it is read. In the text a command stands in a neutral form,
 * `{status --why}`; with a slash in front, `{/doctor}`, it is the one typed into OpenCode, wherever that is read. Pure;
 * applied twice it changes nothing more.
 */
export function commandsIn(text: string, place: Place): string {
  return text.includes('{')
    ? text.replace(COMMAND, (_whole, command: string) => commandAt(command, place))
    : text
}

function commandAt(command: string, place: Place): string {
  if (command.startsWith('/')) return `/codex-${command.slice(1)}`
  const isOnScreen = place === 'tui'
  const own = OWN_FORMS[command]
  if (own !== undefined) return isOnScreen ? own[0] : own[1]
  const typed = NEWEST[command] ?? `${PROGRAM} ${command}`
  if (!isOnScreen) return typed
  return IN_A_TERMINAL.test(command) ? `${typed} (in a terminal)` : `/codex-${command}`
}
