import { TOOLS } from '../../lib/tools/index.js'
import { profileCost } from '../../lib/tools/profiles.js'
import { runTool } from '../../lib/tools/run-tool.js'
import type { Runtime } from '../../lib/runtime.js'

/** A tool's JSON result, as the command line would get it. */
export async function toolData(
  runtime: Runtime,
  name: string,
  args: Record<string, unknown> = {},
  includeSensitive = false,
): Promise<Record<string, unknown>> {
  return JSON.parse((await answerOf(runtime, name, args, 'json', includeSensitive)).text) as Record<
    string,
    unknown
  >
}

/** The same as a model gets it. */
export async function toolDataForModel(
  runtime: Runtime,
  name: string,
): Promise<Record<string, unknown>> {
  const { text } = await answerOf(runtime, name, {}, 'json', false, 'model')
  return JSON.parse(text) as Record<string, unknown>
}

/** A tool's text, as a terminal of the usual width shows it. */
export async function toolText(
  runtime: Runtime,
  name: string,
  args: Record<string, unknown> = {},
  includeSensitive = false,
): Promise<string> {
  return (await answerOf(runtime, name, args, 'text', includeSensitive)).text
}

async function answerOf(
  runtime: Runtime,
  name: string,
  args: Record<string, unknown>,
  format: 'json' | 'text',
  includeSensitive: boolean,
  caller: 'user' | 'model' = 'user',
): ReturnType<typeof runTool> {
  const tool = TOOLS.find((one) => one.name === name)
  if (tool === undefined) throw new Error(`there is no tool ${name}`)
  return runTool(tool, runtime, {
    args,
    json: format === 'json',
    signal: new AbortController().signal,
    progress: () => undefined,
    includeSensitive,
    width: 80,
    directory: runtime.directory,
    caller,
    profileCost,
  })
}
