import type { TuiPlugin } from '@opencode-ai/plugin/tui'
import { createComponent, createElement, effect, insert, setProp } from '@opentui/solid'
import { createSignal } from 'solid-js'

import { resolvePoolScope } from '../accounts/project/project.js'
import { loadConfig } from '../loaded-config.js'
import { resolvePaths } from '../kernel/files/paths.js'
import { openAccountsDialog } from './accounts-dialog.js'
import { loadDialogChunk } from './dialog-chunk.js'
import type { PoolView } from './pool-view.js'
import { watchPool } from './pool-watch.js'
import { type Level, sidebarLines, type StatusText, statusLine } from './status-line.js'

/** Times and ages on the screen move on this often, ms. */
const TICK_MS = 30_000
/** Behind the host's own blocks, which have 100 to 500 (docs/development/facts/opencode-host.md#tui-plugins). */
const SLOT_ORDER = 900

interface PaletteCommand {
  readonly name: string
  readonly title: string
  readonly desc: string
  readonly category: string
  /** Offered as `/name` in the prompt. */
  readonly slashName: string
  readonly namespace: 'palette'
  run(): void
}

type Theme = Record<'textMuted' | 'warning' | 'error', unknown>
const COLOURS: Readonly<Record<Level, keyof Theme>> = {
  muted: 'textMuted',
  warning: 'warning',
  error: 'error',
}

/** Quota beside the prompt and in the sidebar, from the files the server plugin writes. Uses no network. */
export const tui: TuiPlugin = async (api) => {
  const paths = resolvePaths(process.env)
  const { config } = loadConfig(process.env, paths, process.cwd())
  const scope = resolvePoolScope(paths, process.cwd(), config.perProjectAccounts)
  const [view, setView] = createSignal<PoolView | undefined>(undefined)
  const [now, setNow] = createSignal(Date.now())
  const stop = watchPool(
    { accounts: scope.file, quota: paths.quotaFile, affinity: paths.affinityFile },
    { config, project: scope.project },
    (next) => {
      setNow(Date.now())
      setView(next)
    },
  )
  const tick = setInterval(() => setNow(Date.now()), TICK_MS)
  tick.unref()
  api.lifecycle.onDispose(() => {
    clearInterval(tick)
    stop()
  })

  const columns = (): number => (api.renderer as { width?: number }).width ?? process.stdout.columns
  const line = (theme: { current: unknown }, read: () => StatusText | undefined): unknown => {
    const element = createElement('text')
    effect(() => {
      setProp(element, 'fg', (theme.current as Theme)[COLOURS[read()?.level ?? 'muted']])
    })
    insert(element, () => read()?.text ?? '')
    return element
  }

  // The types of the host's keymap are not installed; this is the part that is used
  // (docs/development/facts/opencode-host.md#tui-plugins).
  const keymap = api.keymap as unknown as {
    registerLayer(layer: { readonly commands: readonly PaletteCommand[] }): unknown
  }
  keymap.registerLayer({
    commands: [
      {
        name: 'codex.accounts',
        title: 'Codex accounts',
        desc: 'See the accounts; switch, pin, enable, disable or read one',
        category: 'Codex',
        slashName: 'codex',
        namespace: 'palette',
        run: () =>
          openAccountsDialog({
            api,
            createComponent,
            view,
            where: { env: process.env, directory: process.cwd() },
            chunk: loadDialogChunk,
            historyFile: paths.historyFile,
            now: () => Date.now(),
          }),
      },
    ],
  })

  api.slots.register({
    order: SLOT_ORDER,
    slots: {
      session_prompt_right: (
        context: { theme: { current: unknown } },
        props: { session_id: string },
      ) =>
        line(context.theme, () =>
          statusLine(view()?.serving(props.session_id), columns(), now()),
        ) as never,
      sidebar_content: (
        context: { theme: { current: unknown } },
        props: { session_id: string },
      ) => {
        const box = createElement('box')
        setProp(box, 'flexDirection', 'column')
        insert(box, () => {
          const current = view()
          const lines = sidebarLines(
            current?.serving(props.session_id),
            (current?.accounts.length ?? 1) - 1,
            now(),
            current?.unreadable,
          )
          return lines.map((text) => line(context.theme, () => text))
        })
        return box as never
      },
    },
  })
}
