import { parseArgs, type ParseArgsConfig } from 'node:util'
import * as z from 'zod'

import { WrongUsage } from '../kernel/errors.js'
import type { HostPort } from '../kernel/host-port.js'
import { resolvePaths } from '../kernel/paths.js'
import { createRuntime, type Runtime } from '../runtime.js'
import type { AnyTool, ToolContext } from '../tools/definition.js'
import { profileCost } from '../tools/profiles.js'
import { runTool, type ToolRequest } from '../tools/run-tool.js'
import type { Command, CommandIo } from './io.js'

/** Output into a file or a pipe is not cut. */
const UNLIMITED = Number.POSITIVE_INFINITY

/** The command of a tool: its arguments as flags, the first ones also without. */
export function toolCommand(tool: AnyTool): Command {
  const args = Object.entries(tool.args as z.ZodRawShape).map(([name, schema]) => argumentOf(name, schema as z.ZodType))
  const positional = tool.positional ?? []
  return {
    name: tool.name,
    summary: tool.summary,
    async run(argv, io) {
      const { values, positionals } = parseArgs({ args: [...argv], options: optionsOf(args), allowPositionals: true })
      if (values.help === true) {
        io.stdout(helpOf(tool, args))
        return 0
      }
      if (positionals.length > positional.length) throw new WrongUsage(`${tool.name} takes ${positional.length === 0 ? 'no argument' : positional.length === 1 ? 'at most 1 argument' : `at most ${positional.length} arguments`} without a flag.`, `Help: oc-codex-multi-auth ${tool.name} --help`)
      const given: Record<string, unknown> = {}
      positional.forEach((name, index) => {
        if (positionals[index] !== undefined) given[name] = valueOf(args.find((argument) => argument.name === name), positionals[index])
      })
      for (const argument of args) {
        const value = values[argument.flag]
        if (value !== undefined) given[argument.name] = valueOf(argument, value)
      }
      return withRuntime(io, async (runtime) => {
        const { text, failed } = await runTool(
          tool,
          runtime,
          { args: given, format: values.json === true ? 'json' : 'text', view: viewOf(io) },
          { ...contextOf(io), includeSensitive: values['include-sensitive'] === true },
        )
        io.progress('')
        io.stdout(`${text}\n`)
        return failed ? 1 : 0
      })
    },
  }
}

/** How results are shown on this terminal. */
export function viewOf(io: CommandIo): ToolRequest['view'] {
  return { width: io.columns ?? UNLIMITED, color: io.columns !== undefined && (io.env.NO_COLOR ?? '') === '' }
}

/** What a tool may do on this terminal; addresses and ids are not shown in full. */
export function contextOf(io: CommandIo): ToolContext {
  return { signal: io.signal, progress: (line) => io.progress(line), includeSensitive: false, directory: io.directory, profileCost }
}

/** Gives a command a runtime of its own and closes it afterwards, whatever happens. */
export async function withRuntime(io: CommandIo, work: (runtime: Runtime) => Promise<number>): Promise<number> {
  const host: HostPort = { log: () => undefined, toast: () => undefined }
  const runtime = createRuntime({ env: io.env, directory: io.directory, paths: resolvePaths(io.env), host, watch: false })
  try {
    return await work(runtime)
  } finally {
    await runtime.close()
  }
}

interface Argument {
  readonly name: string
  readonly flag: string
  readonly kind: 'boolean' | 'number' | 'string' | 'list'
  readonly required: boolean
  readonly help: string
}

function argumentOf(name: string, schema: z.ZodType): Argument {
  const required = !schema.safeParse(undefined).success
  const inner = schema instanceof z.ZodOptional ? (schema.unwrap() as z.ZodType) : schema
  const choices = inner instanceof z.ZodEnum ? inner.options.join('|') : undefined
  const kind = inner instanceof z.ZodBoolean ? 'boolean' : inner instanceof z.ZodNumber ? 'number' : inner instanceof z.ZodArray ? 'list' : 'string'
  const text = schema.description ?? inner.description ?? ''
  return { name, flag: name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), kind, required, help: [choices, text].filter((part) => part !== undefined && part !== '').join(': ') }
}

function optionsOf(args: readonly Argument[]): NonNullable<ParseArgsConfig['options']> {
  const own = args.map(({ flag, kind }) => [flag, kind === 'boolean' ? { type: 'boolean' as const } : { type: 'string' as const, multiple: kind === 'list' }] as const)
  return { ...Object.fromEntries(own), json: { type: 'boolean' }, 'include-sensitive': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } }
}

function valueOf(argument: Argument | undefined, value: unknown): unknown {
  if (argument?.kind === 'number') return Number(value)
  if (argument?.kind === 'list') return (Array.isArray(value) ? value : [value]).flatMap((part) => String(part).split(',')).map((part) => part.trim())
  return value
}

function helpOf(tool: AnyTool, args: readonly Argument[]): string {
  const positional = (tool.positional ?? []).map((name) => (args.find((argument) => argument.name === name)?.required === true ? `<${name}>` : `[${name}]`))
  const rows = [
    ...args.map(({ flag, kind, help }) => [`--${flag}${kind === 'boolean' ? '' : kind === 'list' ? ' a,b' : ' VALUE'}`, help]),
    ['--json', 'print JSON'],
    ['--include-sensitive', 'show e-mail addresses and ids in full'],
    ['--help', 'show this text'],
  ]
  const width = Math.max(...rows.map(([flag]) => flag?.length ?? 0))
  return `Usage: oc-codex-multi-auth ${[tool.name, ...positional].join(' ')} [options]\n\n${tool.summary}\n\n${rows.map(([flag, help]) => `  ${(flag ?? '').padEnd(width)}  ${help ?? ''}`.trimEnd()).join('\n')}\n\nExit code: 0 done, 1 failed or something is wrong, 2 wrong usage, 130 cancelled.\n`
}
