import { describe, expect, it } from 'vitest'

import { type HostNode, isLaidOutAnew, takenBeside } from '../../lib/tui/slots/room.js'

interface Look {
  readonly gap?: number
  readonly padding?: number
  readonly hidden?: boolean
  readonly floats?: boolean
}

/** An element of the host as its row holds it. */
function box(axis: 'row' | 'column', children: readonly HostNode[], look: Look = {}): HostNode {
  const node: HostNode = {
    primaryAxis: axis,
    width: 1,
    getChildren: () => children,
    getLayoutNode: () => ({
      getDisplay: () => (look.hidden === true ? 1 : 0),
      getPositionType: () => (look.floats === true ? 2 : 1),
      getGap: (gutter) => ({ unit: 1, value: gutter === 2 ? (look.gap ?? NaN) : NaN }),
      getComputedPadding: (edge) => (edge === 0 ? (look.padding ?? 0) : 0),
      isDirty: () => false,
    }),
  }
  for (const child of children) (child as { parent: HostNode }).parent = node
  return node
}

const text = (plainText: string, more: Partial<HostNode> = {}): HostNode => ({
  plainText,
  // As the layout squeezed it.
  width: 2,
  getChildren: () => [],
  ...more,
})

/** The row of the host beside the prompt: `Build · GPT-5.5 OpenAI` and the place of ours. */
function promptRow(ours: HostNode, left: readonly HostNode[] = [], more: readonly HostNode[] = []) {
  const model = box('row', [text('·'), text('GPT-5.5'), text('OpenAI'), ...left], { gap: 1 })
  const row = box(
    'row',
    [box('row', [text('Build'), model], { gap: 1 }), box('row', [ours, ...more], { gap: 1 })],
    { gap: 1 },
  )
  return box('column', [row])
}

describe('the room beside the prompt', () => {
  it('is what the host would need unsqueezed, whatever it has now', () => {
    const ours = text('')
    promptRow(ours)
    expect(takenBeside(ours)?.inAll).toBe('Build · GPT-5.5 OpenAI '.length + 1)
  })

  it('counts wide characters twice, and what other plugins show in the same place', () => {
    const ours = text('')
    promptRow(ours, [text('·'), text('日本')], [text('other')])
    const taken = takenBeside(ours)
    expect(taken?.within).toBe(' other'.length)
    expect(taken?.inAll).toBe('Build · GPT-5.5 OpenAI · 1234  other'.length + 1)
  })

  it('goes by what a text shows from the next frame on', () => {
    const ours = text('')
    const textNode = { children: ['GPT-6', { children: ['-astra'] }] }
    promptRow(ours, [text('old', { textNode })])
    expect(takenBeside(ours)?.inAll).toBe('Build · GPT-5.5 OpenAI GPT-6-astra '.length + 1)
  })

  it('leaves out what is hidden or floats', () => {
    const ours = text('')
    promptRow(ours, [
      box('row', [text('hidden')], { hidden: true }),
      box('row', [text('floating')], { floats: true }),
      text('invisible', { visible: false }),
    ])
    expect(takenBeside(ours)?.inAll).toBe('Build · GPT-5.5 OpenAI '.length + 1)
  })

  it('is all of it where nothing else is in the row, and unknown where the host has no rows to ask', () => {
    const alone = text('')
    box('row', [alone])
    expect(takenBeside(alone)?.inAll).toBe(1)
    const below = text('')
    box('column', [below])
    expect(takenBeside(below)).toBeUndefined()
    expect(takenBeside(text(''))).toBeUndefined()
    expect(takenBeside({ parent: { primaryAxis: 'row' } })).toBeUndefined()
    const broken = {
      get parent(): HostNode {
        throw new Error('gone')
      },
    }
    expect(takenBeside(broken)).toBeUndefined()
  })

  it('is asked for anew with every layout, also where the host does not tell of one', () => {
    const ours = text('')
    promptRow(ours)
    expect(isLaidOutAnew(ours)).toBe(false)
    expect(isLaidOutAnew(text(''))).toBe(true)
  })
})
