import { parseArgs, type ParseArgsConfig } from 'node:util'

import { withoutDataMarks } from '../kernel/text/as-data.js'
import { commandsIn } from '../kernel/text/command-words.js'
import { plainData } from '../kernel/text/plain-text.js'
import type { Command, CommandIo, Values } from './io.js'

type Options = Readonly<
  Record<string, { readonly type: 'boolean' | 'string'; readonly of?: Values }>
>

/** What was given for the options of a command. */
export type OptionValues<Own extends Options> = {
  readonly [Name in keyof Own]?: Own[Name]['type'] extends 'string' ? string : boolean
} & { readonly json?: boolean }

/**
 * A command with options of its own; every one takes `--json` and `--help` too.
 * @param definition.takesWords arguments without a flag are the command's affair, else wrong usage; says what the next can be
 */
export function defineCommand<const Own extends Options>(definition: {
  readonly name: string
  readonly summary: string
  readonly help: string
  readonly options: Own
  readonly takesWords?: (given: readonly string[]) => readonly Values[]
  run(values: OptionValues<Own>, io: CommandIo, words: readonly string[]): Promise<number>
}): Command {
  const { name, summary, help, options, takesWords } = definition
  return {
    name,
    summary,
    takes: {
      options: [
        ...Object.entries(options).map(([option, { type, of }]) => ({
          name: option,
          help: helpOf(option, help),
          ...(type === 'string' && { value: { of, isList: false } }),
        })),
        ...COMMON_OPTIONS,
      ],
      words: (given) => takesWords?.(given) ?? [],
    },
    async run(argv, io) {
      const { values, positionals } = parseArgs<ParseArgsConfig>({
        args: [...argv],
        options: {
          ...Object.fromEntries(
            Object.entries(options).map(([option, { type }]) => [option, { type }]),
          ),
          json: { type: 'boolean' },
          help: { type: 'boolean', short: 'h' },
        },
        allowPositionals: takesWords !== undefined,
      })
      if (values.help !== true)
        return definition.run(values as unknown as OptionValues<Own>, io, positionals)
      io.stdout(help)
      return 0
    },
  }
}

/** What every command takes beside its own. */
export const COMMON_OPTIONS = [
  { name: 'json', help: 'print JSON' },
  { name: 'help', help: 'show the help text' },
] as const

/** The words for an option in a help text. */
function helpOf(option: string, help: string): string {
  const line = help.split('\n').find((one) => one.startsWith(`  --${option} `)) ?? ''
  return /^ {2}--\S+(?: [A-Za-z,]+)? {2,}(.*)$/.exec(line)?.[1] ?? ''
}

/**
 * What a command prints for a program, with a line feed. Commands of ours have their form before the braces of JSON are
 * around them, and a brace in a text is written such that nothing takes it for the begin of one. Pure.
 */
export function jsonText(value: unknown, indent?: number): string {
  const said = plainData(value, (text) => withoutDataMarks(commandsIn(text, 'terminal')))
  const json = JSON.stringify(said, undefined, indent)
  return `${json.replace(STRING, (text) => text.replaceAll('{', '\\u007b'))}\n`
}

const STRING = /"(?:[^"\\]|\\.)*"/g
