import { setTimeout as sleep } from 'node:timers/promises'

import type { HostUi } from '../../lib/tui/host-ui.js'

/** The part of the host's TUI that our dialogs stand on, with a screen of plain text that is drawn when it is looked at. */
export interface TuiHost {
  readonly ui: HostUi
  /** Every toast so far. */
  readonly toasts: readonly string[]
  /** What was put on the clipboard. */
  readonly copies: readonly string[]
  /** Commands of the host that were called. */
  readonly dispatched: readonly string[]
  /** The present dialog, line by line; empty when none is open. */
  screen(): string
  /** Its lines with the colour of each piece. */
  colours(): readonly (readonly { readonly text: string; readonly fg: unknown }[])[]
  /** Presses keys by name: `a`, `return`, `ctrl+s`. */
  press(...keys: readonly string[]): void
  /** Types a text, also into the host's own question. */
  type(text: string): void
  resize(columns: number, rows: number): void
  /** Resolves with the screen once it shows the text. */
  waitFor(text: string | RegExp): Promise<string>
  waitForToast(text: string | RegExp): Promise<void>
}

interface Element {
  readonly tag: string
  readonly props: Record<string, unknown>
  readonly children: unknown[]
}

const TRIES = 1_000

export function tuiHost(columns = 120, rows = 40): TuiHost {
  const toasts: string[] = []
  const copies: string[] = []
  const dispatched: string[] = []
  const keyHooks = new Set<
    (context: { event: Record<string, unknown>; consume: () => void }) => void
  >()
  const resizeHooks = new Set<() => void>()
  let open: { readonly root: Element; readonly onClose?: (() => void) | undefined } | undefined
  const size = { width: columns, height: rows }
  const clear = (): void => {
    const before = open
    open = undefined
    before?.onClose?.()
  }
  const element = (tag: string): Element => ({ tag, props: {}, children: [] })
  const api = {
    renderer: {
      get width() {
        return size.width
      },
      get height() {
        return size.height
      },
      on: (_what: string, run: () => void) => void resizeHooks.add(run),
      off: (_what: string, run: () => void) => void resizeHooks.delete(run),
      copyToClipboardOSC52: (text: string) => copies.push(text) > 0,
    },
    // Every colour is its own name.
    theme: { current: new Proxy({}, { get: (_target, name) => name }) },
    keymap: {
      intercept: (_what: string, run: (context: never) => void) => {
        keyHooks.add(run as never)
        return () => void keyHooks.delete(run as never)
      },
      dispatchCommand: (name: string) => {
        dispatched.push(name)
        open = { root: element('box') }
        return { ok: true }
      },
    },
    ui: {
      toast: ({ message }: { message: string }) => void toasts.push(message),
      DialogPrompt: (props: Record<string, unknown>) => ({ tag: 'prompt', props, children: [] }),
      dialog: {
        replace(render: () => Element, onClose?: () => void) {
          clear()
          open = { root: render(), onClose }
        },
        clear,
        setSize: () => undefined,
        get open() {
          return open !== undefined
        },
      },
    },
  }
  const ui = {
    api,
    createElement: element,
    insert: (parent: Element, child: unknown) => void parent.children.push(child),
    setProp: (target: Element, name: string, value: unknown) => {
      target.props[name] = value
    },
    effect: (run: () => void) => run(),
    createComponent: (component: (props: unknown) => unknown, props: unknown) => component(props),
    createSignal: <T>(first: T) => {
      let value = first
      return [
        () => value,
        (next: T) => {
          value = next
          return next
        },
      ]
    },
  } as unknown as HostUi

  const childrenOf = ({ children }: Element): unknown[] =>
    children.flatMap((child) =>
      typeof child === 'function' ? (child as () => unknown[])() : [child],
    )
  const colours = (): { text: string; fg: unknown }[][] => {
    if (open === undefined) return []
    if (open.root.tag === 'prompt') return [[{ text: String(open.root.props.title), fg: 'text' }]]
    return (childrenOf(open.root) as Element[]).map((row) =>
      (childrenOf(row) as Element[]).map((text) => ({
        text: childrenOf(text).map(String).join(''),
        fg: text.props.fg,
      })),
    )
  }
  const screen = (): string =>
    colours()
      .map((row) => row.map(({ text }) => text).join(''))
      .join('\n')
  const key = (event: Record<string, unknown>): void => {
    const used = { yes: false }
    // Drawn before every key, as on the screen.
    screen()
    for (const run of [...keyHooks])
      if (!used.yes) run({ event, consume: () => void Object.assign(used, { yes: true }) })
    if (!used.yes && event.name === 'escape') clear()
  }
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    for (let tries = 0; !holds(); tries += 1) {
      if (tries > TRIES)
        throw new Error(`${what} did not show; toasts:\n${toasts.join('\n')}\nscreen:\n${screen()}`)
      await sleep(5)
    }
  }
  const shows = (shown: string, text: string | RegExp): boolean =>
    typeof text === 'string' ? shown.includes(text) : text.test(shown)

  return {
    ui,
    toasts,
    copies,
    dispatched,
    screen,
    colours,
    press: (...keys) => {
      for (const name of keys) {
        const ctrl = name.startsWith('ctrl+')
        const bare = ctrl ? name.slice(5) : name
        key({ name: bare, ctrl, sequence: !ctrl && bare.length === 1 ? bare : '\x1b' })
      }
    },
    type: (text) => {
      if (open?.root.tag === 'prompt') {
        const { onConfirm } = open.root.props as { onConfirm: (value: string) => void }
        onConfirm(text)
        return
      }
      for (const letter of text) key({ name: letter, sequence: letter })
    },
    resize: (width, height) => {
      Object.assign(size, { width, height })
      for (const run of resizeHooks) run()
    },
    async waitFor(text) {
      await until(`"${String(text)}"`, () => shows(screen(), text))
      return screen()
    },
    waitForToast: (text) =>
      until(`the toast "${String(text)}"`, () => toasts.some((toast) => shows(toast, text))),
  }
}
