import { readFile, rm, writeFile } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import { openAccountsDialog, openCommandDialog } from '../../lib/dialog-entry.js'
import { DEFAULT_CONFIG } from '../../lib/config/settings.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { parseLedger } from '../../lib/quota/ledger-state.js'
import { displayWidth } from '../../lib/kernel/text/sure-width.js'
import { TOOL_SUMMARIES } from '../../lib/slash-commands/tool-list.js'
import type { Opening } from '../../lib/tui/dialog-chunk.js'
import { poolView, type PoolView } from '../../lib/tui/pool-view.js'
import { coreOver } from '../support/core-over.js'
import { tuiHost } from '../support/tui-host.js'

/** A dialog over real files and the simulator; `refresh` takes the place of the watch. */
async function dialogOver(
  names: readonly string[],
  options: Parameters<typeof coreOver>[1] & { columns?: number; rows?: number } = {},
) {
  const { core, simulator, home } = await coreOver(
    names.map((name) => ({
      name,
      windows: [
        { minutes: 300, limit: 100, used: 92 },
        { minutes: 10_080, limit: 100, used: 40 },
      ],
    })),
    options,
  )
  const { runtime } = core
  const paths = resolvePaths(runtime.env)
  const tui = tuiHost(options.columns ?? 120, options.rows ?? 40)
  let view: PoolView | undefined
  const refresh = async (): Promise<void> => {
    view = poolView({
      pool: await runtime.store.read(),
      ledger: parseLedger(await readFile(paths.quotaFile, 'utf8').catch(() => '{"version":1}')),
      holds: new Map(),
      nowMs: Date.now(),
      config: DEFAULT_CONFIG,
      project: undefined,
    })
  }
  await refresh()
  const opening: Opening = {
    ui: tui.ui,
    where: { env: runtime.env, directory: home, hostVersion: '1.18.33' },
    view: () => view,
    now: () => Date.now(),
  }
  return { ...tui, opening, refresh, simulator, home, file: paths.accountsFile }
}

function widest(screen: string): number {
  return Math.max(...screen.split('\n').map((line) => displayWidth(line.trimEnd())))
}

describe('a command in a dialog', () => {
  it.each(Object.keys(TOOL_SUMMARIES).filter((name) => name !== 'doctor'))(
    '/codex-%s opens without an argument, asks no model, and Esc leaves it',
    async (name) => {
      const { opening, screen, press, simulator } = await dialogOver(['a', 'b'])
      void openCommandDialog(opening, name, '')
      for (let tries = 0; screen() === '' && tries < 500; tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 5))
      expect(screen()).not.toBe('')
      for (let tries = 0; / …$/m.test(screen()) && tries < 1_000; tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 10))
      expect(screen()).not.toMatch(/ …$/m)
      press('escape')
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(screen()).toBe('')
      expect(simulator.requests.map(({ path }) => path).join(' ')).not.toContain('responses')
    },
  )

  it('runs a typed line at once', async () => {
    const { opening, waitFor, file } = await dialogOver(['a', 'b'])
    await openCommandDialog(opening, 'label', '2 work in progress')
    await waitFor('label set')
    expect(await readFile(file, 'utf8')).toContain('work in progress')
  })

  it('says what is wrong with a line, and how it is used', async () => {
    const { opening, screen } = await dialogOver(['a'])
    await openCommandDialog(opening, 'label', '1 --nothing x')
    expect(screen()).toMatch(/nothing/)
    expect(screen()).toContain('Usage: ')
  })

  it('draws an output anew for another width, and cuts nothing', async () => {
    const { opening, waitFor, resize, screen } = await dialogOver(['a', 'b'])
    await openCommandDialog(opening, 'limits', '')
    const wide = await waitFor('60%')
    for (const columns of [60, 80, 100, 121, 130, 160, 200]) {
      resize(columns, 40)
      expect(widest(screen())).toBeLessThanOrEqual(Math.min(116, columns - 2) - 4)
    }
    resize(60, 40)
    expect(screen()).not.toBe(wide)
    expect(screen().replace(/\s+/g, '')).toContain('r refresh'.replace(' ', ''))
  })

  it.each([80, 100, 121, 200])(
    'tells of a status at %i columns when each window resets, and cuts nothing',
    async (columns) => {
      const { opening, waitFor } = await dialogOver(['a', 'b'], { columns })
      await openCommandDialog(opening, 'limits', '')
      await waitFor('60%')
      await openCommandDialog(opening, 'status', '')
      const screen = await waitFor('Strategy: ')
      expect(screen.match(/\d\d:\d\d/g)?.length).toBeGreaterThanOrEqual(4)
      expect(screen).not.toMatch(/\S… /)
    },
  )

  it('shows states and low windows in the colours of the theme', async () => {
    const { opening, waitFor, colours } = await dialogOver(['a', 'b'])
    await openCommandDialog(opening, 'limits', '')
    await waitFor('60%')
    await openCommandDialog(opening, 'list', '')
    await waitFor('active')
    const pieces = colours().flat()
    expect(pieces.find(({ text }) => text === 'active')?.fg).toBe('success')
    expect(pieces.find(({ text }) => text.includes('8%'))?.fg).toBe('error')
  })

  it('shows a preview first, removes on y alone, and puts back on u', async () => {
    const { opening, waitFor, press, file, refresh, waitForToast } = await dialogOver(['a', 'b'])
    await openCommandDialog(opening, 'remove', '2')
    expect(await waitFor('y remove it')).toContain('press y to remove it.')
    expect(JSON.parse(await readFile(file, 'utf8')).accounts).toHaveLength(2)
    press('y')
    await waitFor('u put it back')
    expect(JSON.parse(await readFile(file, 'utf8')).accounts).toHaveLength(1)
    press('u')
    await waitForToast('is back')
    await refresh()
    expect(JSON.parse(await readFile(file, 'utf8')).accounts).toHaveLength(2)
  })

  it('puts the result on the clipboard by the terminal', async () => {
    const { opening, waitFor, press, copies } = await dialogOver(['a'])
    await openCommandDialog(opening, 'next', '')
    await waitFor('c copy')
    press('c')
    expect(copies).toHaveLength(1)
    expect(copies[0]).not.toBe('')
  })

  it('stops what runs when it is left', async () => {
    const { opening, screen, press, simulator, toasts } = await dialogOver(['a', 'b'])
    await openCommandDialog(opening, 'limits', '')
    expect(screen()).toContain('Asking the backend what is left …')
    press('escape')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(screen()).toBe('')
    expect(toasts).toEqual([])
    expect(simulator.requests.map(({ path }) => path)).not.toContain('/backend-api/wham/usage')
  })
})

describe('the accounts dialog', () => {
  const openOver = async (
    names: readonly string[],
    options: Parameters<typeof dialogOver>[1] = {},
  ): Promise<Awaited<ReturnType<typeof dialogOver>>> => {
    const stage = await dialogOver(names, options)
    openAccountsDialog(stage.opening)
    return stage
  }
  /** The keys that the dialog offers. */
  const offers = (screen: string): string => screen.slice(screen.indexOf('↑↓'))

  it('says how to begin when there is no account', async () => {
    const { screen } = await openOver([])
    expect(screen()).toContain('No account is signed in. ctrl+n signs one in, ctrl+g imports.')
    expect(screen()).not.toMatch(/enter choose|sort by/)
  })

  it.each(['status', 'list', 'limits', 'dashboard', 'health', 'warm'])(
    'offers in /codex-%s no key that would find no account',
    async (name) => {
      const none = await dialogOver([])
      await openCommandDialog(none.opening, name, '')
      const screen = await none.waitFor('c copy')
      expect(screen).toContain('/connect')
      expect(screen.slice(screen.indexOf('/connect'))).not.toMatch(
        /why|switch|pin|enable|name|read limits|forget/,
      )
      const one = await dialogOver(['a'])
      await openCommandDialog(one.opening, name, '')
      expect(await one.waitFor('c copy')).not.toMatch(/s switch/)
    },
  )

  it('leads to the sign-in of the host', async () => {
    const { press, dispatched } = await openOver([])
    press('ctrl+n')
    expect(dispatched).toEqual(['provider.connect'])
  })

  it('cuts nothing in a narrow terminal but names, which end in a sign of it', async () => {
    const name = 'A very long label of an account that nobody would ever choose but somebody did'
    const { screen, press, type, waitFor, toasts } = await openOver(['a', 'b'], {
      columns: 60,
      rows: 60,
      change: (account, index) => (index === 1 ? { ...account, accountLabel: name } : account),
    })
    const fits = (): void => expect(widest(screen())).toBeLessThanOrEqual(54)
    fits()
    press('down', 'return')
    const menu = await waitFor('Pin it alone')
    fits()
    expect(menu).toMatch(/^2 A very long label .*…/)
    expect(menu.replaceAll(/\s+/g, ' ')).toContain('others help out when it cannot serve')
    type('remove')
    press('return')
    await waitFor('Keep it')
    fits()
    press('down', 'return')
    await waitFor(/ctrl\+u put A very long .*… back/)
    expect(toasts.join()).toContain('was removed')
    fits()
    const none = await openOver([], { columns: 60 })
    expect(widest(none.screen())).toBeLessThanOrEqual(54)
    expect(none.screen().replaceAll(/\s+/g, ' ')).toContain('ctrl+n signs one in, ctrl+g imports.')
  })

  it('says that no account is left, whatever the filter, when the file vanishes under the list', async () => {
    const { screen, type, refresh, file } = await openOver(['ann', 'ben'])
    type('be')
    expect(screen()).toMatch(/› 2/)
    await rm(file)
    await refresh()
    expect(screen()).toContain('No account is signed in.')
    expect(screen()).not.toContain('Nothing fits')
  })

  it('counts accounts and not lines where it does not show all of them', async () => {
    const names = Array.from({ length: 14 }, (_, place) => `account${place}`)
    const { screen, press } = await openOver(names, { columns: 60, rows: 30 })
    expect(screen()).toMatch(/Codex accounts: 14 accounts +1–\d+ of 14/)
    press('end')
    expect(screen()).toMatch(/\d+–14 of 14/)
  })

  it('comes back when the sign-in of the host has ended, with the cursor on the new account', async () => {
    const { press, screen, opening, refresh, file, waitFor } = await openOver(['a', 'b'])
    const { dialog } = opening.ui.api.ui
    const pool = await readFile(file, 'utf8')
    const { accounts, ...rest } = JSON.parse(pool) as { accounts: object[] }
    await writeFile(file, JSON.stringify({ ...rest, accounts: accounts.slice(0, 1) }))
    await refresh()
    press('ctrl+n')
    // One dialog of the host hands on to the next.
    for (let step = 0; step < 3; step += 1) {
      dialog.replace(() => ({ tag: 'box', props: {}, children: [] }) as never)
      await new Promise((resolve) => setTimeout(resolve, 150))
      expect(screen()).toBe('')
    }
    await writeFile(file, pool)
    await refresh()
    dialog.clear()
    expect(await waitFor('Codex accounts: 2 accounts')).toMatch(/^› 2/m)
  })

  it('comes back when an import is left', async () => {
    const { press, waitFor } = await openOver(['a'])
    press('ctrl+g')
    await waitFor('codex-import')
    press('escape')
    await waitFor('Codex accounts: 1 account')
  })

  it('offers only what changes something', async () => {
    const { screen, press } = await openOver(['a', 'b'], {
      change: (account, index) => (index === 1 ? { ...account, enabled: false } : account),
    })
    expect(offers(screen())).not.toMatch(/ctrl\+s|lift the pin/)
    press('down')
    expect(offers(screen())).toContain('ctrl+e enable')
    expect(offers(screen())).not.toMatch(/ctrl\+s|ctrl\+p|ctrl\+r/)
  })

  it('takes letters for the filter and never for an action', async () => {
    const { screen, type, press, file } = await openOver(['ann', 'ben', 'cat'])
    const before = await readFile(file, 'utf8')
    type('ben')
    expect(screen()).toContain('Filter: ben')
    type('sderlpy')
    expect(screen()).toContain('Nothing fits.')
    press('escape')
    expect(screen()).toContain('Type to filter')
    expect(await readFile(file, 'utf8')).toBe(before)
  })

  it('sorts by what is left', async () => {
    const { screen, press } = await openOver(['a', 'b', 'c'], {
      change: (account, index) => (index === 0 ? { ...account, enabled: false } : account),
    })
    press('ctrl+o')
    const lines = screen()
      .split('\n')
      .filter((line) => /^[› ] +\d/.test(line))
    expect(lines.map((line) => /\d/.exec(line)?.[0])).toEqual(['2', '3', '1'])
  })

  it('says that an account is gone that another window removed', async () => {
    const { opening, press, toasts, waitForToast, file } = await openOver(['a', 'b'])
    const stored = JSON.parse(await readFile(file, 'utf8')) as { accounts: unknown[] }
    await writeFile(file, JSON.stringify({ ...stored, accounts: stored.accounts.slice(0, 1) }))
    press('down', 'ctrl+e')
    await waitForToast('The account is gone')
    expect(toasts).toHaveLength(1)
    expect(opening.view()?.accounts).toHaveLength(2)
  })

  it('goes on when the files vanish while it is open', async () => {
    const { press, screen, refresh, waitForToast, file } = await openOver(['a', 'b'])
    await rm(file)
    press('down', 'ctrl+s')
    await waitForToast(/gone|No ChatGPT account/)
    await refresh()
    expect(screen()).toContain('No account is signed in')
  })

  it('removes after a question, and offers to put back', async () => {
    const { press, waitFor, waitForToast, refresh, file } = await openOver(['a', 'b'])
    press('down', 'ctrl+d')
    await waitFor('Remove 2')
    press('down', 'return')
    await waitForToast('was removed; 1 left.')
    await refresh()
    await waitFor('ctrl+u put')
    press('ctrl+u')
    await waitForToast('is back')
    expect(JSON.parse(await readFile(file, 'utf8')).accounts).toHaveLength(2)
  })

  it.each([60, 80, 100, 121, 130, 160, 200])(
    'shows every state and every reset in full at %i columns',
    async (columns) => {
      const stage = await dialogOver(['a', 'b'], { columns })
      await openCommandDialog(stage.opening, 'limits', '')
      await stage.waitFor('60%')
      await stage.refresh()
      openAccountsDialog(stage.opening)
      expect(stage.screen()).toMatch(
        columns === 60
          ? /active\n *5h +8% (?:\w{3} )?\d+:\d\d +7d +60% [^\n]*\d+:\d\d\n/
          : /active +5h +8% (?:\w{3} )?\d+:\d\d +7d +60% [^\n]*\d+:\d\d/,
      )
      expect(stage.screen()).not.toContain('…@…')
      expect(widest(stage.screen())).toBeLessThanOrEqual(Math.min(116, columns - 2) - 4)
    },
  )

  it('shows 200 accounts a screen at a time, follows the cursor, and draws within a key press', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `n${index}`)
    const { screen, press } = await openOver(names, { rows: 30 })
    expect(screen()).toMatch(/of 200/)
    expect(screen().split('\n').length).toBeLessThan(30)
    press('end')
    expect(screen()).toMatch(/› 200 /)
    press('up')
    expect(screen()).toMatch(/› 199 /)
  }, 60_000)

  it('shows names that are hostile, wide or written from the right as one line of plain text', async () => {
    const labels = ['工作 🧑‍🚀 أحمد', '\x1b]52;c;aGk=\x07\x1b[31mred\nline', '\u202egnorw']
    const { screen } = await openOver(['a', 'b', 'c'], {
      columns: 80,
      change: (account, index) => ({ ...account, accountLabel: labels[index] ?? '' }),
    })
    expect(screen()).toContain('工作')

    expect(screen()).not.toMatch(/[\x1b\x07\u202e]/)
    expect(widest(screen())).toBeLessThanOrEqual(74)
  })
})

describe('a host of another version', () => {
  it.each<[string, (api: Record<string, unknown>) => void]>([
    ['has no key interception', (api) => delete (api.keymap as Record<string, unknown>).intercept],
    ['has no keymap', (api) => delete api.keymap],
    ['has no theme', (api) => delete api.theme],
    ['tells no resize', (api) => delete (api.renderer as Record<string, unknown>).on],
  ])('that %s shows the dialogs all the same', async (_what, change) => {
    const stage = await dialogOver(['a', 'b'])
    change(stage.opening.ui.api)
    openAccountsDialog(stage.opening)
    expect(stage.screen()).toContain('Codex accounts: 2 accounts')
    await openCommandDialog(stage.opening, 'next', '')
    await stage.waitFor('c copy')
  })
})
