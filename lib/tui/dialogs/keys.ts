import type { HostUi } from '../host-ui.js'

/** A key that was pressed. */
export interface Key {
  /** `a`, `return`, `escape`, `pagedown`; with Ctrl in front: `ctrl+a`. */
  readonly name: string
  /** What it writes; empty for keys that write nothing. */
  readonly text: string
}

/** The part of the host's events that is used (docs/development/facts/opencode-host.md#tui-plugins). */
interface HostKey {
  readonly name?: string
  readonly ctrl?: boolean
  readonly meta?: boolean
  readonly shift?: boolean
  readonly sequence?: string
  preventDefault?(): void
  stopPropagation?(): void
}

/** Before every key of the host. */
const PRIORITY = 1_000

/**
 * Hands every key to a dialog first.
 * @param onKey true when the key is used up
 * @returns a function that ends it
 */
export function interceptKeys(
  { api }: Pick<HostUi, 'api'>,
  onKey: (key: Key) => boolean,
): () => void {
  const keymap = api.keymap as unknown as
    | {
        readonly intercept?: (
          what: 'key',
          run: (context: { readonly event: HostKey; readonly consume: () => void }) => void,
          options: { readonly priority: number },
        ) => () => void
      }
    | undefined
  if (typeof keymap?.intercept === 'function')
    return keymap.intercept(
      'key',
      ({ event, consume }) => {
        if (onKey(keyOf(event))) consume()
      },
      { priority: PRIORITY },
    )
  const input = (
    api.renderer as unknown as {
      readonly keyInput?: {
        on(what: 'keypress', run: (event: HostKey) => void): void
        off(what: 'keypress', run: (event: HostKey) => void): void
      }
    }
  ).keyInput
  const run = (event: HostKey): void => {
    if (!onKey(keyOf(event))) return
    event.preventDefault?.()
    event.stopPropagation?.()
  }
  input?.on('keypress', run)
  return () => input?.off('keypress', run)
}

/** What a key of the host is to us. Pure. */
function keyOf({ name = '', ctrl, meta, shift, sequence = '' }: HostKey): Key {
  const alias = { enter: 'return', esc: 'escape', linefeed: 'ctrl+j' }[name] ?? name
  if (ctrl === true) return { name: `ctrl+${alias}`, text: '' }
  if (meta === true) return { name: `alt+${alias}`, text: '' }
  if (name === 'space') return { name: 'space', text: ' ' }
  // Where the terminal tells keys by number, their sequence is that number.
  const text = /^[^\p{Cc}]{1,8}$/u.test(sequence)
    ? sequence
    : /^.$/u.test(name)
      ? shift === true
        ? name.toUpperCase()
        : name
      : ''
  return { name: alias === '' ? text : alias, text }
}
