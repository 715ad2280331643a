import { createElement, effect, insert, setProp } from '@opentui/solid'

import type { PartDeps } from '../part.js'
import { type Level, sidebarLines, type StatusText, statusLine } from '../status-line.js'

/** Behind the host's own blocks, which have 100 to 500 (docs/development/facts/opencode-host.md#tui-plugins). */
const SLOT_ORDER = 900

type Theme = Record<'textMuted' | 'warning' | 'error', unknown>
const COLOURS: Readonly<Record<Level, keyof Theme>> = {
  muted: 'textMuted',
  warning: 'warning',
  error: 'error',
}

/** Quota beside the prompt and in the sidebar. */
export function registerSlots({ api, view, now }: PartDeps): void {
  const columns = (): number => (api.renderer as { width?: number }).width ?? process.stdout.columns
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

function line(theme: { current: unknown }, read: () => StatusText | undefined): unknown {
  const element = createElement('text')
  effect(() => {
    setProp(element, 'fg', (theme.current as Theme)[COLOURS[read()?.level ?? 'muted']])
  })
  insert(element, () => read()?.text ?? '')
  return element
}
