import type { TuiPluginApi } from '@opencode-ai/plugin/tui'

import { messageOf } from '../kernel/errors.js'
import { machineMark } from '../slash-commands/same-machine.js'
import { TOOL_SUMMARIES } from '../slash-commands/tool-list.js'
import { type DialogChunk, loadDialogChunk, type Opening } from './dialog-chunk.js'
import { hostUi } from './host-ui.js'
import type { PartDeps } from './part.js'
import { interceptSubmit } from './typed-line.js'

interface PaletteCommand {
  readonly name: string
  readonly title: string
  readonly desc: string
  readonly category: string
  readonly namespace: 'palette'
  /** Offered as `/name` in the prompt. */
  readonly slashName?: string
  readonly slashAliases?: readonly string[]
  run(): void
}

/** The part of the host's keymap that is used; its types are not installed. */
interface Keymap {
  registerLayer(layer: { readonly commands: readonly PaletteCommand[] }): (() => void) | undefined
}

const ACCOUNTS = 'codex-accounts'

/** Before 1.15 (docs/development/facts/opencode-host.md#older-versions). */
const NO_KEYMAP =
  'this OpenCode has no keymap for plugins; /codex-… are commands of the server instead'

/** Every command of ours by its slash name, run here: no child process, no model, no turn. */
export function registerCommands(deps: PartDeps): void {
  const { api, paths } = deps
  const keymap = api.keymap as unknown as Partial<Keymap> | undefined
  if (typeof keymap?.registerLayer !== 'function') throw new Error(NO_KEYMAP)
  const registerLayer = keymap.registerLayer.bind(keymap)
  const commands = commandsOf(deps)
  const mark = machineMark(paths.root)
  let listed: ReadonlySet<string> = new Set()
  let taken: ReadonlySet<string> = new Set()
  const register = (): (() => void) | undefined =>
    registerLayer({ commands: commands.map((one) => one.palette(listed)) })
  let drop = register()
  // Commands of these names that are another machine's, or the user's own, stay the server's. Those of a server of this
  // machine are listed by it, too, and run here.
  const look = async (): Promise<void> => {
    const found = await serverCommands(api)
    const isOurs = ({ template }: ServerCommand): boolean => mark !== '' && template.endsWith(mark)
    listed = new Set(found.map(({ name }) => name))
    taken = new Set(found.filter((one) => !isOurs(one)).map(({ name }) => name))
    drop?.()
    drop = register()
  }
  const looked = look().catch(() => undefined)
  interceptSubmit(deps, {
    runOf: (slash) => commands.find((one) => one.slash === slash)?.run,
    isTaken: (slash) => taken.has(slash),
    look: () => looked.then(look),
  })
}

interface Command {
  readonly slash: string
  readonly run: (line: string) => void
  palette(listed: ReadonlySet<string>): PaletteCommand
}

function commandsOf(deps: PartDeps): readonly Command[] {
  const command = (
    slash: string,
    title: string,
    desc: string,
    open: (chunk: DialogChunk, opening: Opening, line: string) => unknown,
  ): Command => {
    const run = (line: string): void => {
      loadDialogChunk()
        .then((chunk) => open(chunk, openingOf(deps), line))
        .catch((error: unknown) => {
          deps.api.ui.toast({ variant: 'error', title: 'Codex', message: messageOf(error) })
        })
    }
    return {
      slash,
      run,
      palette: (listed) => ({
        name: slash.replace('-', '.'),
        title,
        desc,
        category: 'Codex',
        namespace: 'palette',
        ...(listed.has(slash)
          ? {}
          : { slashName: slash, ...(slash === ACCOUNTS ? { slashAliases: ['codex'] } : {}) }),
        run: () => run(''),
      }),
    }
  }
  return [
    command(
      ACCOUNTS,
      'Codex accounts',
      'See the accounts; switch, pin, enable, read, name, remove or import them',
      (chunk, opening) => chunk.openAccountsDialog(opening),
    ),
    ...Object.entries(deps.config.slashCommands ? TOOL_SUMMARIES : {}).map(([name, summary]) =>
      command(`codex-${name}`, `Codex ${name}`, summary, (chunk, opening, line) =>
        chunk.openCommandDialog(opening, name, line),
      ),
    ),
  ]
}

function openingOf({ api, view, now }: PartDeps): Opening {
  return {
    ui: hostUi(api),
    where: { env: process.env, directory: directoryOf(api), hostVersion: versionOf(api) },
    view,
    now,
  }
}

/** The folder of the session that is shown, or the one the host works in. */
function directoryOf(api: TuiPluginApi): string {
  try {
    const { params } = api.route.current as { readonly params?: { readonly sessionID?: string } }
    const session =
      params?.sessionID === undefined ? undefined : api.state.session.get(params.sessionID)
    return session?.directory ?? (api.state.path.directory || process.cwd())
  } catch {
    return process.cwd()
  }
}

function versionOf({ app }: { readonly app?: { readonly version?: string } }): string | undefined {
  return app?.version
}

interface ServerCommand {
  readonly name: string
  readonly template: string
}

/** The commands that the server offers. */
async function serverCommands(api: TuiPluginApi): Promise<readonly ServerCommand[]> {
  const answer = await api.client.command.list()
  const list: readonly { readonly name: string; readonly template?: unknown }[] = answer.data ?? []
  return list.map(({ name, template }) => ({
    name,
    template: typeof template === 'string' ? template : '',
  }))
}
