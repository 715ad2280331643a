import type { HostPort } from '../kernel/host-port.js'
import { WrongUsage } from '../kernel/errors.js'
import { resolvePaths } from '../kernel/files/paths.js'
import { hanging } from '../kernel/text/wrap.js'
import { openRuntime } from '../open-runtime.js'
import { type Runtime } from '../runtime.js'
import type { AnyTool, ToolContext } from '../tools/definition.js'
import { profileCost } from '../tools/profiles.js'
import { askTool, checkedArguments } from '../tools/run-tool.js'
import {
  type Argument,
  argumentsOf,
  helpOf,
  type MoreOption,
  toolCallOf,
} from '../tools/tool-arguments.js'
import { COMMON_OPTIONS, jsonText } from './command.js'
import type { Command, CommandIo, Takes, Values } from './io.js'
import { intervalOf, watch, watchOptions } from './terminal/watch.js'

/** How soon a command ends after its tokens were stored. */
const STORED_POLL_MS = 200

/** Something else that the command of a tool does on the command line alone, when a flag of its own asks for it. */
export interface OtherWay {
  readonly flag: string
  /** The flag, and options that need it. */
  readonly options: readonly MoreOption[]
  /** @returns the exit code */
  run(given: Readonly<Record<string, unknown>>, io: CommandIo, json: boolean): Promise<number>
}

/** The command of a tool: its arguments as flags, the first ones also without. */
export function toolCommand(tool: AnyTool, other?: OtherWay): Command {
  const pace = tool.watch?.({})
  const more = [...(pace === undefined ? [] : watchOptions(pace)), ...(other?.options ?? [])]
  return {
    name: tool.name,
    summary: tool.summary,
    takes: takesOf(tool, more),
    async run(argv, io) {
      const { args, json, includeSensitive, help, more: given } = toolCallOf(tool, argv, more)
      if (help) {
        io.stdout(hanging(helpOf(tool, more), io.columns ?? Infinity))
        return 0
      }
      if (other !== undefined) {
        const isAsked = given[other.flag] === true
        const extra = other.options.find(({ name }) => given[name] !== undefined)
        if (isAsked && Object.keys(args).length === 0) return other.run(given, io, json)
        if (isAsked) throw new WrongUsage(`--${other.flag} stands alone.`)
        if (extra !== undefined) throw new WrongUsage(`--${extra.name} needs --${other.flag}.`)
      }
      const watching = given.watch === true ? tool.watch?.(checkedArguments(tool, args)) : undefined
      if (watching === undefined && (given.watch === true || given.interval !== undefined))
        throw new WrongUsage(
          given.watch === true
            ? `${tool.name} cannot be watched with these arguments.`
            : '--interval needs --watch.',
        )
      const everyMs = watching === undefined ? undefined : intervalOf(given.interval, watching)
      return withRuntime(io, async (runtime) => {
        const call = { ...contextOf(io), args, includeSensitive }
        const { clock } = runtime
        if (everyMs !== undefined)
          return watch(io, {
            everyMs,
            json,
            clock,
            read: (context) => askTool(tool, runtime, { ...call, ...context }),
          })
        io.progress('Reading what is stored')
        const result = await askTool(tool, runtime, call)
        io.stdout(json ? jsonText(result.data, 2) : `${result.toned(call.width, clock.now())}\n`)
        return result.failed ? 1 : 0
      })
    },
  }
}

/** Arguments that are the name of a file. */
const FILES = new Set(['path', 'html', 'out', 'left', 'right'])

function takesOf(tool: AnyTool, more: readonly MoreOption[]): Takes {
  const args = argumentsOf(tool)
  const own = args.map(({ flag, kind, help, ...argument }) => ({
    name: flag,
    help,
    ...(kind !== 'boolean' && { value: { of: valuesOf(argument), isList: kind === 'list' } }),
  }))
  const ours = more.map(({ name, type, help }) => ({
    name,
    help,
    ...(type === 'string' && { value: { isList: false } }),
  }))
  return {
    options: [
      ...own,
      ...ours,
      ...COMMON_OPTIONS,
      { name: 'include-sensitive', help: 'show e-mail addresses and ids in full' },
    ],
    words(given) {
      const next = args.find(({ name }) => name === tool.positional?.[given.length])
      const values = next === undefined ? undefined : valuesOf(next)
      return values === undefined ? [] : [values]
    },
  }
}

function valuesOf({ name, choices }: Pick<Argument, 'name' | 'choices'>): Values | undefined {
  if (choices.length > 0) return { kind: 'words', words: choices }
  if (name === 'account' || name === 'accounts') return { kind: 'account' }
  if (name === 'tag') return { kind: 'tag' }
  return FILES.has(name) ? { kind: 'file' } : undefined
}

/** What a tool may do on this terminal; addresses and ids are not shown in full. */
export function contextOf(io: CommandIo): ToolContext {
  return {
    signal: io.signal,
    progress: (line) => io.progress(line),
    includeSensitive: false,
    // Output into a file or a pipe is not cut.
    width: io.columns ?? Infinity,
    directory: io.directory,
    caller: 'user',
    profileCost,
  }
}

/** Gives a command a runtime of its own and closes it afterwards, whatever happens. */
export async function withRuntime(
  io: CommandIo,
  work: (runtime: Runtime) => Promise<number>,
): Promise<number> {
  const host: HostPort = { log: () => undefined, toast: () => undefined }
  const runtime = openRuntime({
    env: io.env,
    directory: io.directory,
    paths: resolvePaths(io.env),
    host,
    watch: false,
    onKeychainWait: (question) => io.stderr(`${question} Ctrl-C gives up.\n`),
    signal: io.signal,
  })
  try {
    return await work(runtime)
  } finally {
    await untilStored(runtime, io)
    await runtime.close()
    const lost = runtime.tokens.inMemoryAlone()
    if (lost.length > 0)
      io.stderr(
        `${lost.join(', ')}: the new tokens could not be written to any disk and are lost when this command ends. Sign in again: {login}\n`,
      )
  }
}

/**
 * On a terminal a command does not end while it alone has the new tokens of a login: the disk is asked again and again,
 * until it takes them or the user gives up. Where nobody sits a command has to end; closing asks for some seconds more.
 */
async function untilStored({ tokens, clock }: Runtime, io: CommandIo): Promise<void> {
  let isTold = false
  while (io.isInteractive && !io.signal.aborted && tokens.inMemoryAlone().length > 0) {
    if (!isTold)
      io.stderr(
        `${tokens.inMemoryAlone().join(', ')}: waiting to write the new tokens; retried every 2 s. Free space or make the disk writable. Ctrl-C gives up and loses the login.\n`,
      )
    isTold = true
    await clock.sleep(STORED_POLL_MS, io.signal).catch(() => undefined)
  }
  if (isTold && tokens.inMemoryAlone().length === 0) io.stderr('The new tokens are saved now.\n')
}
