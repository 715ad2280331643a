import { describe, expect, it } from 'vitest'

import { type Given, type Stage, stageOf } from './stage.js'

/** One action, how each surface is asked for it, and what must come of it. A new action or surface is a row or a column. */
interface ActionRow {
  readonly title: string
  readonly given?: Given
  /** For the model and, as JSON, for the command line. */
  readonly tool: readonly [name: string, args: Record<string, unknown>]
  readonly cli: readonly string[]
  /** Choices in the menu, and what is typed there; absent where the menu does not offer it. */
  readonly menu?: readonly string[]
  readonly typed?: string
  /** The choice in the dialog of the TUI; absent where it does not offer it. */
  readonly tui?: string
  /** What is the user's alone is refused to the model with these words. */
  readonly modelIsRefused?: string
  /** Every surface refuses it, or does not offer it. */
  readonly refused?: string
  readonly says?: string
  readonly after?: {
    readonly active?: number
    readonly rules?: Record<string, unknown>
    readonly ben?: Record<string, unknown> | null
  }
}

const BEN = 'account:uid-b'
const PINNED_ANN: Given = { rules: { pin: { uid: 'uid-a', mode: 'soft' } } }
const PROJECT_PINNED_ANN: Given = {
  rules: { projectPins: { PROJECT: { uid: 'uid-a', mode: 'soft' } } },
}
const PINNED_BEN: Given = { rules: { pin: { uid: 'uid-b', mode: 'soft' } } }
const DISABLED_BEN: Given = { accounts: [{}, { enabled: false }] }

const ACTIONS: readonly ActionRow[] = [
  {
    title: 'switch',
    tool: ['switch', { account: 2 }],
    cli: ['switch', '2'],
    menu: [BEN, 'switch'],
    tui: 'switch',
    says: 'New sessions go to Account 2 (Ben).',
    after: { active: 1, rules: {} },
  },
  {
    title: 'switch under a pin of another account',
    given: PINNED_ANN,
    tool: ['switch', { account: 2 }],
    cli: ['switch', '2'],
    menu: [BEN, 'switch'],
    tui: 'switch',
    modelIsRefused: 'Only the user can lift a pin',
    says: 'New sessions go to Account 2 (Ben).',
    after: { active: 1, rules: {} },
  },
  {
    title: 'switch under a pin of the project',
    given: PROJECT_PINNED_ANN,
    tool: ['switch', { account: 2 }],
    cli: ['switch', '2'],
    menu: [BEN, 'switch'],
    tui: 'switch',
    modelIsRefused: 'Only the user can lift a pin',
    says: 'New sessions go to Account 2 (Ben).',
    after: { active: 1, rules: {} },
  },
  {
    title: 'switch to a disabled account',
    given: DISABLED_BEN,
    tool: ['switch', { account: 2 }],
    cli: ['switch', '2'],
    menu: [BEN, 'switch'],
    tui: 'switch',
    refused: 'Account 2 (Ben) is disabled.',
  },
  {
    title: 'pin',
    tool: ['switch', { account: 2, pin: 'soft' }],
    cli: ['switch', '2', '--pin', 'soft'],
    menu: [BEN, 'pin'],
    tui: 'pin',
    says: 'Account 2 (Ben) is pinned (global, soft).',
    after: { active: 1, rules: { pin: { uid: 'uid-b', mode: 'soft' } } },
  },
  {
    title: 'pin alone',
    tool: ['switch', { account: 2, pin: 'hard' }],
    cli: ['switch', '2', '--pin', 'hard'],
    menu: [BEN, 'pin-hard'],
    tui: 'pin-hard',
    modelIsRefused: 'Only the user can set a hard pin',
    says: 'Account 2 (Ben) is pinned (global, hard).',
    after: { active: 1, rules: { pin: { uid: 'uid-b', mode: 'hard' } } },
  },
  {
    title: 'unpin',
    given: PINNED_BEN,
    tool: ['switch', {}],
    cli: ['switch'],
    menu: [BEN, 'unpin'],
    tui: 'unpin',
    modelIsRefused: 'Only the user can lift a pin',
    says: 'The pin is lifted.',
    after: { active: 0, rules: {} },
  },
  {
    title: 'disable',
    tool: ['toggle', { account: 2, enabled: false }],
    cli: ['toggle', '2'],
    menu: [BEN, 'toggle'],
    tui: 'toggle',
    says: 'Account 2 (Ben) is now disabled.',
    after: { ben: { enabled: false } },
  },
  {
    title: 'enable',
    given: DISABLED_BEN,
    tool: ['toggle', { account: 2, enabled: true }],
    cli: ['toggle', '2'],
    menu: [BEN, 'toggle'],
    tui: 'toggle',
    modelIsRefused: 'Only the user can enable an account',
    says: 'Account 2 (Ben) is now enabled.',
    after: { ben: { enabled: undefined } },
  },
  {
    title: 'label',
    tool: ['label', { account: 2, label: 'Second' }],
    cli: ['label', '2', 'Second'],
    menu: [BEN, 'label'],
    typed: 'Second',
    says: 'Account 2 (Second): label set.',
    after: { ben: { accountLabel: 'Second' } },
  },
  {
    title: 'tag',
    tool: ['tag', { account: 2, tags: 'Team, home' }],
    cli: ['tag', '2', 'Team, home'],
    says: 'Account 2 (Ben): tags team, home.',
    after: { ben: { accountTags: ['team', 'home'] } },
  },
  {
    title: 'note',
    tool: ['note', { account: 2, note: 'paid by the team' }],
    cli: ['note', '2', 'paid by the team'],
    says: 'Account 2 (Ben): note saved.',
    after: { ben: { accountNote: 'paid by the team' } },
  },
  {
    title: 'remove',
    tool: ['remove', { account: 2 }],
    cli: ['remove', '2', '--confirm'],
    menu: [BEN, 'remove', 'keep'],
    says: 'Account 2 (Ben) was removed; 2 left.',
    after: { ben: null },
  },
]

function expectAfter({ after = {} }: ActionRow, pool: Record<string, unknown>): void {
  const accounts = pool.accounts as Record<string, unknown>[]
  const ben = accounts.find(({ uid }) => uid === 'uid-b')
  if (after.active !== undefined) expect(pool.activeIndex).toBe(after.active)
  if (after.rules !== undefined) expect(pool.rules).toEqual(after.rules)
  if (after.ben === null) expect(ben).toBeUndefined()
  else if (after.ben !== undefined) {
    for (const [key, value] of Object.entries(after.ben)) expect(ben?.[key]).toEqual(value)
  }
}

describe.each(ACTIONS)('the action “$title”', (row) => {
  const { given, tool, cli, menu, tui, says = '', refused } = row
  const refusal = row.modelIsRefused ?? refused

  if (refusal === undefined)
    it('does and says the same as a tool of the model', async () => {
      const stage = await stageOf(given)
      expect(await stage.asModel(...tool)).toContain(says)
      expectAfter(row, await stage.pool())
    })
  else
    it('is refused to the model, and nothing changes', async () => {
      const stage = await stageOf(given)
      const before = await stage.pool()
      await expect(stage.asModel(...tool)).rejects.toThrow(refusal)
      expect(await stage.pool()).toEqual(before)
    })

  const surfaces: Readonly<Record<string, (stage: Stage) => Promise<readonly string[]>>> = {
    'on the command line': async (stage) => {
      const { code, stdout, stderr } = await stage.cli(...cli)
      expect(code).toBe(refused === undefined ? 0 : 1)
      if (refused !== undefined) expect(stderr).toContain(refused)
      return refused === undefined ? [stdout] : []
    },
    ...(menu && {
      'in the menu': async (stage) => {
        const { said, seen } = await stage.menu(menu, row.typed)
        // What comes of a removal is the title of the question whether to undo it.
        return refused === undefined ? [...said, ...seen.flat()] : said
      },
    }),
    ...(tui && { 'in the TUI': async (stage) => (await stage.tui(['uid-b', tui])).said }),
  }

  it.each(Object.entries(surfaces))('does and says the same %s', async (_name, act) => {
    const stage = await stageOf(given)
    const before = await stage.pool()
    const said = await act(stage)
    if (refused === undefined) {
      expect(said.join('\n')).toContain(says)
      expectAfter(row, await stage.pool())
    } else {
      // A list does not offer what would be refused.
      expect(said).toEqual([])
      expect(await stage.pool()).toEqual(before)
    }
  })
})

it('restores a removed account in the menu and by an import of its copy, at its old place', async () => {
  const menu = await stageOf()
  expect((await menu.menu(['account:uid-b', 'remove', 'undo'])).said.at(-1)).toBe(
    'Account 2 (Ben) is back.',
  )
  const cli = await stageOf()
  const { stdout } = await cli.cli('remove', '2', '--confirm', '--json')
  const { backup } = JSON.parse(stdout) as { backup: string }
  expect((await cli.cli('import', backup, '--confirm')).code).toBe(0)
  for (const stage of [menu, cli]) {
    const { accounts } = (await stage.pool()) as { accounts: { accountLabel: string }[] }
    expect(accounts.map(({ accountLabel }) => accountLabel).sort()).toEqual(['Ann', 'Ben', 'Cat'])
  }
})
