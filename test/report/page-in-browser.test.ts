import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { chromium, type Page } from 'playwright-core'
import { describe, expect, it, onTestFinished } from 'vitest'

import { renderReport } from '../../lib/report/page.js'
import { comparisonOf } from '../../lib/report/report-data.js'
import type { ReportData } from '../../lib/report/report-data.js'
import { temporaryFolder } from '../support/temporary.js'
import { sampleReport } from './sample.js'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (file) => existsSync(file),
)
/** A page with everything there is to show. */
function everything(accounts: number, days: number): ReportData {
  const data = sampleReport(accounts, days)
  return { ...data, comparison: comparisonOf(data.accounts, data.entries, 'week', data.nowMs) }
}

/** Set to a folder to keep pictures of the pages. */
const PICTURES = process.env.REPORT_PICTURES

async function shown(
  data: ReportData,
  scheme: 'light' | 'dark',
  width: number,
): Promise<{ tab: Page; problems: string[]; requests: string[] }> {
  const file = path.join(await temporaryFolder(), 'report.html')
  await writeFile(file, renderReport(data))
  const browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] })
  onTestFinished(() => browser.close())
  const tab = await browser.newPage({ colorScheme: scheme, viewport: { width, height: 900 } })
  const problems: string[] = []
  const requests: string[] = []
  tab.on('console', (message) => problems.push(message.text()))
  tab.on('pageerror', (error) => problems.push(error.message))
  tab.on('request', (request) => requests.push(request.url()))
  await tab.goto(pathToFileURL(file).href)
  if (PICTURES !== undefined) {
    await mkdir(PICTURES, { recursive: true })
    await tab.screenshot({
      path: path.join(PICTURES, `${data.accounts.length}-${scheme}-${width}.png`),
      fullPage: true,
    })
  }
  return { tab, problems, requests }
}

/** Texts that lie on one another. */
function overlapping(tab: Page): Promise<string[]> {
  return tab.evaluate(() => {
    const texts = [
      ...document.querySelectorAll('h1, h2, h3, p, dt, dd, caption, figcaption, .x > span, th, td'),
    ]
      .filter(
        (one) =>
          one.textContent.trim() !== '' &&
          one.closest('thead') === null &&
          one.checkVisibility({ contentVisibilityAuto: true }),
      )
      .flatMap((one) => {
        const range = document.createRange()
        range.selectNodeContents(one)
        const { left, top, right, bottom } = range.getBoundingClientRect()
        return right > left ? [{ one, left, top, right, bottom }] : []
      })
      .sort((first, second) => first.top - second.top)
    const found: string[] = []
    texts.forEach((first, index) => {
      for (const second of texts.slice(index + 1)) {
        if (second.top >= first.bottom - 2) break
        if (first.one.contains(second.one) || second.one.contains(first.one)) continue
        if (second.left < first.right - 1 && first.left < second.right - 1)
          found.push(`${first.one.textContent} / ${second.one.textContent}`)
      }
    })
    return found
  })
}

/** Tables that are not folded away and do not fit into their place. */
function scrolledTables(tab: Page): Promise<(string | null)[]> {
  return tab.evaluate(() =>
    [...document.querySelectorAll('.scroll')]
      .filter((one) => one.closest('details') === null && one.scrollWidth > one.clientWidth)
      .map((one) => one.getAttribute('aria-label')),
  )
}

const noBrowser = CHROMIUM === undefined ? ' (skipped: no Chromium is installed here)' : ''

describe.skipIf(CHROMIUM === undefined)(`the report in a real browser${noBrowser}`, () => {
  it.each([
    [0, 0, 'light', 360],
    [1, 2, 'dark', 800],
    [3, 14, 'light', 1400],
    [3, 14, 'dark', 360],
    [40, 14, 'light', 360],
    [40, 14, 'dark', 1400],
  ] as const)(
    'shows %i accounts and %i days in %s at %i pixels: styled, inside the screen, silent and alone',
    async (accounts, days, scheme, width) => {
      const { tab, problems, requests } = await shown(everything(accounts, days), scheme, width)
      expect(await tab.textContent('h1')).toBe('Codex usage')
      expect(await tab.textContent('header')).toContain('not a bill')
      // The style sheet applied, and the colours are those of the scheme.
      expect(await tab.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
        scheme === 'light' ? 'rgb(246, 246, 244)' : 'rgb(22, 22, 24)',
      )
      const overflow = (): Promise<number> =>
        tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      expect(await overflow()).toBeLessThanOrEqual(0)
      expect(await overlapping(tab)).toEqual([])
      if (width === 360) expect(await scrolledTables(tab)).toEqual([])
      // The tables behind the charts are wide; they scroll by themselves.
      await tab.evaluate(() =>
        document.querySelectorAll('details').forEach((one) => (one.open = true)),
      )
      expect(await overflow()).toBeLessThanOrEqual(0)
      expect(problems).toEqual([])
      expect(requests).toHaveLength(1)
    },
  )

  it.each(['light', 'dark'] as const)(
    'prints light and whole also when the screen is %s: nothing scrolls, nothing is cut, folded pictures are there',
    async (scheme) => {
      const { tab } = await shown(everything(40, 14), scheme, 718)
      await tab.emulateMedia({ media: 'print', colorScheme: scheme })
      const printed = await tab.evaluate(() => {
        const cut = [...document.querySelectorAll('.scroll')].filter(
          (one) => one.getClientRects().length > 0 && one.scrollWidth > one.clientWidth + 1,
        )
        return {
          text: getComputedStyle(document.body).color,
          card: getComputedStyle(document.querySelector('.card')!).backgroundColor,
          cut: cut.map((one) => one.getAttribute('aria-label')),
          beside: document.documentElement.scrollWidth - window.innerWidth,
          folded: [...document.querySelectorAll('details.more figure')].filter(
            (one) => one.getBoundingClientRect().height === 0,
          ).length,
          more: document.querySelectorAll('details.more figure').length,
        }
      })
      expect(printed).toMatchObject({
        text: 'rgb(28, 28, 30)',
        card: 'rgb(255, 255, 255)',
        cut: [],
        beside: 0,
        folded: 0,
      })
      expect(printed.more).toBeGreaterThan(20)
      expect(await overlapping(tab)).toEqual([])
    },
  )

  it('tells a screen reader what each picture shows and what each table is about', async () => {
    const { tab } = await shown(everything(3, 14), 'light', 1280)
    const unnamed = await tab.evaluate(() => ({
      pictures: [...document.querySelectorAll('svg')].filter(
        (one) =>
          one.getAttribute('aria-hidden') !== 'true' &&
          (one.getAttribute('aria-label') ?? '') === '',
      ).length,
      tables: [...document.querySelectorAll('table')].filter(
        (one) => (one.caption?.textContent ?? '') === '',
      ).length,
      cells: document.querySelectorAll('th:not([scope])').length,
      headings: [...document.querySelectorAll('h1, h2, h3')].map((one) => Number(one.tagName[1])),
    }))
    expect(unnamed).toMatchObject({ pictures: 0, tables: 0, cells: 0 })
    unnamed.headings.reduce((before, level) => {
      expect(level - before).toBeLessThanOrEqual(1)
      return level
    }, 0)
    const charts = await tab.$$('figure')
    for (const chart of charts) expect(await chart.$('details table')).not.toBeNull()
    expect(charts.length).toBeGreaterThan(4)
  })

  it('keeps the number of an account on the left of a name that runs from right to left', async () => {
    const data = everything(4, 2)
    const { tab } = await shown(data, 'light', 1400)
    const places = await tab.evaluate(() => {
      const placeOf = (text: Text, from: number, to: number): number => {
        const range = document.createRange()
        range.setStart(text, from)
        range.setEnd(text, to)
        return range.getBoundingClientRect().left
      }
      return [...document.querySelectorAll('th bdi')]
        .map((one) => one.firstChild as Text)
        .filter(({ data: text }) => /\p{Script=Hebrew}/u.test(text))
        .map((text) => [placeOf(text, 0, 1), placeOf(text, 3, text.length)])
    })
    expect(places.length).toBeGreaterThan(1)
    for (const [number, name] of places) expect(number).toBeLessThan(name!)
  })

  it('shows names as text, whatever is in them', async () => {
    const data = sampleReport(1, 1)
    const name = '<img src=x onerror=alert(1)> & "more"'
    const { tab } = await shown(
      { ...data, accounts: data.accounts.map((account) => ({ ...account, name })) },
      'light',
      1280,
    )
    expect(await tab.textContent('h3')).toBe(`1. ${name}`)
    expect(await tab.$('img')).toBeNull()
  })
})
