import * as z from 'zod'

import { WrongUsage } from '../kernel/errors.js'
import { commandsIn, type Place } from '../kernel/text/command-words.js'
import { plainData, plainLines, plainText } from '../kernel/text/plain-text.js'
import { tonedLines } from '../kernel/text/tones.js'
import type { Runtime } from '../runtime.js'
import type { AnyTool, ToolContext } from './definition.js'

type Call = ToolContext & { readonly args: Readonly<Record<string, unknown>> }

/** What a tool has found. */
export interface ToolResult {
  /** It did its work and found something wrong. */
  readonly failed: boolean
  readonly data: unknown
  /** For `width` columns at a moment, epoch ms; with the marks of `kernel/text/tones` in it. */
  toned(width: number, nowMs: number): string
}

/**
 * Asks a tool for one of its faces: checks the arguments and reads what other processes have shared. In the result no name
 * is more than text.
 * @throws WrongUsage naming the argument, and those of the tool
 */
export async function askTool(tool: AnyTool, runtime: Runtime, call: Call): Promise<ToolResult> {
  const args = checkedArguments(tool, call.args)
  await runtime.ledger.load()
  return resultOf(tool, await tool.run(runtime, args, call), runtime.place())
}

/** What a tool has found, be it in another thread of this process, as it is told where it is read. */
export function resultOf(tool: AnyTool, data: unknown, place: Place): ToolResult {
  const plain = plainResult(tool, data, place)
  return {
    failed: tool.failed?.(data) ?? false,
    data: plain,
    toned: (width, nowMs) => tonedLines(commandsIn(tool.render(plain, { width, nowMs }), place)),
  }
}

/**
 * The same as one text without tones.
 * @throws WrongUsage naming the argument, and those of the tool
 */
export async function runTool(
  tool: AnyTool,
  runtime: Runtime,
  call: Call & { readonly json: boolean },
): Promise<{ readonly text: string; readonly failed: boolean }> {
  const result = await askTool(tool, runtime, call)
  const text = call.json
    ? JSON.stringify(result.data, undefined, 2)
    : plainLines(result.toned(call.width, runtime.clock.now()))
  return { text, failed: result.failed }
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
