import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { viewsOf } from '../../lib/tools/account-rows.js'
import { reportData } from '../../lib/report/report-data.js'
import { toolData, toolText } from '../support/run-tool.js'
import { HOUR, move, NOW, reading, turn } from './entries.js'
import { runtimeWith } from './tool-home.js'
import { expectPrivate } from '../support/private-place.js'

describe('codex-dashboard with a file', () => {
  it('writes a page only its owner can read, with the history, and names its path', async () => {
    const runtime = await runtimeWith([turn({ model: 'gpt-of-the-test' }), move()], ['{"broken'])
    const file = path.join(runtime.directory, 'report.html')
    expect(await toolData(runtime, 'dashboard', { html: 'report.html' })).toMatchObject({
      report: { path: file },
    })
    await expectPrivate(file)
    const page = await readFile(file, 'utf8')
    expect(page).toContain('gpt-of-the-test')
    expect(page).toContain('usage limit')
    expect(page).not.toMatch(/person@|rt_|acc-u1/)
  })

  it('passes over lines with a time that no date can name', async () => {
    const runtime = await runtimeWith(
      [turn({ model: 'gpt-of-the-test' })],
      [JSON.stringify(turn({ atMs: 1e300 })), JSON.stringify(turn({ atMs: 9e15 }))],
    )
    await toolText(runtime, 'dashboard', { html: 'report.html' })
    expect(await readFile(path.join(runtime.directory, 'report.html'), 'utf8')).toContain(
      'gpt-of-the-test',
    )
  })

  it('counts the answers that were kept under an older key with the project they are of', async () => {
    const runtime = await runtimeWith([
      turn({ project: 'work-000000000001' }),
      turn({ project: 'work-000000000002' }),
    ])
    const project = { key: 'work-000000000001', aliases: ['work-000000000002'], above: [] }
    const scoped = { ...runtime, scope: { ...runtime.scope, project } }
    await toolText(scoped, 'dashboard', { html: 'report.html' })
    const page = await readFile(path.join(runtime.directory, 'report.html'), 'utf8')
    expect(page).toContain('work')
    expect(page).not.toMatch(/work \(0000\)/)
  })

  it('names the models whose price is not known', async () => {
    const runtime = await runtimeWith([turn({ model: 'gpt-of-the-test' })])
    await toolText(runtime, 'dashboard', { html: 'report.html' })
    expect(await readFile(path.join(runtime.directory, 'report.html'), 'utf8')).toContain(
      'answers of <bdi>gpt-of-the-test</bdi>',
    )
  })

  it('forecasts nothing of a window whose reset has passed', async () => {
    const runtime = await runtimeWith(
      Array.from({ length: 20 }, (_, index) =>
        reading({
          atMs: NOW - 5 * HOUR + index * 600_000,
          usedPercent: index,
          resetsAtMs: NOW - HOUR,
        }),
      ),
    )
    const [account] = (await runtime.store.read()).accounts
    runtime.ledger.observe(
      account!.uid,
      {
        limits: [
          {
            limitId: 'codex',
            windows: [
              {
                kind: 'five_hour',
                usedPercent: 38,
                resetsAtMs: NOW - HOUR,
                observedAtMs: NOW - 2 * HOUR,
                source: 'usage',
              },
            ],
          },
        ],
      },
      NOW,
    )
    const entries = (await runtime.history.read()).map((entry) =>
      entry.type === 'reading' ? { ...entry, uid: account!.uid } : entry,
    )
    const views = viewsOf(runtime, await runtime.store.read())
    expect(views[0]!.windows).toHaveLength(1)
    expect(reportData({ views, entries, nowMs: NOW }).forecasts).toEqual([])
  })

  it('replaces its own page, and another file only when told to', async () => {
    const runtime = await runtimeWith([])
    const file = path.join(runtime.directory, 'report.html')
    await toolText(runtime, 'dashboard', { html: 'report.html' })
    expect(await toolText(runtime, 'dashboard', { html: 'report.html' })).toBe(
      `Report written to ${file}.`,
    )
    await writeFile(file, '<!doctype html><p>mine')
    await expect(toolText(runtime, 'dashboard', { html: 'report.html' })).rejects.toThrow(
      'exists already',
    )
    expect(await readFile(file, 'utf8')).toBe('<!doctype html><p>mine')
    await toolText(runtime, 'dashboard', { html: 'report.html', force: true })
    expect(await readFile(file, 'utf8')).toContain('Codex usage')
  })

  it('answers as before without one', async () => {
    const runtime = await runtimeWith([])
    expect(await toolData(runtime, 'dashboard')).not.toHaveProperty('report')
    expect(await toolText(runtime, 'dashboard')).toContain('Pool: all 2 accounts can serve')
  })
})

describe('codex-dashboard --compare', () => {
  it('sets a period beside the one before it: in JSON, as tables, and in the page', async () => {
    const project = 'shop-0123456789ab'
    const runtime = await runtimeWith([
      turn({ atMs: NOW - 9 * 24 * HOUR, project }),
      turn({ atMs: NOW - 2 * HOUR, project, inputTokens: 3000 }),
      turn(),
    ])
    expect(await toolData(runtime, 'dashboard', { compare: 'week' })).toMatchObject({
      comparison: {
        period: 'week',
        toMs: NOW,
        total: { answers: { now: 2, before: 1, difference: 1 } },
        projects: [
          { name: 'shop', tokens: { now: 3050, before: 1050, difference: 2000 } },
          { name: 'unknown', tokens: { now: 1050, before: 0, difference: 1050 } },
        ],
      },
    })
    const text = await toolText(runtime, 'dashboard', { compare: 'week' })
    expect(text).toMatch(/The last 7 days and the 7 before \(the history begins .*\):/)
    expect(text).toMatch(/shop +1 +1 +3\.1K +1\.1K +\+2K \(\+190%\)/)
    expect(text).toMatch(/Answers +2 +1 +\+1 \(\+100%\)/)
    await toolText(runtime, 'dashboard', { compare: 'week', html: 'report.html' })
    expect(await readFile(path.join(runtime.directory, 'report.html'), 'utf8')).toContain(
      'The last 7 days and the 7 before',
    )
    expect(await toolData(runtime, 'dashboard')).not.toHaveProperty('comparison')
  })
})
