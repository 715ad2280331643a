import * as z from 'zod'

import { WrongUsage } from '../kernel/errors.js'
import { commandsIn, type Place } from '../kernel/text/command-words.js'
import { plainData, plainLines, plainText } from '../kernel/text/plain-text.js'
import type { Runtime } from '../runtime.js'
import type { AnyTool, ToolContext } from './definition.js'

/**
 * Runs a tool for one of its faces: checks the arguments, reads what other processes have shared, renders the result, in
 * which no name is more than text.
 * @returns `failed`: the tool did its work and found something wrong
 * @throws WrongUsage naming the argument, and those of the tool
 */
export async function runTool(
  tool: AnyTool,
  runtime: Runtime,
  call: ToolContext & { readonly args: Readonly<Record<string, unknown>>; readonly json: boolean },
): Promise<{ readonly text: string; readonly failed: boolean }> {
  const args = checkedArguments(tool, call.args)
  await runtime.ledger.load()
  const data: unknown = await tool.run(runtime, args, call)
  const place = runtime.place()
  const plain = plainResult(tool, data, place)
  const text = call.json
    ? JSON.stringify(plain, undefined, 2)
    : plainLines(
        commandsIn(tool.render(plain, { width: call.width, nowMs: runtime.clock.now() }), place),
      )
  return { text, failed: tool.failed?.(data) ?? false }
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
