import type { ForeignName } from './table.js'

/** Its files, below OpenCode's configuration folder; a `*` in the name itself stands for anything. */
export const FOREIGN_FILES: readonly ForeignName[] = [
  {
    name: 'codex-config.jsonc',
    becomes: {
      elsewhere: '{import --from opencode-codex-auth} takes over what has a counterpart.',
    },
  },
  {
    name: 'codex-config.json',
    becomes: {
      elsewhere: '{import --from opencode-codex-auth} takes over what has a counterpart.',
    },
  },
  {
    name: 'codex-accounts.json',
    becomes: { elsewhere: '{import --from opencode-codex-auth} takes its accounts over.' },
  },
  {
    name: 'openai-codex-accounts.json',
    becomes: { elsewhere: '{import --from opencode-codex-auth} takes its accounts over.' },
  },
  {
    name: 'personalities',
    becomes: { always: 'Personalities are looked for in the same folders.' },
    isCommon: true,
  },
  {
    name: 'Personalities',
    becomes: { elsewhere: 'Rename it to personalities: only that folder is looked in.' },
  },
  {
    name: 'commands/create-personality.md',
    becomes: {
      elsewhere:
        'It is a command of that plugin, which writes it again; remove it with the plugin.',
    },
  },
  {
    name: 'skills/personality-builder',
    becomes: {
      elsewhere: 'It is a skill of that plugin, which writes it again; remove it with the plugin.',
    },
  },
  {
    name: 'agents/orchestrator.md',
    becomes: { always: 'An agent of this name in your folder is yours and stays in charge.' },
  },
  {
    name: 'agents/orchestrator.md.disabled',
    becomes: { always: 'OpenCode reads no file of this name.' },
  },
  {
    name: 'cache/codex-client-version.json',
    becomes: { always: 'What is in it is learned here too; that file is not read.' },
  },
  {
    name: 'cache/codex-models-cache.json',
    becomes: { always: 'What is in it is learned here too; that file is not read.' },
  },
  {
    name: 'cache/codex-models-cache-*.json',
    becomes: { always: 'What is in it is learned here too; that file is not read.' },
  },
  {
    name: 'cache/codex-auth-models-*.json',
    becomes: { always: 'What is in it is learned here too; that file is not read.' },
  },
  {
    name: 'cache/codex-prompts-cache*.json',
    becomes: { always: 'The texts that collaboration needs are fetched; that file is not read.' },
  },
  {
    name: 'cache/codex-instructions*',
    becomes: { always: 'Instructions are fetched where they are needed; that file is not read.' },
  },
  {
    name: 'cache/codex-session-affinity.json',
    becomes: { unsupported: 'Each session gets an account at its next request.' },
  },
  {
    name: 'cache/codex-snapshots.json',
    becomes: { always: 'What is left of each limit is read again; that file is not.' },
  },
  { name: 'logs/codex-plugin', becomes: { unsupported: 'Its logs stay where they are.' } },
  { name: 'quarantine', becomes: { unsupported: 'What it moved aside stays where it is.' } },
]
