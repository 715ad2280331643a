import { displayWidth } from '../../kernel/text/sure-width.js'

/**
 * The part of the host's elements that is read, to know how much they would like to be wide. Another version may lack any
 * of it (docs/development/facts/opencode-host.md#tui-plugins).
 */
export interface HostNode {
  readonly parent?: HostNode | null | undefined
  readonly visible?: boolean
  readonly width?: number
  readonly primaryAxis?: string
  readonly plainText?: string
  /** Of a text: what it shows from the next frame on. */
  readonly textNode?: TextNode
  getChildren?(): readonly HostNode[]
  getLayoutNode?(): LayoutNode
}

interface TextNode {
  readonly children?: readonly (string | TextNode)[]
}

/** A node of the host's layout engine (yoga). */
export interface LayoutNode {
  getDisplay?(): number
  getPositionType?(): number
  getGap?(gutter: number): unknown
  getComputedPadding?(edge: number): number
  setMeasureFunc?(measure: Measure): void
  markDirty?(): void
  isDirty?(): boolean
}

/** @param mode 0 the width does not matter, 1 exactly so wide, 2 at most so wide */
type Measure = (width: number, mode: number) => { width: number; height: number }

const NOT_DISPLAYED = 1
const ABSOLUTE = 2
const GUTTERS = { column: 0, all: 2 }
const EDGES = { left: 0, right: 2 }
const USUAL_GAP = 1
/** Between the host's text and ours, beside what the host leaves itself. */
const MARGIN = 1
/** Rows within rows that are looked at; the host has two. */
const MAX_LEVELS = 4

/** Columns that others have of a row. */
export interface Taken {
  /** Of the outermost row, with those within. */
  readonly inAll: number
  /** Of the rows within the outermost. */
  readonly within: number
}

/**
 * Columns that are taken beside an element by those it shares its rows with, when none of them is squeezed. Undefined
 * where this host has no such elements to ask.
 */
export function takenBeside(element: HostNode): Taken | undefined {
  try {
    let [inAll, within] = [0, 0]
    let [node, row] = [element, element.parent]
    for (let level = 0; row?.primaryAxis === 'row' && level < MAX_LEVELS; level += 1) {
      if (row.getChildren === undefined) return undefined
      const others = row.getChildren().filter((child) => child !== node && isShown(child))
      within = inAll
      inAll += paddingOf(row)
      for (const other of others) inAll += naturalWidth(other) + gapOf(row)
      ;[node, row] = [row, row.parent]
    }
    return node === element ? undefined : { inAll: inAll + MARGIN, within }
  } catch {
    return undefined
  }
}

/** True when the host computes the places of its elements before it draws the next frame. */
export function isLaidOutAnew(element: HostNode): boolean {
  let top = element
  while (top.parent !== undefined && top.parent !== null) top = top.parent
  return top.getLayoutNode?.().isDirty?.() ?? true
}

function naturalWidth(node: HostNode): number {
  if (node.plainText !== undefined || node.textNode !== undefined) return textWidth(node)
  const children = node.getChildren?.().filter(isShown) ?? []
  if (children.length === 0) return ownWidth(node)
  const widths = children.map(naturalWidth)
  const inner =
    node.primaryAxis === 'row'
      ? widths.reduce((sum, width) => sum + width, 0) + gapOf(node) * (widths.length - 1)
      : Math.max(...widths)
  return inner + paddingOf(node)
}

function ownWidth({ width = 0 }: HostNode): number {
  // The host calls an empty element one column wide.
  return width <= 1 ? 0 : width
}

function textWidth({ plainText = '', textNode }: HostNode): number {
  const coming = textNode === undefined ? '' : textOf(textNode)
  const text = coming === '' ? plainText : coming
  return Math.max(...text.split('\n').map(displayWidth))
}

function textOf(node: TextNode): string {
  return (node.children ?? [])
    .map((child) => (typeof child === 'string' ? child : textOf(child)))
    .join('')
}

function isShown(node: HostNode): boolean {
  const layout = node.getLayoutNode?.()
  return (
    node.visible !== false &&
    layout?.getDisplay?.() !== NOT_DISPLAYED &&
    layout?.getPositionType?.() !== ABSOLUTE
  )
}

function gapOf(node: HostNode): number {
  const layout = node.getLayoutNode?.()
  const gaps = [GUTTERS.column, GUTTERS.all].map((gutter) => numberOf(layout?.getGap?.(gutter)))
  return gaps.find((gap) => gap !== undefined) ?? (layout?.getGap === undefined ? USUAL_GAP : 0)
}

function paddingOf(node: HostNode): number {
  const layout = node.getLayoutNode?.()
  const of = (edge: number): number => numberOf(layout?.getComputedPadding?.(edge)) ?? 0
  return of(EDGES.left) + of(EDGES.right)
}

/** Styles are numbers or values with a unit, and not numbers where nothing is set. */
function numberOf(value: unknown): number | undefined {
  const number =
    typeof value === 'object' && value !== null && 'value' in value ? value.value : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}
