/**
 * Modules the host supplies to TUI plugins at run time (docs/development/facts/opencode-host.md#tui-plugins); only what
 * we use of them.
 */
declare module '@opentui/solid' {
  export function createElement(tag: 'text' | 'box'): unknown
  export function insert(parent: unknown, child: unknown): void
  export function setProp(element: unknown, name: string, value: unknown): void
  export function effect(run: () => void): void
  export function createComponent<Props>(component: (props: Props) => unknown, props: Props): never
}

declare module 'solid-js' {
  export function createSignal<T>(value: T): [get: () => T, set: (value: T) => T]
}
