import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { AccountPool } from '../../lib/accounts/account.js'
import { formatLine } from '../../lib/history/lines.js'
import { formatLedger } from '../../lib/quota/ledger-state.js'
import type { QuotaWindow } from '../../lib/routing/limits.js'
import { noTerminal, openTerminal, type Terminal } from '../support/tmux.js'
import { useStage } from './setup.js'

const ROWS = 45
const HOUR_MS = 3_600_000
const WIDTHS = [60, 80, 100, 121, 130, 160, 200]
/** Columns from which on the host shows its sidebar beside the session. */
const SIDEBAR_FROM = 121
const WINDOWS = [
  { minutes: 300, limit: 100, used: 20 },
  { minutes: 10_080, limit: 100, used: 88 },
]

/** The whole line of ours in any of its forms, from the narrowest on. */
const TIME = String.raw`(?:\w{3} |\d{1,2} \w{3} )?\d\d:\d\d`
const SHORT = /^[57][hd] \d+%$/
const BOTH = /^5h \d+% {2}7d \d+%$/
const TIMES = new RegExp(`^5h \\d+% ${TIME} {2}7d \\d+% ${TIME}$`)
const BARS = new RegExp(`^5h [█░]{6} \\d+% ${TIME} {2}7d [█░]{6} \\d+% ${TIME}$`)
const NAME = new RegExp(`^pe…@e….test {2}${BARS.source.slice(1)}`)
const FORMS = [SHORT, BOTH, TIMES, BARS, NAME]

/** Beside the prompt: what the host says, whole and on one row, and what we say. */
function promptRow(screen: string): { host: string; ours: string; below: string } {
  const lines = screen.split('\n')
  const at = lines.findIndex((line) => /┃ {2}(?:Build|Plan)/.test(line))
  // The sidebar begins behind three columns or more.
  const [, host = '', ours = ''] =
    /┃ {2}((?:Build|Plan)(?: ?\S+)+)(?: {2,}(\S.*?))?(?: {5,}.*)?$/.exec(lines[at] ?? '') ?? []
  return { host, ours, below: lines[at + 1]?.trim() ?? '' }
}

/** What shows that neither text is squeezed; the form of ours by its place in `FORMS`. */
function expectWhole(screen: string, agent = 'Build'): number {
  const { host, ours, below } = promptRow(screen)
  expect(host, screen).toBe(`${agent} · GPT-5.5 OpenAI`)
  expect(below.replace(/\s{5,}.*$/, ''), screen).toMatch(/^(?:┃|╹▀+)?$/)
  const form = FORMS.findIndex((one) => one.test(ours))
  expect(form, `${ours}\n${screen}`).not.toBe(-1)
  return form
}

describe.skipIf(noTerminal)('the status in the TUI', () => {
  const stage = useStage({
    signedIn: ['personal', 'work'],
    simulator: {
      accounts: ['personal', 'work'].map((name) => ({ name, windows: WINDOWS })),
    },
  })
  let terminal: Terminal
  let uids: readonly string[] = []
  const stateFile = (name: string): string =>
    path.join(stage().host.home, '.local', 'state', 'opencode', `oc-codex-multi-auth-${name}`)

  beforeAll(async () => {
    const { host, accountsFile } = stage()
    const pool = JSON.parse(await readFile(accountsFile, 'utf8')) as AccountPool
    uids = pool.accounts.map(({ uid }) => uid)
    const accounts = pool.accounts.map((account, index) =>
      index === 1 ? { ...account, accountLabel: 'work 日本語 👩‍👩‍👧 שלום \u001b[31m' } : account,
    )
    await writeFile(accountsFile, JSON.stringify({ ...pool, accounts }))
    await seedReadings()
    terminal = await openTerminal({
      command: [host.binary, '--model', 'openai/gpt-5.5'],
      cwd: host.project,
      env: host.env,
      columns: 100,
      rows: ROWS,
    })
  })
  afterAll(() => terminal.close())

  /** Readings of two hours in which the first account used most of its 5 hours. */
  async function seedReadings(): Promise<void> {
    const nowMs = Date.now()
    const windowsAt = (atMs: number, usedPercent: number): QuotaWindow[] => [
      {
        kind: 'five_hour',
        windowMinutes: 300,
        usedPercent,
        resetsAtMs: nowMs + 2 * HOUR_MS,
        observedAtMs: atMs,
        source: 'headers',
      },
      {
        kind: 'weekly',
        windowMinutes: 10_080,
        usedPercent: 88,
        resetsAtMs: nowMs + 72 * HOUR_MS,
        observedAtMs: atMs,
        source: 'headers',
      },
    ]
    const quota = (usedPercent: number) => ({
      limits: { codex: { windows: windowsAt(nowMs, usedPercent) } },
      blocks: [],
      readAtMs: nowMs,
    })
    const entries = Object.fromEntries(uids.map((uid, index) => [uid, quota(index === 0 ? 80 : 5)]))
    await writeFile(stateFile('quota.json'), formatLedger(entries))
    const lines = uids.flatMap((uid, index) =>
      Array.from({ length: 24 }, (_, step) => {
        const atMs = nowMs - (24 - step) * 5 * 60_000
        const { kind, usedPercent, resetsAtMs } = windowsAt(atMs, index === 0 ? step * 3 : 5)[0]!
        return formatLine({
          type: 'reading',
          atMs,
          uid,
          limitId: 'codex',
          kind,
          usedPercent,
          windowMinutes: 300,
          resetsAtMs: resetsAtMs!,
        })
      }),
    )
    await writeFile(stateFile('history.jsonl'), lines.join(''))
  }

  async function at(columns: number): Promise<string> {
    await terminal.resize(columns, ROWS)
    return terminal.settled()
  }

  it('is on the home screen with the first reading, whole at every width', async () => {
    await terminal.waitFor(/Ask anything/)
    await terminal.waitFor(/5h [█░]{6} \d+%/)
    const forms = new Map<number, number>()
    for (const columns of WIDTHS) forms.set(columns, expectWhole(await at(columns)))
    // The host's prompt there is at most 75 columns wide.
    expect(forms.get(60)).toBeLessThan(FORMS.indexOf(BARS))
    expect(forms.get(200)).toBe(forms.get(100))
  })

  it('is whole in a session at every width, and follows each resize in both directions', async () => {
    await at(100)
    await terminal.type('SIM:say shown')
    await terminal.press('Enter')
    await terminal.waitFor('shown')
    await terminal.waitFor(/5h █████░ \d+%/)
    const there = new Map<number, number>()
    for (const columns of WIDTHS) {
      const screen = await at(columns)
      there.set(columns, expectWhole(screen))
      expect(screen.includes('▼ Codex accounts')).toBe(columns >= SIDEBAR_FROM)
    }
    for (const columns of WIDTHS.toReversed())
      expect(expectWhole(await at(columns)), String(columns)).toBe(there.get(columns))
    expect(there.get(60)).toBeLessThan(FORMS.indexOf(TIMES))
    // Names, and the sidebar leaves less room than its absence.
    expect(there.get(100)).toBe(FORMS.indexOf(NAME))
    expect(there.get(200)).toBe(FORMS.indexOf(NAME))
    expect(there.get(121)).toBeLessThan(FORMS.indexOf(NAME))
  })

  it('follows a change of the agent and of the sidebar at once', async () => {
    await at(121)
    await terminal.press('Tab')
    expectWhole(await terminal.settled(), 'Plan')
    await terminal.press('Tab')
    const beside = expectWhole(await terminal.settled())
    await terminal.press('C-x')
    await terminal.type('b')
    await terminal.waitUntilGone('▼ Codex accounts')
    expect(expectWhole(await terminal.settled())).toBeGreaterThan(beside)
    for (const columns of [200, 160, 130, 80, 60]) expectWhole(await at(columns))
    await at(160)
    await terminal.press('C-x')
    await terminal.type('b')
    await terminal.waitFor('▼ Codex accounts')
    expectWhole(await terminal.settled())
  })

  it('has a colour of its own for the window of which little is left', async () => {
    await at(160)
    const line = (await terminal.painted()).split('\n').find((one) => one.includes('OpenAI'))
    const colourOf = (text: string): string | undefined =>
      line
        ?.slice(0, line.indexOf(text))
        .match(/\u001b\[[\d;]*38;2;[\d;]*m/g)
        ?.at(-1)
    expect(colourOf('5h █')).toBeDefined()
    expect(colourOf('7d █')).toBeDefined()
    expect(colourOf('7d █')).not.toBe(colourOf('5h █'))
  })

  it('shows in the sidebar the serving account first, its pace, and every line whole', async () => {
    const screen = await at(160)
    const block = screen.slice(screen.indexOf('▼ Codex accounts'))
    expect(block).toMatch(/^▼ Codex accounts\s*\n.*1 pe…@e….test · plus/)
    expect(block).toMatch(new RegExp(`5h [█░]{10} +\\d+% ${TIME}`))
    expect(block).toMatch(/(?:5h|7d) (?:lasts until|empty ~)/)
    // Of a joined picture the first one, which is as wide everywhere.
    expect(block).toContain('2 work 日本語 👩 שלום')
    expect(block).not.toContain('[31m')
    expect(block).not.toMatch(/read \d+ s ago/)
  })

  it('folds at a click on the heading, and opens the accounts at one below it', async () => {
    const place = async (text: string): Promise<[column: number, row: number]> => {
      const lines = (await terminal.screen()).split('\n')
      const row = lines.findIndex((line) => line.includes(text))
      return [(lines[row]?.indexOf(text) ?? 0) + 1, row + 1]
    }
    await terminal.click(...(await place('▼ Codex accounts')))
    await terminal.waitFor('▶ Codex accounts (2 of 2 ready)')
    expectWhole(await terminal.settled())
    await terminal.click(...(await place('▶ Codex accounts')))
    await terminal.waitFor('▼ Codex accounts')
    await terminal.click(...(await place('1 pe…@e')))
    await terminal.waitFor('Codex accounts: 2 accounts')
    await terminal.press('Escape')
    await terminal.waitUntilGone('Codex accounts: 2 accounts')
  })

  it('tells who continues and why, in the line and in the sidebar', async () => {
    await at(160)
    stage().simulator.patchAccount('personal', {
      windows: [WINDOWS[0]!, { minutes: 10_080, limit: 100, used: 100, resetsInMs: 24 * HOUR_MS }],
    })
    await terminal.type('SIM:say moved')
    await terminal.press('Enter')
    const screen = await terminal.waitFor(
      /OpenAI +now work 日本語[^\n]*: pe…@e….test is at its weekly limit/,
    )
    expect(promptRow(screen).host).toBe('Build · GPT-5.5 OpenAI')
    expect(screen).toMatch(/Switched \d\d:\d\d to work 日本語/)
    expect(screen).toMatch(/ {2}pe…@e….test is at its weekly/)
    // Once opened by hand it lies over a narrow session.
    await terminal.press('C-x')
    await terminal.type('b')
    await terminal.waitUntilGone('▼ Codex accounts')
    await at(60)
    await terminal.waitFor(/OpenAI +now work 日本語/)
    expect(promptRow(await terminal.screen()).host).toBe('Build · GPT-5.5 OpenAI')
  })

  it('counts down by the second while a request waits, and no longer', async () => {
    await at(100)
    await terminal.waitFor(/^ +moved/m)
    stage().simulator.patchAccount('work', {
      windows: [{ minutes: 300, limit: 100, used: 100, resetsInMs: 20_000 }],
    })
    await terminal.type('SIM:say patient')
    await terminal.press('Enter')
    const counting = /resumes \d\d:\d\d, in (0:\d\d)/
    const screen = await terminal.waitFor(counting)
    expect(promptRow(screen).host).toBe('Build · GPT-5.5 OpenAI')
    await terminal.waitUntilGone(counting.exec(screen)?.[0] ?? '')
    await terminal.waitFor(counting)
    await terminal.waitFor(/^ +patient/m)
    await terminal.waitUntilGone(counting)
    expect(promptRow(await terminal.settled()).host).toBe('Build · GPT-5.5 OpenAI')
  })
})
