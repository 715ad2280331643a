import { type FrameContent, type Hint, type Line, openFrame } from './frame.js'
import { outputLines, type Span } from './spans.js'
import type { DialogDeps } from './work.js'

/** Something that can be chosen. */
export interface Item<Value> {
  /** Stays the same when the list changes; the cursor follows it. */
  readonly id: string
  readonly value: Value
  /** What the filter looks at. */
  readonly search: string
}

/** A list that follows what it shows. */
export interface ListModel<Value> {
  readonly title: () => string
  readonly items: () => readonly Item<Value>[]
  /** One or more lines for each item. */
  lines(items: readonly Item<Value>[], columns: number): readonly (readonly (readonly Span[])[])[]
  /** Said where there is nothing to choose. */
  readonly empty: string
  /** Above the items. */
  readonly head?: (columns: number) => readonly Line[]
  onChoose(value: Value): void
  /** Keys for the item under the cursor; they are offered where they do something. */
  actions(value: Value | undefined): readonly Action[]
  onClose?(): void
  /** Item the cursor starts at. */
  readonly at?: string | undefined
}

/** What a key does to the item under the cursor. */
export interface Action {
  /** `ctrl+s`: letters alone are for the filter. */
  readonly key: string
  readonly does: string
  run(): void
}

/** Opens a list: typing filters it, the arrows move, Enter chooses. */
export function openList<Value>(deps: DialogDeps, model: ListModel<Value>): () => void {
  const { ui } = deps
  const [filter, setFilter] = ui.createSignal('')
  const [cursor, setCursor] = ui.createSignal(model.at)

  const found = (): readonly Item<Value>[] => matching(model.items(), filter())
  const placeIn = (items: readonly Item<Value>[]): number =>
    Math.max(
      0,
      items.findIndex(({ id }) => id === cursor()),
    )
  const current = (): Item<Value> | undefined => {
    const items = found()
    return items[placeIn(items)]
  }
  const move = (step: number): void => {
    const items = found()
    if (items.length === 0) return
    const to = placeIn(items) + step
    const isOneStep = Math.abs(step) === 1
    // One step goes round, a page does not.
    const place = isOneStep
      ? (to + items.length) % items.length
      : Math.max(0, Math.min(items.length - 1, to))
    setCursor(items[place]?.id)
  }
  const choose = (): void => {
    const item = current()
    if (item !== undefined) model.onChoose(item.value)
  }

  const content = (columns: number): FrameContent => {
    const items = found()
    const place = placeIn(items)
    const body: Line[] = []
    let keep: [number, number] | undefined
    model.lines(items, columns - 2).forEach((lines, index) => {
      const isSelected = index === place
      if (isSelected) keep = [body.length, body.length + lines.length - 1]
      lines.forEach((spans, part) =>
        body.push({
          spans: [{ text: isSelected && part === 0 ? '› ' : '  ', tone: 'accent' }, ...spans],
          selected: isSelected,
          item: index,
          onClick: () => {
            setCursor(items[index]?.id)
            choose()
          },
        }),
      )
    })
    if (body.length === 0) {
      const why = model.items().length === 0 ? model.empty : 'Nothing fits.'
      body.push(...outputLines(why, columns, 'muted'))
    }
    const typed: Line = {
      spans:
        filter() === ''
          ? [{ text: 'Type to filter', tone: 'muted' }]
          : [
              { text: 'Filter: ', tone: 'muted' },
              { text: `${filter()}▏`, tone: 'text' },
            ],
    }
    const hints: Hint[] = [
      ...(items.length > 0 ? [['↑↓ enter', 'choose'] as const] : []),
      ...model.actions(items[place]?.value).map(({ key, does }) => [key, does] as const),
    ]
    return {
      title: model.title(),
      head: [typed, ...(model.head?.(columns) ?? [])],
      body,
      ...(keep === undefined ? {} : { keep }),
      keys: hints,
    }
  }

  return openFrame(ui, {
    content,
    onKey: (key) => {
      switch (key.name) {
        case 'up':
        case 'down':
          move(key.name === 'up' ? -1 : 1)
          return true
        case 'pageup':
        case 'pagedown':
          move(key.name === 'pageup' ? -10 : 10)
          return true
        case 'home':
        case 'end':
          move(key.name === 'home' ? -found().length : found().length)
          return true
        case 'return':
          choose()
          return true
        case 'backspace':
          setFilter(filter().replace(/\P{M}\p{M}*$/u, ''))
          return true
        case 'escape':
          if (filter() === '') return false
          setFilter('')
          return true
      }
      const action = model.actions(current()?.value).find((one) => one.key === key.name)
      if (action !== undefined) action.run()
      else if (key.text !== '') setFilter(filter() + key.text)
      return true
    },
    ...(model.onClose === undefined ? {} : { onClose: model.onClose.bind(model) }),
  })
}

/** The items that hold every word of a filter, in their order. Pure. */
function matching<Value>(items: readonly Item<Value>[], filter: string): readonly Item<Value>[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return items
  return items.filter(({ search }) => {
    const text = search.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
