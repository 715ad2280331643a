import { randomUUID } from 'node:crypto'

import { performAction } from './account-view/actions.js'
import { accountDetails } from './account-view/details.js'
import { parseLines } from './history/lines.js'
import { CodexError, WrongUsage } from './kernel/errors.js'
import { MAX_FOREIGN_BYTES, readBoundedFile } from './kernel/files/bounded-file.js'
import { resolvePaths } from './kernel/files/paths.js'
import { commandsIn } from './kernel/text/command-words.js'
import { wrapped } from './kernel/text/wrap.js'
import { openRuntime } from './open-runtime.js'
import type { Runtime } from './runtime.js'
import { undoRemoval } from './tools/accounts/undo-removal.js'
import { wordsOf } from './tools/command-line.js'
import type { AnyTool } from './tools/definition.js'
import { TOOLS } from './tools/index.js'
import { HOST_VERSION_ENV } from './tools/diagnostics/doctor-host.js'
import { profileCost } from './tools/profiles.js'
import { readLimits } from './tools/read-limits.js'
import { askTool, resultOf } from './tools/run-tool.js'
import { helpOf, toolCallOf } from './tools/tool-arguments.js'
import type { DialogChunk, Opening, Where } from './tui/dialog-chunk.js'
import { openAccounts } from './tui/dialogs/accounts.js'
import { openCommand } from './tui/dialogs/command.js'
import type { Call, DialogDeps, Work } from './tui/dialogs/work.js'
import { askProcess } from './tui/process-channel.js'

const TIMEOUT_MS = 60_000
/** What these tell is partly in the memory of the thread that sends the requests. */
const isOfTheServer = ({ name, args }: Call): boolean =>
  name === 'metrics' || name === 'diag' || (name === 'status' && args.why === true)
/** Without an answer what the files say is shown. */
const ANSWER_TIMEOUT_MS = 500

/** Said in a TUI that is attached to a server, which is another process; not in front of what is handed on. */
const UNANSWERED =
  'The process that sends the requests does not say what it holds in memory (counters, decisions); this is of the TUI alone.\n\n'

export const openAccountsDialog: DialogChunk['openAccountsDialog'] = (opening) =>
  openAccounts(depsOf(opening))

export const openCommandDialog: DialogChunk['openCommandDialog'] = (opening, name, line) =>
  openCommand(depsOf(opening), name, line)

function depsOf({ ui, where, view, now }: Opening): DialogDeps {
  return { ui, view, now, work: dialogWork(where) }
}

/** What the dialogs can do in a folder: each with a runtime of its own, which is closed afterwards. */
export function dialogWork(where: Where): Work {
  return {
    facts(name) {
      const tool = toolOf(name)
      return {
        summary: tool.summary,
        required: Object.entries(tool.args as Readonly<Record<string, ArgumentSchema>>)
          .filter(([, schema]) => !schema.safeParse(undefined).success)
          .map(([argument]) => argument),
        confirms: 'confirm' in (tool.args as object),
        isLook: (args) =>
          (tool.riskOf?.(args) ?? tool.risk) === 'read' ||
          ('confirm' in (tool.args as object) && args.confirm !== true),
      }
    },
    parse(name, line) {
      const tool = toolOf(name)
      const rest = tool.takesRest === true ? (tool.positional?.length ?? 1) - 1 : undefined
      try {
        const { help, ...call } = toolCallOf(tool, wordsOf(line, rest))
        return help ? { help: usageOf(tool) } : { ...call, name }
      } catch (error) {
        throw new WrongUsage(
          error instanceof Error ? error.message : 'Wrong arguments.',
          usageOf(tool),
        )
      }
    },
    async run(call, signal, progress) {
      const { name, args, json, includeSensitive } = call
      const asked = { name, args, includeSensitive }
      const answer = isOfTheServer(call)
        ? await askProcess(
            { id: randomUUID(), directory: where.directory, asked },
            ANSWER_TIMEOUT_MS,
          )
        : undefined
      const isOfOther =
        answer === undefined &&
        isOfTheServer(call) &&
        name !== 'diag' &&
        args.format === undefined &&
        process.argv.includes('attach')
      return withRuntime(where, async (runtime) => {
        const tool = toolOf(name)
        const result =
          answer === undefined
            ? await askTool(tool, runtime, {
                args,
                includeSensitive,
                signal,
                progress,
                width: Infinity,
                directory: where.directory,
                caller: 'user',
                agreeBy: 'press y',
                profileCost,
              })
            : resultOf(tool, answer, runtime.place())
        const { data } = result
        return {
          data,
          tonedAt: (columns) =>
            json
              ? JSON.stringify(data, undefined, 2)
              : `${isOfOther ? wrapped(UNANSWERED, columns) : ''}${result.toned(columns, Date.now())}`,
        }
      })
    },
    act: (action) =>
      withRuntime(where, async (runtime) => {
        const { message } = await performAction(runtime, action, ({ accounts }) => {
          if ('account' in action && !accounts.some(({ uid }) => uid === action.account))
            throw gone()
        })
        return message
      }),
    undo: (removal) => withRuntime(where, (runtime) => undoRemoval(runtime, removal)),
    readLimits: (uid) =>
      withRuntime(where, async (runtime) => {
        const signal = AbortSignal.timeout(TIMEOUT_MS)
        const account = (await runtime.store.read()).accounts.find((one) => one.uid === uid)
        if (account === undefined) throw gone()
        await runtime.ledger.load()
        await readLimits(runtime, account, signal).catch((error: unknown) => {
          throw signal.aborted
            ? new Error('The backend did not answer in time.', { cause: error })
            : error
        })
        await runtime.ledger.flush()
      }),
    async details(account) {
      const { historyFile } = resolvePaths(where.env)
      const text = (await readBoundedFile(historyFile, MAX_FOREIGN_BYTES).catch(() => '')) ?? ''
      const isWanted = (line: string): boolean =>
        line.includes(account.uid) && /"(?:reading|turn)"/.test(line)
      const details = accountDetails(account, parseLines(text, isWanted), Date.now())
      return details.map(({ title, text, toned }) => ({
        title,
        text: commandsIn(text, 'tui'),
        toned: commandsIn(toned, 'tui'),
      }))
    },
    noted: (uid, what) =>
      withRuntime(where, async ({ store }) => {
        const account = (await store.read()).accounts.find((one) => one.uid === uid)
        if (account === undefined) throw gone()
        switch (what) {
          case 'label':
            return account.accountLabel ?? ''
          case 'note':
            return account.accountNote ?? ''
          case 'tag':
            return (account.accountTags ?? []).join(', ')
        }
      }),
  }
}

/** The part of a schema that is used. */
interface ArgumentSchema {
  safeParse(value: unknown): { readonly success: boolean }
}

function toolOf(name: string): AnyTool {
  const tool = TOOLS.find((one) => one.name === name)
  if (tool === undefined) throw new WrongUsage(`There is no command /codex-${name}.`)
  return tool
}

/** The help text as it is read on the screen: a line has no exit code, and the command another name. */
function usageOf(tool: AnyTool): string {
  return helpOf(tool)
    .replace(/^Usage: \S+ /, 'Usage: /codex-')
    .replace(/\n\nExit code: .*/, '')
}

function gone(): CodexError {
  return new CodexError('invalid_input', 'The account is gone; another window removed it.', {
    hint: 'Nothing was changed.',
  })
}

async function withRuntime<T>(
  { env: given, directory, hostVersion }: Where,
  work: (runtime: Runtime) => Promise<T>,
): Promise<T> {
  const env = hostVersion === undefined ? given : { ...given, [HOST_VERSION_ENV]: hostVersion }
  const runtime = openRuntime({
    env,
    directory,
    paths: resolvePaths(env),
    host: { log: () => undefined, toast: () => undefined },
    watch: false,
    place: () => 'tui',
  })
  try {
    return await work(runtime)
  } finally {
    await runtime.close()
  }
}

export { pacesNow } from './tui/slots/paces-now.js'
