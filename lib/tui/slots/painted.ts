import { createElement, effect, setProp } from '@opentui/solid'

import { fitting, type Level, type Line } from '../status-line.js'
import { displayWidth, sureText } from '../../kernel/text/sure-width.js'
import { type HostNode, isLaidOutAnew, type LayoutNode, type Taken, takenBeside } from './room.js'

/** What of the host's elements is used beside what `HostNode` reads. */
interface PaintedNode extends HostNode {
  readonly x: number
  readonly y: number
  onLifecyclePass?: (() => void) | null
  renderAfter?: (buffer: Buffer) => void
  onMouseUp?: (event: { readonly y?: number }) => void
  requestRender?(): void
}

interface Buffer {
  drawText(text: string, x: number, y: number, colour: unknown): void
}

type Theme = Readonly<Record<'text' | 'textMuted' | 'warning' | 'error', unknown>>

const COLOURS: Readonly<Record<Level, keyof Theme>> = {
  muted: 'textMuted',
  text: 'text',
  warning: 'warning',
  error: 'error',
}

/** Where elements are drawn and clicked. */
export interface PaintContext {
  readonly theme: { readonly current: unknown }
  /** @param line from 0 */
  readonly onClick?: (line: number) => void
}

/**
 * A width of ours ends in this part of a column. The layout asks for a size twice: with the room of the row, then, inside
 * of it, with what was answered first; the part tells the second question from the first. It is too small to be more than
 * a rounding error to the layout, and large enough for its 32-bit numbers.
 */
const OURS = 2 ** -14
const ANY_WIDTH = 0
/** The host's sidebar is a little wider. */
const NARROW_COLUMNS = 36

/**
 * The widest of some forms of one line that fits beside what else is in the row. It is chosen while the host lays its
 * elements out, so that no frame shows a form that is too wide, whatever made the row narrower.
 */
export function paintedLine(context: PaintContext, read: () => readonly Line[]): unknown {
  let forms: readonly Line[] = []
  let taken: Taken | undefined
  const painted = paint(context, {
    measure(width, mode) {
      if (mode === ANY_WIDTH) return sizeOf(forms.at(-1))
      if (width % 1 === OURS)
        return sizeOf(fitting(forms, Math.floor(width) - (taken?.within ?? 0)))
      // A host that cannot be asked what else is in the row has room for the shortest form, if for any.
      return taken === undefined
        ? sizeOf(fitting(forms.slice(-1), width / 4))
        : sizeOf(fitting(forms, width - taken.inAll))
    },
    linesAt: (width) => [fitting(forms, width) ?? []].flat(),
    plain: () => forms.slice(-1),
  })
  if (painted.layout !== undefined)
    painted.node.onLifecyclePass = () => {
      const before = taken
      taken = takenBeside(painted.node)
      // The layout would take an answer for more room again while it fits, whatever else is in the row.
      if (isLaidOutAnew(painted.node) || JSON.stringify(taken) !== JSON.stringify(before))
        painted.layout.markDirty?.()
    }
  effect(() => {
    forms = read()
    painted.changed(forms)
  })
  return painted.node
}

function sizeOf(form: Line | undefined): { width: number; height: number } {
  return form === undefined ? { width: 0, height: 0 } : { width: form.width + OURS, height: 1 }
}

/** Lines below each other. @param read the lines for a width in columns; none is wider */
export function paintedLines(
  context: PaintContext,
  read: () => (width: number) => readonly Line[],
): unknown {
  let linesFor: (width: number) => readonly Line[] = () => []
  const painted = paint(context, {
    measure(width, mode) {
      const lines = linesFor(mode === ANY_WIDTH ? NARROW_COLUMNS : Math.floor(width))
      return { width: Math.max(0, ...lines.map((line) => line.width)), height: lines.length }
    },
    linesAt: (width) => linesFor(width),
    plain: () => linesFor(NARROW_COLUMNS),
  })
  effect(() => {
    linesFor = read()
    painted.changed(linesFor(NARROW_COLUMNS))
  })
  return painted.node
}

interface Content {
  measure(width: number, mode: number): { width: number; height: number }
  linesAt(width: number): readonly Line[]
  /** Where nothing can be measured or drawn. */
  readonly plain: () => readonly Line[]
}

function paint({ theme, onClick }: PaintContext, content: Content) {
  const colourOf = (level: Level): unknown => (theme.current as Theme)[COLOURS[level]]
  const box = createElement('box') as PaintedNode
  const layout = measurable(box)
  if (layout?.setMeasureFunc === undefined) return plainText(content, colourOf)
  layout.setMeasureFunc((width, mode) => {
    try {
      return content.measure(width, mode)
    } catch {
      return { width: 0, height: 0 }
    }
  })
  box.renderAfter = (buffer) => {
    try {
      draw(content.linesAt(box.width ?? 0), box, (text, x, y, level) =>
        buffer.drawText(text, x, y, colourOf(level)),
      )
    } catch {
      // An error here would end the host.
    }
  }
  if (onClick !== undefined) box.onMouseUp = ({ y = 0 }) => onClick(y - box.y)
  let drawn = ''
  return {
    node: box,
    layout,
    /** Has the host draw again, when there is something new to draw. */
    changed(lines: readonly Line[]): void {
      const next = JSON.stringify(lines)
      if (next === drawn) return
      drawn = next
      layout.markDirty?.()
      box.requestRender?.()
    },
  }
}

function draw(
  lines: readonly Line[],
  at: { readonly x: number; readonly y: number },
  put: (text: string, x: number, y: number, level: Level) => void,
): void {
  lines.forEach(({ spans }, row) => {
    let { x } = at
    for (const { text, level } of spans) {
      put(sureText(text), x, at.y + row, level)
      x += displayWidth(text)
    }
  })
}

/** For a host whose elements can be neither measured nor drawn on: a text that is cut where its room ends. */
function plainText({ plain }: Content, colourOf: (level: Level) => unknown) {
  const node = createElement('text') as PaintedNode
  setProp(node, 'wrapMode', 'none')
  return {
    node,
    layout: undefined,
    changed(): void {
      const lines = plain()
      const text = lines
        .map(({ spans }) => spans.map((span) => sureText(span.text)).join(''))
        .join('\n')
      setProp(node, 'content', text)
      setProp(
        node,
        'fg',
        colourOf(lines.length === 1 ? (lines[0]?.spans[0]?.level ?? 'muted') : 'muted'),
      )
    },
  }
}

function measurable(node: HostNode): LayoutNode | undefined {
  try {
    return node.getLayoutNode?.()
  } catch {
    return undefined
  }
}
