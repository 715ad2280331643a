import { parseArgs, type ParseArgsConfig } from 'node:util'
import * as z from 'zod'

import { WrongUsage } from '../kernel/errors.js'
import type { AnyTool } from './definition.js'

/** A call of a tool, from words. */
export interface ToolCall {
  readonly args: Readonly<Record<string, unknown>>
  readonly json: boolean
  readonly includeSensitive: boolean
  /** Only the help text is wanted. */
  readonly help: boolean
}

/**
 * Reads the words of a command: the arguments of the tool as flags, the first ones also without.
 * @throws WrongUsage, and the TypeErrors of `parseArgs` for unknown or misused flags
 */
export function toolCallOf(tool: AnyTool, words: readonly string[]): ToolCall {
  const args = argumentsOf(tool)
  const positional = tool.positional ?? []
  const { values, positionals } = parseArgs({
    args: [...words],
    options: optionsOf(args),
    allowPositionals: true,
  })
  const help = values.help === true
  if (!help && positionals.length > positional.length)
    throw new WrongUsage(
      `${tool.name} takes ${positional.length === 0 ? 'no argument' : positional.length === 1 ? 'at most 1 argument' : `at most ${positional.length} arguments`} without a flag.`,
      `Help: {${tool.name} --help}`,
    )
  const given: Record<string, unknown> = {}
  positional.forEach((name, index) => {
    if (positionals[index] !== undefined)
      given[name] = valueOf(
        args.find((argument) => argument.name === name),
        positionals[index],
      )
  })
  for (const argument of args) {
    const value = values[argument.flag]
    if (value !== undefined) given[argument.name] = valueOf(argument, value)
  }
  return {
    args: given,
    json: values.json === true,
    includeSensitive: values['include-sensitive'] === true,
    help,
  }
}

/** The help text of a tool's command. */
export function helpOf(tool: AnyTool): string {
  const args = argumentsOf(tool)
  const positional = (tool.positional ?? []).map((name) =>
    args.find((argument) => argument.name === name)?.required === true ? `<${name}>` : `[${name}]`,
  )
  const rows = [
    ...args.map(({ flag, kind, help }) => [
      `--${flag}${kind === 'boolean' ? '' : kind === 'list' ? ' a,b' : ' VALUE'}`,
      help,
    ]),
    ['--json', 'print JSON'],
    ['--include-sensitive', 'show e-mail addresses and ids in full'],
    ['--help', 'show this text'],
  ]
  const width = Math.max(...rows.map(([flag]) => flag?.length ?? 0))
  return `Usage: oc-codex-multi-auth ${[tool.name, ...positional].join(' ')} [options]\n\n${tool.summary}\n\n${rows.map(([flag, help]) => `  ${(flag ?? '').padEnd(width)}  ${help ?? ''}`.trimEnd()).join('\n')}\n\nExit code: 0 done, 1 failed or something is wrong, 2 wrong usage, 130 cancelled.\n`
}

interface Argument {
  readonly name: string
  readonly flag: string
  readonly kind: 'boolean' | 'number' | 'string' | 'list'
  readonly required: boolean
  readonly help: string
}

function argumentsOf(tool: AnyTool): Argument[] {
  return Object.entries(tool.args as z.ZodRawShape).map(([name, schema]) =>
    argumentOf(name, schema as z.ZodType),
  )
}

function argumentOf(name: string, schema: z.ZodType): Argument {
  const required = !schema.safeParse(undefined).success
  const inner = schema instanceof z.ZodOptional ? (schema.unwrap() as z.ZodType) : schema
  const choices = inner instanceof z.ZodEnum ? inner.options.join('|') : undefined
  const kind =
    inner instanceof z.ZodBoolean
      ? 'boolean'
      : inner instanceof z.ZodNumber
        ? 'number'
        : inner instanceof z.ZodArray
          ? 'list'
          : 'string'
  const text = schema.description ?? inner.description ?? ''
  return {
    name,
    flag: name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    kind,
    required,
    help: [choices, text].filter((part) => part !== undefined && part !== '').join(': '),
  }
}

function optionsOf(args: readonly Argument[]): NonNullable<ParseArgsConfig['options']> {
  const own = args.map(
    ({ flag, kind }) =>
      [
        flag,
        kind === 'boolean'
          ? { type: 'boolean' as const }
          : { type: 'string' as const, multiple: kind === 'list' },
      ] as const,
  )
  return {
    ...Object.fromEntries(own),
    json: { type: 'boolean' },
    'include-sensitive': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  }
}

function valueOf(argument: Argument | undefined, value: unknown): unknown {
  if (argument?.kind === 'number') return Number(value)
  if (argument?.kind === 'list')
    return (Array.isArray(value) ? value : [value])
      .flatMap((part) => String(part).split(','))
      .map((part) => part.trim())
  return value
}
