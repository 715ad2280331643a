/** Written by `npm run generate` from lib/tools. */
export const TOOL_SUMMARIES: Readonly<Record<string, string>> = {
  setup: 'Show what is set up and what is still to do.',
  help: 'Explain how accounts, limits, pins and backups work.',
  next: 'Name the one thing to do next.',
  list: 'List the ChatGPT accounts with their state and what is left of their limits.',
  switch: 'Make another account serve new sessions; pin it to keep it there, or lift a pin.',
  status:
    'Show which account serves, what is left, what is blocked until when, and why an account was chosen.',
  limits: 'Ask the backend what is left of each limit, when it resets, and whether it lasts.',
  dashboard: 'Show the whole pool at a glance: accounts, what is left, requests, and what to do.',
  warm: 'Open the 5-hour window of every idle account with one tiny request each; only with confirm, because it counts.',
  pool: 'Show which accounts are set aside for models, and fence this project off to some accounts.',
  reset: 'List banked resets of the limits of an account; redeem one only with confirm.',
  label: 'Give an account a name of your own; an empty label removes it.',
  tag: 'Set the tags of an account; an empty list removes them.',
  note: 'Write a note to an account; an empty note removes it.',
  remove: 'Remove an account from the pool; without confirm it only says what would happen.',
  refresh: 'Refresh the access tokens of one account or of all enabled ones.',
  toggle: 'Enable or disable an account; a disabled one serves no request until you enable it.',
  health:
    'Check that each account can still sign in and is served; a good answer lifts a block that is over.',
  metrics:
    'Show counters and the last requests of this OpenCode process, or export them with the quota of every account.',
  doctor:
    'Check storage, logins, permissions, configuration, ports and the network, and say what to do.',
  diag: 'Make a report for a bug, without tokens, addresses, prompts or answers.',
  diff: 'Compare two account or configuration files, without showing secrets.',
  export: 'Write the accounts with their tokens to a file, plain or encrypted.',
  import:
    'Take accounts over from a backup or from another program, from opencode-codex-auth also its configuration; without arguments it lists what is on this machine.',
  keychain:
    'Keep the tokens sealed with a key in the OS keychain: status, migrate or rollback; without confirm it only says what would happen.',
}

/** What the tools that do more than look can come to. */
export const TOOL_RISKS: Readonly<Record<string, 'edit' | 'spend' | 'secret' | 'destroy'>> = {
  switch: 'edit',
  warm: 'spend',
  pool: 'edit',
  reset: 'spend',
  label: 'edit',
  tag: 'edit',
  note: 'edit',
  remove: 'destroy',
  refresh: 'edit',
  toggle: 'edit',
  health: 'edit',
  doctor: 'edit',
  export: 'secret',
  import: 'secret',
  keychain: 'secret',
}
