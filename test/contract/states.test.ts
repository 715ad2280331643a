import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { accountDetails } from '../../lib/account-view/details.js'
import { ask, firstTurn } from '../support/core-over.js'
import { sidebarOf, textOf } from '../support/tui-lines.js'
import { type Given, type Stage, stageOf } from './stage.js'

const HOUR = 3_600_000
const soon = (): number => Date.now() + HOUR

/** One state of Ben's, and how every surface names it. A new state is a row. */
interface StateRow {
  readonly title: string
  readonly given: () => Given
  /** The words, up to the moment where there is one. */
  readonly words: string
  /** What the state rests on, where the details and the errors say so. */
  readonly why?: string
  readonly serves: boolean
  /** The error when Ben alone is asked, where a request meets the state at all. */
  readonly error?: string | RegExp
}

const STATES: readonly StateRow[] = [
  { title: 'may serve', given: () => ({}), words: 'ok', serves: true },
  {
    title: 'is active',
    given: () => ({ activeIndex: 1 }),
    words: 'active',
    serves: true,
  },
  {
    title: 'is disabled',
    given: () => ({ accounts: [{}, { enabled: false }] }),
    words: 'disabled',
    serves: false,
    error: 'Every account is disabled.',
  },
  {
    title: 'must sign in again',
    given: () => ({ accounts: [{}, { needsLogin: { since: 1, reason: 'it was revoked' } }] }),
    words: 'login needed',
    why: 'it was revoked',
    serves: false,
    error: 'must sign in again',
  },
  {
    title: 'has used up a window',
    given: () => ({ windows: [{ kind: 'weekly', usedPercent: 100, resetsAtMs: soon() }] }),
    words: 'limited until ',
    why: 'weekly limit',
    serves: false,
    error:
      /Account 2 \(Ben\) is at its weekly limit until .+; 2 others are disabled or signed out\./,
  },
  {
    title: 'is at a limit of its family',
    given: () => ({ blocks: [{ scope: 'limit:codex', reason: 'usage_limit', untilMs: soon() }] }),
    words: 'limited until ',
    why: 'usage used up',
    serves: false,
    error: /Account 2 \(Ben\) is at its limit until /,
  },
  {
    title: 'is refused by the backend',
    given: () => ({ blocks: [{ scope: '*', reason: 'forbidden', untilMs: soon() }] }),
    words: 'blocked until ',
    why: 'refused by the backend',
    serves: false,
    error: /Account 2 \(Ben\) cannot serve before .+: refused by the backend/,
  },
  {
    title: 'is blocked for another limit family only',
    given: () => ({ blocks: [{ scope: 'limit:other', reason: 'usage_limit', untilMs: soon() }] }),
    words: 'ok',
    serves: true,
  },
  {
    title: 'is blocked for another model only',
    given: () => ({
      blocks: [{ scope: 'model:other', reason: 'model_not_supported', untilMs: soon() }],
    }),
    words: 'ok',
    serves: true,
  },
  {
    title: 'is outside the fence of the project',
    given: () => ({ rules: { fences: { PROJECT: ['uid-a'] } } }),
    words: 'not allowed in this project',
    serves: false,
  },
  {
    title: 'is kept out by a hard pin of another account',
    given: () => ({ rules: { pin: { uid: 'uid-a', mode: 'hard' } } }),
    words: 'another account is pinned',
    serves: false,
  },
  {
    title: 'is kept out by a hard pin of the project',
    given: () => ({ rules: { projectPins: { PROJECT: { uid: 'uid-a', mode: 'hard' } } } }),
    words: 'another account is pinned',
    serves: false,
  },
]

/** Ben as each surface of words shows him. A new surface is a member. */
const SURFACES: Readonly<Record<string, (stage: Stage) => Promise<string>>> = {
  'a tool of the model': async (stage) => {
    const { accounts } = JSON.parse(await stage.asModel('list', { json: true })) as {
      accounts: { status: string }[]
    }
    return accounts[1]?.status ?? ''
  },
  'the list of the command line': async (stage) => lineOf((await stage.cli('list')).stdout),
  'the status': async (stage) => lineOf((await stage.cli('status')).stdout),
  'the dashboard': async (stage) => lineOf((await stage.cli('dashboard')).stdout),
  'the menu': async (stage) => (await stage.menu([])).seen[0]?.[2] ?? '',
  'the details of the menu': async (stage) =>
    (await stage.menu(['account:uid-b', 'details'])).said.join('\n'),
  'the dialog of the TUI': async (stage) => {
    const [lines = []] = (await stage.tui([])).seen
    return lines.find((line) => line.includes('Ben')) ?? ''
  },
  'the sidebar of the TUI': async (stage) => {
    const ben = (await stage.view()).accounts[1]
    const lines = ben === undefined ? [] : sidebarOf([ben], Date.now()).map(textOf)
    return `${lines.join('\n')}\nok active`
  },
  'the report': async (stage) => {
    await stage.cli('dashboard', '--html', 'report.html')
    const page = await readFile(path.join(stage.project, 'report.html'), 'utf8')
    return /<h3>2\. <bdi>Ben<\/bdi><\/h3>\n<p class="soft">([^<]*)/.exec(page)?.[1] ?? ''
  },
}

function lineOf(table: string): string {
  return table.split('\n').find((line) => line.includes('Ben')) ?? ''
}

describe.each(STATES)('an account that $title', ({ given, words, why, serves, error }) => {
  it.each(Object.entries(SURFACES))('is called the same by %s', async (_name, shown) => {
    expect(await shown(await stageOf(given()))).toContain(words)
  })

  it('has its reason in the details, and in the JSON the same state as in the text', async () => {
    const stage = await stageOf(given())
    const ben = (await stage.view()).accounts[1]!
    const [state] = accountDetails(ben, [], Date.now())
    expect(state?.text).toContain(words)
    if (why !== undefined) expect(state?.text).toContain(why)
  })

  it('is counted as able to serve by the metrics exactly when a request would be sent with it', async () => {
    const stage = await stageOf(given())
    const { stdout } = await stage.cli('metrics', '--format', 'prometheus')
    const usable = [...stdout.matchAll(/codex_account_usable\{[^}]*\} (\d)/g)].map(([, one]) => one)
    expect(usable[1]).toBe(serves ? '1' : '0')
    const { router, store, clock } = stage.core.runtime
    const others = { model: 'gpt-5.5', triedUids: new Set(['uid-a', 'uid-c']) }
    expect(router.choose(await store.read(), others, clock.now()).uid).toBe(
      serves ? 'uid-b' : undefined,
    )
  })

  it('can be switched to in a list unless it is disabled', async () => {
    const stage = await stageOf(given())
    const offered = (await stage.tui(['uid-b'])).seen[1]?.join('\n') ?? ''
    if (words === 'disabled' || words === 'login needed') expect(offered).not.toMatch(/Switch|Pin/)
    expect(offered).toContain(words === 'disabled' ? 'Enable it' : 'Disable it')
    expect(offered).toContain('Details')
  })

  if (error !== undefined)
    it('is named in the error of a request that nothing else can serve', async () => {
      const { accounts = [], ...rest } = given()
      const away =
        words === 'disabled' || words === 'login needed' ? accounts[1] : { enabled: false }
      const stage = await stageOf({
        ...rest,
        accounts: [{ ...away }, { ...accounts[1] }, { ...away }],
      })
      expect((await ask(stage.core, await firstTurn())).text).toMatch(error)
    })
})

describe('a pin', () => {
  it.each([
    ['of all projects', { pin: { uid: 'uid-b', mode: 'soft' } }],
    ['of this project', { projectPins: { PROJECT: { uid: 'uid-b', mode: 'soft' } } }],
    [
      'of this project before one of all',
      {
        pin: { uid: 'uid-a', mode: 'soft' },
        projectPins: { PROJECT: { uid: 'uid-b', mode: 'soft' } },
      },
    ],
  ])('%s shows on every surface, and on no other account', async (_title, rules) => {
    const stage = await stageOf({ rules })
    const { accounts } = JSON.parse((await stage.cli('list', '--json')).stdout) as {
      accounts: { pinned: boolean }[]
    }
    expect(accounts.map(({ pinned }) => pinned)).toEqual([false, true, false])
    expect(lineOf((await stage.cli('status')).stdout)).toContain('ok, pinned')
    expect((await stage.menu([])).seen[0]?.[2]).toContain('ok, pinned')
    expect(await SURFACES['the dialog of the TUI']?.(stage)).toContain('ok, pinned')
    expect(await SURFACES['the report']?.(stage)).toContain('pinned')
  })
})

describe('what is left', () => {
  it.each([
    [59.7, '40%'],
    [99.6, '<1%'],
    [0.4, '99%'],
    [100, '0%'],
  ])('after %d percent used is %s on every surface', async (usedPercent, text) => {
    const stage = await stageOf({
      windows: [{ kind: 'five_hour', usedPercent, resetsAtMs: soon() }],
    })
    const shown = `5h ${text}`
    for (const name of ['list', 'limits --cached'])
      expect(lineOf((await stage.cli(...name.split(' '))).stdout)).toMatch(
        new RegExp(`5h +${text}`),
      )
    expect(lineOf((await stage.cli('dashboard')).stdout)).toContain(text)
    expect((await stage.menu([])).seen[0]?.[2]).toContain(shown)
    expect(await SURFACES['the dialog of the TUI']?.(stage)).toMatch(new RegExp(`5h +${text}`))
    const { accounts } = await stage.view()
    expect(sidebarOf(accounts, Date.now()).map(textOf).join('\n')).toMatch(
      new RegExp(`5h [█░]+ +${text}`),
    )
    await stage.cli('dashboard', '--html', 'report.html')
    const page = await readFile(path.join(stage.project, 'report.html'), 'utf8')
    expect(page).toContain(`<b>${text.replace('<', '&#60;')}</b> left`)
  })
})
