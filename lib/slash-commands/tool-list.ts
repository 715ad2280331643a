/** Written by `npm run generate` from lib/tools. */
export const TOOL_LIST: readonly (readonly [
  name: string,
  summary: string,
  risk: 'read' | 'edit' | 'spend' | 'secret' | 'destroy',
])[] = [
  ['setup', 'Show what is set up and what is still to do.', 'read'],
  ['help', 'Explain how accounts, limits, pins and backups work.', 'read'],
  ['next', 'Name the one thing to do next.', 'read'],
  ['list', 'List the ChatGPT accounts with their state and what is left of their limits.', 'read'],
  [
    'switch',
    'Make another account serve new sessions; pin it to keep it there, or lift a pin.',
    'edit',
  ],
  [
    'status',
    'Show which account serves, what is left, what is blocked until when, and why an account was chosen.',
    'read',
  ],
  [
    'limits',
    'Ask the backend what is left of each limit, when it resets, and whether it lasts.',
    'read',
  ],
  [
    'dashboard',
    'Show the whole pool at a glance: accounts, what is left, requests, and what to do.',
    'read',
  ],
  [
    'warm',
    'Open the 5-hour window of every idle account with one tiny request each; only with confirm, because it counts.',
    'spend',
  ],
  [
    'pool',
    'Show which accounts are set aside for models, and fence this project off to some accounts.',
    'edit',
  ],
  [
    'reset',
    'List banked resets of the limits of an account; redeem one only with confirm.',
    'spend',
  ],
  ['label', 'Give an account a name of your own; an empty label removes it.', 'edit'],
  ['tag', 'Set the tags of an account; an empty list removes them.', 'edit'],
  ['note', 'Write a note to an account; an empty note removes it.', 'edit'],
  [
    'remove',
    'Remove an account from the pool; without confirm it only says what would happen.',
    'destroy',
  ],
  ['refresh', 'Refresh the access tokens of one account or of all enabled ones.', 'edit'],
  [
    'toggle',
    'Enable or disable an account; a disabled one serves no request until you enable it.',
    'edit',
  ],
  [
    'health',
    'Check that each account can still sign in and is served; a good answer lifts a block that is over.',
    'edit',
  ],
  [
    'metrics',
    'Show counters and the last requests of this OpenCode process, or export them with the quota of every account.',
    'read',
  ],
  [
    'doctor',
    'Check storage, logins, permissions, configuration, ports and the network, and say what to do.',
    'edit',
  ],
  ['diag', 'Make a report for a bug, without tokens, addresses, prompts or answers.', 'read'],
  ['diff', 'Compare two account or configuration files, without showing secrets.', 'read'],
  ['export', 'Write the accounts with their tokens to a file, plain or encrypted.', 'secret'],
  [
    'import',
    'Take accounts over from a backup or from another program; without arguments it lists what is on this machine.',
    'secret',
  ],
  [
    'keychain',
    'Keep the tokens sealed with a key in the OS keychain: status, migrate or rollback; without confirm it only says what would happen.',
    'secret',
  ],
]
