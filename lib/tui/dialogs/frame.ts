import { displayWidth, sureUnlessPath } from '../../kernel/text/sure-width.js'
import { cut } from '../../kernel/text/table.js'
import type { HostUi } from '../host-ui.js'
import { interceptKeys, type Key } from './keys.js'
import type { Span, Tone } from './spans.js'

/** A line of a dialog. */
export interface Line {
  readonly spans: readonly Span[]
  /** The cursor is on it. */
  readonly selected?: boolean
  readonly onClick?: () => void
  /** Which item of a list it belongs to, from 0: what is in sight is counted in items then. */
  readonly item?: number
}

/** A key and what it does. */
export type Hint = readonly [key: string, does: string]

/** What a dialog shows. */
export interface FrameContent {
  readonly title: string
  /** Stays while the body scrolls. */
  readonly head: readonly Line[]
  readonly body: readonly Line[]
  /** Lines of the body that stay in sight, from and to. */
  readonly keep?: readonly [from: number, to: number]
  readonly keys: readonly Hint[]
}

/** A dialog: what it shows for a width in columns, and what its keys do. Follows the signals that `content` reads. */
export interface FrameModel {
  content(columns: number): FrameContent
  /** True when the key is used up; others scroll. */
  onKey(key: Key): boolean
  /** The user or another dialog closed it. */
  onClose?(): void
}

/** Of the host's widest dialog (docs/development/facts/opencode-host.md#tui-plugins). */
const MAX_COLUMNS = 116
const PADDING = 2
/** Title, the lines around the body and the edge of the dialog. */
const ROWS_AROUND = 6
const MIN_ROWS = 3
const WHEEL_LINES = 3

const COLOURS: Readonly<Record<Tone, string>> = {
  text: 'text',
  muted: 'textMuted',
  accent: 'primary',
  success: 'success',
  warning: 'warning',
  error: 'error',
}

/** Opens a dialog in place of the present one. @returns a function that closes it */
export function openFrame(ui: HostUi, model: FrameModel): () => void {
  const { api, createSignal, createElement, setProp, insert } = ui
  const { dialog } = api.ui
  const [offset, setOffset] = createSignal(0)
  const [size, setSize] = createSignal(sizeOf(ui))
  const columns = (): number => Math.max(20, Math.min(MAX_COLUMNS, size().width - 2) - 2 * PADDING)
  /** As drawn last, for the keys. */
  let shown = { from: 0, rows: 0, lines: 0 }
  let isOpen = true

  const scrollTo = (line: number): void =>
    void setOffset(Math.max(0, Math.min(line, shown.lines - shown.rows)))
  const onKey = (key: Key): boolean => {
    if (!isOpen || key.name === 'ctrl+c') return false
    if (model.onKey(key)) return true
    if (key.name === 'escape') return false
    const step = stepOf(key, shown.rows)
    if (step !== undefined) scrollTo(shown.from + step)
    return true
  }
  const resized = (): void => void setSize(sizeOf(ui))
  const renderer = api.renderer as unknown as {
    on?(what: 'resize', run: () => void): void
    off?(what: 'resize', run: () => void): void
  }
  const closed = (): void => {
    if (!isOpen) return
    isOpen = false
    stopKeys()
    renderer.off?.('resize', resized)
    model.onClose?.()
  }
  const stopKeys = interceptKeys(ui, onKey)
  renderer.on?.('resize', resized)

  const draw = (): unknown[] => {
    const width = columns()
    const { title, head, body, keep, keys } = model.content(width)
    const foot = hintLines([...keys, ['esc', 'close']], width)
    const { height } = size()
    const most = height - Math.floor(height / 4) - ROWS_AROUND - head.length - foot.length
    const rows = Math.max(MIN_ROWS, Math.min(body.length, most))
    const last = Math.max(0, body.length - rows)
    let from = Math.min(offset(), last)
    if (keep !== undefined) {
      if (keep[1] >= from + rows) from = keep[1] - rows + 1
      if (keep[0] < from) from = keep[0]
    }
    shown = { from, rows, lines: body.length }
    const place = placeOf(body, from, rows)
    const shownTitle = cut(title, width - (place === '' ? 0 : place.length + 2))
    const titleLine: Line = {
      spans: [
        { text: shownTitle, tone: 'accent' },
        {
          text: place.padStart(Math.max(place.length + 1, width - displayWidth(shownTitle))),
          tone: 'muted',
        },
      ],
    }
    const blank: Line = { spans: [{ text: ' ', tone: 'text' }] }
    return [titleLine, blank, ...head, ...body.slice(from, from + rows), blank, ...foot, blank].map(
      (line) => lineElement(ui, line),
    )
  }

  dialog.replace(() => {
    const box = createElement('box')
    setProp(box, 'flexDirection', 'column')
    setProp(box, 'paddingLeft', PADDING)
    setProp(box, 'paddingRight', PADDING)
    setProp(box, 'onMouseScroll', (event: { scroll?: { direction?: string } }) => {
      const direction = event.scroll?.direction
      if (direction === 'up') scrollTo(shown.from - WHEEL_LINES)
      if (direction === 'down') scrollTo(shown.from + WHEEL_LINES)
    })
    insert(box, draw)
    return box as never
  }, closed)
  dialog.setSize('xlarge')
  return () => {
    if (isOpen) dialog.clear()
  }
}

/** What is in sight of a body that is longer than its room, `1–20 of 40`. Pure. */
function placeOf(body: readonly Line[], from: number, rows: number): string {
  if (body.length <= rows) return ''
  const numberOf = (line: number): number => (body[line]?.item ?? line) + 1
  const last = body.length - 1
  return `${numberOf(from)}–${numberOf(Math.min(from + rows - 1, last))} of ${numberOf(last)}`
}

/** How far a key scrolls; undefined for a key that does not. */
function stepOf({ name }: Key, rows: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    up: -1,
    k: -1,
    down: 1,
    j: 1,
    pageup: 1 - rows,
    pagedown: rows - 1,
    space: rows - 1,
    home: -Infinity,
    end: Number.MAX_SAFE_INTEGER,
  }
  return steps[name]
}

/** The keys in as many lines as they need. Pure. */
function hintLines(keys: readonly Hint[], columns: number): readonly Line[] {
  const lines: Span[][] = [[]]
  let used = 0
  for (const [key, does] of keys) {
    const width = displayWidth(`${key} ${does}`)
    if (used > 0 && used + 2 + width > columns) {
      lines.push([])
      used = 0
    }
    const gap = used === 0 ? '' : '  '
    lines.at(-1)?.push({ text: `${gap}${key}`, tone: 'text' }, { text: ` ${does}`, tone: 'muted' })
    used += gap.length + width
  }
  return lines.map((spans) => ({ spans }))
}

function lineElement(ui: HostUi, { spans, selected, onClick }: Line): unknown {
  const { createElement, setProp, insert, effect, api } = ui
  // A host without a theme draws in its own colours.
  const { theme: themes } = api as { readonly theme?: { readonly current: object } }
  const theme = (): Readonly<Record<string, unknown>> =>
    (themes?.current ?? {}) as Readonly<Record<string, unknown>>
  const row = createElement('box')
  setProp(row, 'flexDirection', 'row')
  setProp(row, 'flexShrink', 0)
  setProp(row, 'height', 1)
  setProp(row, 'overflow', 'hidden')
  if (onClick !== undefined) setProp(row, 'onMouseUp', onClick)
  if (selected === true) effect(() => setProp(row, 'backgroundColor', theme().primary))
  for (const { text, tone } of spans) {
    const element = createElement('text')
    setProp(element, 'wrapMode', 'none')
    setProp(element, 'flexShrink', 0)
    effect(() =>
      setProp(
        element,
        'fg',
        selected === true ? theme().selectedListItemText : theme()[COLOURS[tone]],
      ),
    )
    insert(element, sureUnlessPath(text))
    insert(row, element)
  }
  return row
}

function sizeOf({ api }: Pick<HostUi, 'api'>): { readonly width: number; readonly height: number } {
  const { width = process.stdout.columns, height = process.stdout.rows } =
    api.renderer as unknown as { readonly width?: number; readonly height?: number }
  return { width: width || 80, height: height || 24 }
}
