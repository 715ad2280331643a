import { beforeEach, describe, expect, it, vi } from 'vitest'

import { lineOf } from '../../lib/tui/status-line.js'
import type { HostNode } from '../../lib/tui/slots/room.js'

type Measure = (width: number, mode: number) => { width: number; height: number }

/** What the host keeps of an element. */
interface FakeNode extends HostNode {
  parent: HostNode | null
  width: number
  x: number
  y: number
  content?: string
  wrapMode?: string
  dirty: number
  drawn: number
  onLifecyclePass?: () => void
  renderAfter?: (buffer: { drawText: (...args: unknown[]) => void }) => void
  onMouseUp?: (event: { y: number }) => void
}

// What the host supplies at run time; it is installed nowhere else.
const host = vi.hoisted((): { measure?: unknown; isOld: boolean } => ({ isOld: false }))
vi.mock('@opentui/solid', () => ({
  createElement: (): FakeNode => {
    const node: FakeNode = {
      parent: null,
      width: 1,
      x: 0,
      y: 0,
      dirty: 0,
      drawn: 0,
      ...(host.isOld
        ? {}
        : {
            getLayoutNode: () => ({
              setMeasureFunc: (measure: unknown) => (host.measure = measure),
              markDirty: () => void (node.dirty += 1),
              isDirty: () => false,
            }),
          }),
    }
    return Object.assign(node, { requestRender: () => void (node.drawn += 1) })
  },
  setProp: (node: object, name: string, value: unknown) => Object.assign(node, { [name]: value }),
  effect: (run: () => void) => run(),
}))
const { paintedLine, paintedLines } = await import('../../lib/tui/slots/painted.js')

const WIDE = 'a name 5h 60% 14:20'
const SHORT = '5h 60%'
const forms = [WIDE, SHORT].map((text) => lineOf({ text, level: 'error' }))
const theme = { current: { error: 'red', textMuted: 'grey', text: 'white', warning: 'yellow' } }

/** A row that holds a text of the host and ours, as the layout sees it before the next frame. */
function rowOf(node: FakeNode, taken: string): void {
  const beside: HostNode = { plainText: taken }
  node.parent = { primaryAxis: 'row', parent: null, getChildren: () => [beside, node] }
  node.onLifecyclePass?.()
}

const measure: Measure = (width, mode) => (host.measure as Measure)(width, mode)
const asked = (width: number): number => Math.floor(measure(width, 2).width)

function drawn(node: FakeNode): unknown[][] {
  const calls: unknown[][] = []
  node.renderAfter?.({ drawText: (...args) => void calls.push(args) })
  return calls
}

beforeEach(() => {
  host.isOld = false
})

describe('the line that is drawn beside the prompt', () => {
  const line = (): FakeNode => paintedLine({ theme }, () => forms) as FakeNode

  it('takes the widest form that leaves the host its text, when the layout asks', () => {
    const node = line()
    rowOf(node, 'Build · GPT-5.5')
    const whole = 'Build · GPT-5.5'.length + 2 + WIDE.length
    expect([whole, whole - 1].map(asked)).toEqual([WIDE.length, SHORT.length])
    expect(asked('Build · GPT-5.5'.length + 2)).toBe(0)
  })

  it('answers the question from within with what it answered from without', () => {
    const node = line()
    rowOf(node, 'Build')
    for (const width of [100, 20]) {
      const outer = measure(width, 2)
      expect(measure(outer.width, 2)).toEqual(outer)
      expect(measure(Math.fround(outer.width), 2)).toEqual(outer)
    }
  })

  it('is measured again with every layout, and with a new text beside it', () => {
    const node = line()
    rowOf(node, 'Build')
    const before = node.dirty
    node.onLifecyclePass?.()
    expect(node.dirty).toBeGreaterThan(before)
  })

  it('draws the form of its width in the colours of the theme, and nothing where it has none', () => {
    const node = line()
    Object.assign(node, { width: SHORT.length, x: 40, y: 7 })
    expect(drawn(node)).toEqual([[SHORT, 40, 7, 'red']])
    expect(drawn(Object.assign(node, { width: 1 }))).toEqual([])
  })

  it('has room for the shortest form where the host cannot be asked what else is in the row', () => {
    line()
    expect([200, 30, 10].map(asked)).toEqual([SHORT.length, SHORT.length, 0])
  })

  it('ends no host that draws in another way', () => {
    const node = line()
    node.width = SHORT.length
    expect(() => node.renderAfter?.({} as never)).not.toThrow()
  })
})

describe('a host whose elements cannot be measured', () => {
  it('shows the shortest form as a text of its own, and the block of the sidebar without colours', () => {
    host.isOld = true
    const node = paintedLine({ theme }, () => forms) as FakeNode
    expect(node).toMatchObject({ content: SHORT, wrapMode: 'none', fg: 'red' })
    const block = paintedLines({ theme }, () => () => forms) as FakeNode
    expect(block).toMatchObject({ content: `${WIDE}\n${SHORT}`, fg: 'grey' })
  })
})

describe('lines below each other', () => {
  it('are drawn row by row, and a click names its line', () => {
    const clicks: number[] = []
    const context = { theme, onClick: (line: number) => void clicks.push(line) }
    const node = paintedLines(context, () => () => forms) as FakeNode
    expect(measure(36, 1)).toEqual({ width: WIDE.length, height: 2 })
    Object.assign(node, { width: 36, x: 2, y: 10 })
    expect(drawn(node).map(([text, , y]) => [text, y])).toEqual([
      [WIDE, 10],
      [SHORT, 11],
    ])
    node.onMouseUp?.({ y: 11 })
    expect(clicks).toEqual([1])
  })
})
