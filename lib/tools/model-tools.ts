import type { ModelTool } from './host-tools.js'

/** Written by `npm run generate` from the tools of this folder, with their arguments as JSON Schemas. */
export const MODEL_TOOLS: readonly ModelTool[] = [
  {
    name: 'setup',
    summary: 'Show what is set up and what is still to do.',
    risk: 'read',
    args: { json: { type: 'boolean' } },
    required: [],
  },
  {
    name: 'help',
    summary: 'Explain how accounts, limits, pins and backups work.',
    risk: 'read',
    args: {
      topic: { type: 'string', description: 'setup, switch, limits, pools, health, backup' },
      json: { type: 'boolean' },
    },
    required: [],
  },
  {
    name: 'next',
    summary: 'Name the one thing to do next.',
    risk: 'read',
    args: { json: { type: 'boolean' } },
    required: [],
  },
  {
    name: 'list',
    summary: 'List the ChatGPT accounts with their state and what is left of their limits.',
    risk: 'read',
    args: {
      tag: { type: 'string', description: 'only accounts with this tag' },
      json: { type: 'boolean' },
    },
    required: [],
  },
  {
    name: 'switch',
    summary: 'Make another account serve new sessions; pin it to keep it there, or lift a pin.',
    risk: 'edit',
    core: true,
    args: {
      account: {
        description: 'number, label, e-mail address or start of the id',
        type: ['string', 'number'],
      },
      pin: {
        type: 'string',
        enum: ['none', 'soft', 'hard'],
        description:
          'soft: others help out when it cannot serve; hard: no other serves; none: no pin',
      },
      scope: { type: 'string', enum: ['global', 'project'], description: 'where the pin counts' },
    },
    required: [],
  },
  {
    name: 'status',
    summary:
      'Show which account serves, what is left, what is blocked until when, and why an account was chosen.',
    risk: 'read',
    core: true,
    args: { why: { type: 'boolean', description: 'add the last decisions and their reasons' } },
    required: [],
  },
  {
    name: 'limits',
    summary: 'Ask the backend what is left of each limit, when it resets, and whether it lasts.',
    risk: 'read',
    core: true,
    args: {
      account: {
        description: 'number, label, e-mail address or start of the id',
        type: ['string', 'number'],
      },
      cached: { type: 'boolean', description: 'show what is known without asking the backend' },
    },
    required: [],
  },
  {
    name: 'dashboard',
    summary: 'Show the whole pool at a glance: accounts, what is left, requests, and what to do.',
    risk: 'read',
    args: { json: { type: 'boolean' } },
    required: [],
  },
  {
    name: 'warm',
    summary:
      'Open the 5-hour window of every idle account with one tiny request each; only with confirm, because it counts.',
    risk: 'spend',
    args: { json: { type: 'boolean' } },
    required: [],
  },
  {
    name: 'pool',
    summary:
      'Show which accounts are set aside for models, and fence this project off to some accounts.',
    risk: 'edit',
    args: {
      action: {
        type: 'string',
        enum: ['status', 'fence', 'unfence'],
        description: 'fence: only the named accounts serve this project',
      },
      accounts: {
        type: 'array',
        items: {
          description: 'number, label, e-mail address or start of the id',
          type: ['string', 'number'],
        },
        description: 'for fence: the accounts that may serve',
      },
      json: { type: 'boolean' },
    },
    required: [],
  },
  {
    name: 'reset',
    summary: 'List banked resets of the limits of an account; redeem one only with confirm.',
    risk: 'spend',
    args: {
      account: { description: 'default: the active account', type: ['string', 'number'] },
      action: { type: 'string', enum: ['status', 'consume'] },
      creditId: { type: 'string', description: 'default: the one that expires first' },
      json: { type: 'boolean' },
    },
    required: [],
  },
  {
    name: 'label',
    summary: 'Give an account a name of your own; an empty label removes it.',
    risk: 'edit',
    args: {
      account: {
        description: 'number, label, e-mail address or start of the id',
        type: ['string', 'number'],
      },
      label: { type: 'string', description: 'the name; "" removes it' },
      json: { type: 'boolean' },
    },
    required: ['account', 'label'],
  },
  {
    name: 'tag',
    summary: 'Set the tags of an account; an empty list removes them.',
    risk: 'edit',
    args: {
      account: {
        description: 'number, label, e-mail address or start of the id',
        type: ['string', 'number'],
      },
      tags: { type: 'string', description: 'comma-separated; "" removes all' },
      json: { type: 'boolean' },
    },
    required: ['account', 'tags'],
  },
  {
    name: 'note',
    summary: 'Write a note to an account; an empty note removes it.',
    risk: 'edit',
    args: {
      account: {
        description: 'number, label, e-mail address or start of the id',
        type: ['string', 'number'],
      },
      note: { type: 'string', description: 'the text; "" removes it' },
      json: { type: 'boolean' },
    },
    required: ['account', 'note'],
  },
  {
    name: 'remove',
    summary: 'Remove an account from the pool; without confirm it only says what would happen.',
    risk: 'destroy',
    args: {
      account: {
        description: 'number, label, e-mail address or start of the id',
        type: ['string', 'number'],
      },
      json: { type: 'boolean' },
    },
    required: ['account'],
  },
  {
    name: 'refresh',
    summary: 'Refresh the access tokens of one account or of all enabled ones.',
    risk: 'edit',
    args: {
      account: {
        description: 'number, label, e-mail address or start of the id',
        type: ['string', 'number'],
      },
      json: { type: 'boolean' },
    },
    required: [],
  },
  {
    name: 'toggle',
    summary: 'Enable or disable an account; a disabled one serves no request until you enable it.',
    risk: 'edit',
    args: {
      account: {
        description: 'number, label, e-mail address or start of the id',
        type: ['string', 'number'],
      },
      enabled: { type: 'boolean', description: 'the state wanted; without it the other one' },
      json: { type: 'boolean' },
    },
    required: ['account'],
  },
  {
    name: 'health',
    summary:
      'Check that each account can still sign in and is served; a good answer lifts a block that is over.',
    risk: 'edit',
    args: {
      clear: {
        type: 'boolean',
        description: 'forget blocks first, so that every account is tried again',
      },
      json: { type: 'boolean' },
    },
    required: [],
  },
  {
    name: 'metrics',
    summary:
      'Show counters and the last requests of this OpenCode process, or export them with the quota of every account.',
    risk: 'read',
    args: {
      constants: { type: 'boolean', description: 'Show the numbers of every policy.' },
      format: {
        type: 'string',
        enum: ['prometheus', 'otlp-json'],
        description: 'print for another program, with the quota of every account',
      },
      json: { type: 'boolean' },
    },
    required: [],
  },
  {
    name: 'doctor',
    summary:
      'Check storage, logins, permissions, configuration, ports and the network, and say what to do.',
    risk: 'edit',
    args: {
      fix: { type: 'boolean', description: 'fix what can be fixed without harm' },
      json: { type: 'boolean' },
    },
    required: [],
  },
  {
    name: 'diag',
    summary: 'Make a report for a bug, without tokens, addresses, prompts or answers.',
    risk: 'read',
    args: { json: { type: 'boolean' } },
    required: [],
  },
  {
    name: 'diff',
    summary: 'Compare two account or configuration files, without showing secrets.',
    risk: 'read',
    args: {
      left: {
        type: 'string',
        description: 'the older file; a model may name those in ~/.opencode',
      },
      right: { type: 'string', description: 'the newer file' },
      json: { type: 'boolean' },
    },
    required: ['left', 'right'],
  },
  {
    name: 'export',
    summary: 'Write the accounts with their tokens to a file, plain or encrypted.',
    risk: 'secret',
    args: {
      encrypt: {
        type: 'boolean',
        description: 'encrypt with the passphrase in OC_CODEX_PASSPHRASE',
      },
      json: { type: 'boolean' },
    },
    required: [],
  },
  {
    name: 'import',
    summary:
      'Take accounts over from a backup or from another program, from opencode-codex-auth also its configuration; without arguments it lists what is on this machine.',
    risk: 'secret',
    args: {
      path: { type: 'string', description: 'the file' },
      from: {
        type: 'string',
        enum: [
          'file',
          'codex',
          'opencode',
          'codex-auth',
          'codex-multi-auth',
          'oc-chatgpt-multi-auth',
          'opencode-codex-auth',
          'all',
        ],
        description: 'the program that keeps the logins',
      },
      mode: {
        type: 'string',
        enum: ['merge', 'replace'],
        description: 'replace: accounts that are not in the file go',
      },
      dryRun: { type: 'boolean' },
      json: { type: 'boolean' },
    },
    required: [],
  },
  {
    name: 'keychain',
    summary:
      'Keep the tokens sealed with a key in the OS keychain: status, migrate or rollback; without confirm it only says what would happen.',
    risk: 'secret',
    args: {
      command: {
        type: 'string',
        enum: ['status', 'migrate', 'rollback'],
        description: 'default: status',
      },
      dryRun: { type: 'boolean' },
      json: { type: 'boolean' },
    },
    required: [],
  },
]

/** Offered by a setting of its own. */
export const PERSONALITY_TOOL: ModelTool = {
  name: 'personality',
  summary: 'Save a personality that the user has read in full and agreed to, under a new name.',
  risk: 'edit',
  args: {
    name: { type: 'string', description: 'letters, digits, - and _' },
    text: { type: 'string', description: 'the whole text, Markdown' },
    project: { type: 'boolean', description: 'for this project alone' },
    json: { type: 'boolean' },
  },
  required: ['name', 'text'],
}
