import { createHash } from 'node:crypto'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { HistoryEntry } from '../../lib/history/entries.js'
import { escapeHtml } from '../../lib/kernel/text/html.js'
import { html, textOf } from '../../lib/report/markup.js'
import { REPORT_MARK, renderReport } from '../../lib/report/page.js'
import { comparisonOf, type ReportData, reportData } from '../../lib/report/report-data.js'
import { anyHistory, HOUR, move, NOW, reading, turn } from './entries.js'
import { sampleReport } from './sample.js'

/** Names of the tags and attributes of a page in their order: what a text could add to if it broke out. */
function skeleton(page: string): string[] {
  const tags = page.match(/<[^>]*>/g) ?? []
  return tags.map((tag) => tag.replace(/"[^"]*"/g, '""'))
}

/** A page with this text in every place that holds a text from outside. */
function pageWith(text: string): string {
  const sample = sampleReport(1, 0)
  const [account] = sample.accounts
  const data: ReportData = {
    ...sample,
    accounts: [
      {
        ...account!,
        uid: 'u1',
        name: text,
        plan: text,
        state: { kind: 'login-needed', reason: text },
        windows: [{ ...account!.windows[0]!, name: text, limitId: text }],
      },
    ],
    entries: [
      turn({ model: text, project: text, session: text, attempts: 2 }),
      reading({ limitId: text }),
      move({ reason: text, toUid: 'u1', session: text }),
    ],
    forecasts: [{ ...sample.forecasts[0]!, uid: 'u1', window: text }],
    value: { pricesOf: text, byModel: [{ model: text, dollars: 12.5 }], unpriced: [text] },
  }
  return renderReport({
    ...data,
    comparison: comparisonOf(data.accounts, data.entries, 'week', NOW),
  })
}

describe('the markup', () => {
  it('escapes what is put in and leaves markup alone', () => {
    expect(textOf(html`<p title="${'"a"'}">${'<b>'}${html`<i>${1}</i>`}${undefined}</p>`)).toBe(
      '<p title="&#34;a&#34;">&#60;b&#62;<i>1</i></p>',
    )
  })

  it('lets no text hold a bracket, a quote or a character that no browser shows', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeHtml(text)).not.toMatch(/[<>"'`]|&(?!#\d+;)|[^\P{Cc}\n\t]|\p{Cs}/u)
      }),
    )
  })
})

describe('the report', () => {
  it('has the same tags and attributes whatever the names, plans, models and reasons are', () => {
    const plain = skeleton(pageWith('plain'))
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.constantFrom(
            '</style><script>alert(1)</script>',
            '"><img src=x onerror=alert(1)>',
            "' onload='x",
            '<!--',
            ']]>',
            '&lt;b&gt;',
            '`',
          ),
        ),
        (text) => {
          expect(skeleton(pageWith(text))).toEqual(plain)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('allows its own style sheet and nothing else, and holds no script, style attribute or address', () => {
    const page = renderReport(sampleReport(3, 14))
    const style = /<style>([^]*?)<\/style>/.exec(page)?.[1] ?? ''
    expect(page).toContain(
      `content="default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'"`,
    )
    expect(page).not.toMatch(/<script| style="| on\w+="| src=| href=|https?:|url\(/)
  })

  it('can be made from any history, and begins as the tool expects of a file it may replace', () => {
    fc.assert(
      fc.property(anyHistory, (entries) => {
        const page = renderReport({ ...sampleReport(2, 0), entries })
        expect(page.startsWith(REPORT_MARK)).toBe(true)
        expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/)
      }),
      { numRuns: 40 },
    )
  })

  it('says so where there is nothing yet', () => {
    const page = renderReport({
      nowMs: NOW,
      timeZone: 'UTC',
      accounts: [],
      entries: [],
      forecasts: [],
    })
    for (const text of [
      'No account is signed in.',
      'No history yet.',
      'No answer is recorded yet.',
      'No reading is recorded yet.',
      'No request had to change its account.',
    ])
      expect(page).toContain(text)
  })

  it('never shows the id of an account, and calls one that is gone removed', () => {
    const page = renderReport({
      ...sampleReport(1, 0),
      entries: [turn({ uid: 'uid-of-somebody' })],
    })
    expect(page).toContain('removed account')
    expect(page).not.toContain('uid-of-somebody')
  })

  it('says of the value that it is not a charge, and of which day the prices are', () => {
    const page = renderReport(
      sampleReport(1, 1, {
        value: {
          pricesOf: '2026-11-01',
          byModel: [{ model: 'gpt-5.5', dollars: 12.5 }],
          unpriced: ['gpt-new'],
        },
      }),
    )
    expect(page).toContain('Not a charge.')
    expect(page).toContain('their price is not known: answers of <bdi>gpt-new</bdi>.')
    expect(page).toContain('price list of 2026-11-01: $12.50')
    expect(renderReport(sampleReport(1, 1))).not.toContain('API-equivalent')
  })

  it('says of a window whether it lasts, and of an empty one no more than until when', () => {
    const sample = sampleReport(1, 0)
    const [one] = sample.forecasts
    const pageOf = (runsOutAtMs: { early?: number; mid?: number }): string =>
      renderReport({
        ...sample,
        forecasts: [{ ...one!, forecast: { ...one!.forecast, runsOutAtMs } }],
      })
    expect(pageOf({ early: NOW + HOUR })).toContain(
      'At this pace it lasts; it is empty at the earliest on Sat 21 Nov, 13:00.',
    )
    expect(pageOf({ early: NOW + HOUR, mid: NOW + 2 * HOUR })).toContain(
      'At this pace it is empty on Sat 21 Nov, 14:00, at the earliest on Sat 21 Nov, 13:00.',
    )
    expect(pageOf({ early: NOW, mid: NOW })).toContain(
      '<p>Nothing is left until the reset on Tue 24 Nov, 12:00.</p>',
    )
  })

  it('says of each window how much may be used for it to last until its reset', () => {
    const page = renderReport(sampleReport(1, 1))
    expect(page).toMatch(/to stay on pace: [\d.]+%\/h</)
    expect(page).toMatch(/to stay on pace: [\d.]+%\/h, \d+% in 24 h</)
  })

  it('draws no forecast from less than an hour of readings, and says what it waits for', () => {
    const { accounts } = sampleReport(1, 0)
    const [account] = accounts
    const observedAtMs = account!.windows[1]!.observedAtMs
    const forecastsAfter = (ms: number): number => {
      const entries = [0, 0.4, 0.8].map((share, index) =>
        reading({
          atMs: observedAtMs - ms * (1 - share),
          uid: 'u0',
          kind: 'weekly',
          usedPercent: index * 4,
          resetsAtMs: NOW + 3 * 24 * HOUR,
        }),
      )
      const data = reportData({ views: accounts, entries, nowMs: NOW + 2 * HOUR })
      if (data.forecasts.length === 0)
        expect(renderReport(data)).toContain(
          'No forecast yet: it needs readings of at least an hour.',
        )
      return data.forecasts.length
    }
    expect(forecastsAfter(HOUR - 60_000)).toBe(0)
    expect(forecastsAfter(HOUR)).toBe(1)
  })

  it('has a row for each project and model, and calls what has no project unknown', () => {
    const page = renderReport({
      ...sampleReport(1, 0),
      entries: [turn({ project: 'shop-0123456789ab' }), turn({ model: 'gpt-5.4' })],
    })
    for (const name of ['shop', 'unknown', 'gpt-5.5', 'gpt-5.4'])
      expect(page).toContain(`<th scope="row" role="rowheader"><bdi>${name}</bdi></th>`)
    expect(page).not.toContain('0123456789ab')
  })

  it('tells what failover saved and cost, and where that cannot be told', () => {
    const session = 'ses_1'
    const before = turn({ atMs: NOW - 2 * HOUR, session, inputTokens: 30_000 })
    const moved = move({ atMs: NOW - 2 * HOUR + 10_000, session })
    const after = turn({
      atMs: NOW - 2 * HOUR + 12_000,
      uid: 'u2',
      session,
      inputTokens: 30_000,
      cachedTokens: 0,
      attempts: 2,
    })
    const pageOf = (entries: readonly HistoryEntry[]): string =>
      renderReport({ ...sampleReport(2, 0), entries })
    expect(pageOf([before, moved, after])).toContain('<b>1 interruption avoided.</b>')
    expect(pageOf([before, moved, after])).toContain('Their price: 30K tokens of input read again')
    expect(pageOf([moved, after])).toContain('What the switches cost is not known')
    expect(pageOf([moved])).toContain('After 1 switch no answer is recorded.')
  })

  it('stays under a megabyte with twenty accounts and 35 days', () => {
    expect(renderReport(sampleReport(20, 35)).length).toBeLessThan(1_000_000)
  })
})

describe('what did not have to be uploaded', () => {
  it.each([
    [[], undefined],
    [[{ savedBytes: 2_340_000 }, { savedBytes: 60_000 }], '2.4 MB'],
    [[{ savedBytes: 900_000_000 }], '0.9 GB'],
  ])('of %j is %s', (turns, text) => {
    const page = renderReport({ ...sampleReport(1, 0), entries: turns.map(turn) })
    if (text === undefined) expect(page).not.toContain('Not uploaded')
    else expect(page).toContain(`<dt>Not uploaded</dt><dd>${text}</dd>`)
  })
})
