import { parseArgs, type ParseArgsConfig } from 'node:util'

import type { Command, CommandIo } from './io.js'

type Options = Readonly<Record<string, { readonly type: 'boolean' | 'string' }>>

/** What was given for the options of a command. */
export type OptionValues<Own extends Options> = {
  readonly [Name in keyof Own]?: Own[Name]['type'] extends 'string' ? string : boolean
} & { readonly json?: boolean }

/**
 * A command with options of its own; every one takes `--json` and `--help` too.
 * @param definition.takesWords arguments without a flag are the command's affair, else wrong usage
 */
export function defineCommand<const Own extends Options>(definition: {
  readonly name: string
  readonly summary: string
  readonly help: string
  readonly options: Own
  readonly takesWords?: true
  run(values: OptionValues<Own>, io: CommandIo, words: readonly string[]): Promise<number>
}): Command {
  const { name, summary, help, options, takesWords = false } = definition
  return {
    name,
    summary,
    async run(argv, io) {
      const { values, positionals } = parseArgs<ParseArgsConfig>({
        args: [...argv],
        options: {
          ...options,
          json: { type: 'boolean' },
          help: { type: 'boolean', short: 'h' },
        },
        allowPositionals: takesWords,
      })
      if (values.help !== true)
        return definition.run(values as unknown as OptionValues<Own>, io, positionals)
      io.stdout(help)
      return 0
    },
  }
}
