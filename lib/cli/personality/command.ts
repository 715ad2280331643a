import { WrongUsage } from '../../kernel/errors.js'
import type { Command } from '../io.js'
import { listCommand, showCommand } from './look.js'
import { installSkillCommand, removeSkillCommand } from './skill-commands.js'
import { useCommand } from './use.js'
import { createCommand, editCommand, removeCommand } from './write.js'

const COMMANDS: readonly Command[] = [
  listCommand,
  showCommand,
  useCommand,
  createCommand,
  editCommand,
  removeCommand,
  installSkillCommand,
  removeSkillCommand,
]

/** `personality`. */
export const personalityCommand: Command = {
  name: 'personality',
  summary: 'List, show, choose, write and remove personalities: texts about how the model speaks.',
  takes: {
    options: [
      ...new Map(
        COMMANDS.flatMap(({ takes }) => takes.options.map((one) => [one.name, one])),
      ).values(),
    ],
    words: ([given]) =>
      given === undefined ? [{ kind: 'words', words: COMMANDS.map(({ name }) => name) }] : [],
  },
  async run(argv, io) {
    const [first] = argv
    if (first === '--help' || first === '-h') {
      io.stdout(usage())
      return 0
    }
    const [name, ...rest] =
      first === undefined || first.startsWith('-') ? [listCommand.name, ...argv] : argv
    const command = COMMANDS.find((one) => one.name === name)
    if (command === undefined)
      throw new WrongUsage(
        `There is no command personality ${JSON.stringify(name ?? '')}.`,
        'Help: {personality --help}',
      )
    return command.run(rest, io)
  },
}

function usage(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length))
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return `Usage: oc-codex-multi-auth personality <command> [options]

${lines.join('\n')}

Each takes --help and --json; those that write take --dry-run, some also --project, --confirm or --force. What a personality is and what it costs: docs/personalities.md
`
}
