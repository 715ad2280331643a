import * as z from 'zod'

import { WrongUsage } from '../kernel/errors.js'
import { commandsIn, type Place } from '../kernel/text/command-words.js'
import { plainData, plainLines, plainText } from '../kernel/text/plain-text.js'
import type { Runtime } from '../runtime.js'
import type { AnyTool, ToolContext } from './definition.js'

/** What a tool came to. */
interface ToolResult {
  readonly data: unknown
  /** @param width columns that fit */
  readonly textAt: (width: number) => string
  /** The tool did its work and found something wrong. */
  readonly failed: boolean
}

/** A call of a tool with what it may do. */
type ToolRun = ToolContext & {
  readonly args: Readonly<Record<string, unknown>>
  readonly json: boolean
}

/**
 * Runs a tool for one of its faces: checks the arguments, reads what other processes have shared, renders the result, in
 * which no name is more than text.
 * @throws WrongUsage naming the argument, and those of the tool
 */
export async function runTool(
  tool: AnyTool,
  runtime: Runtime,
  call: ToolRun,
): Promise<{ readonly text: string; readonly failed: boolean }> {
  const { textAt, failed } = await toolResult(tool, runtime, call)
  return { text: textAt(call.width), failed }
}

/**
 * The same for a face whose width changes while it is shown.
 * @throws as `runTool`
 */
export async function toolResult(
  tool: AnyTool,
  runtime: Runtime,
  call: ToolRun,
): Promise<ToolResult> {
  const args = checkedArguments(tool, call.args)
  await runtime.ledger.load()
  const data: unknown = await tool.run(runtime, args, call)
  return rendered(tool, data, call.json, runtime)
}

/** A result, be it one that another thread of this process has come to, for where it is read. */
export function rendered(
  tool: AnyTool,
  data: unknown,
  asJson: boolean,
  { place: placeOf, clock }: Pick<Runtime, 'place' | 'clock'>,
): ToolResult {
  const place = placeOf()
  const nowMs = clock.now()
  const plain = plainResult(tool, data, place)
  return {
    data,
    textAt: (width) =>
      asJson
        ? JSON.stringify(plain, undefined, 2)
        : plainLines(commandsIn(tool.render(plain, { width, nowMs }), place)),
    failed: tool.failed?.(data) ?? false,
  }
}

/**
 * The result without line feeds of anybody else: a name, a path or a file of a project adds no line to an output. Commands
 * have their form before a table is laid out.
 */
function plainResult({ multiline = [] }: AnyTool, data: unknown, place: Place): unknown {
  const line = (text: string): string => commandsIn(plainText(text), place)
  const several = (text: string): string => commandsIn(plainLines(text), place)
  if (typeof data !== 'object' || data === null) return plainData(data, line)
  const lines = Object.entries(data).filter(([name]) => multiline.includes(name))
  return {
    ...(plainData(data, line) as object),
    ...(plainData(Object.fromEntries(lines), several) as object),
  }
}

/**
 * The arguments of a call, checked.
 * @throws WrongUsage naming the argument, and those of the tool
 */
export function checkedArguments(
  tool: AnyTool,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const parsed = z.strictObject(tool.args as z.ZodRawShape).safeParse(given)
  if (!parsed.success) throw new WrongUsage(problemOf(parsed.error, given))
  return parsed.data
}

function problemOf(error: z.ZodError, given: Readonly<Record<string, unknown>>): string {
  const [issue] = error.issues
  const where = issue?.path.join('.') ?? ''
  if (issue?.code === 'unrecognized_keys') return `There is no argument ${issue.keys.join(', ')}.`
  if (where !== '' && given[where] === undefined) return `Argument ${where} is missing.`
  const what = issue?.message ?? 'wrong value'
  return where === '' ? `${what}.` : `Argument ${where}: ${what}.`
}
