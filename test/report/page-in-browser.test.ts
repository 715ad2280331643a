import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { chromium, type Page } from 'playwright-core'
import { describe, expect, it, onTestFinished } from 'vitest'

import { renderReport } from '../../lib/report/page.js'
import type { ReportData } from '../../lib/report/report-data.js'
import { temporaryFolder } from '../support/temporary.js'
import { sampleReport } from './sample.js'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (file) => existsSync(file),
)
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

describe.skipIf(CHROMIUM === undefined)('the report in a real browser', () => {
  it.each([
    [3, 14, 'light', 1280],
    [3, 14, 'dark', 1280],
    [3, 14, 'light', 390],
    [3, 14, 'dark', 390],
    [0, 0, 'light', 390],
    [1, 1, 'dark', 1280],
    [20, 35, 'light', 390],
  ] as const)(
    'shows %i accounts and %i days in %s at %i pixels: styled, inside the screen, silent and alone',
    async (accounts, days, scheme, width) => {
      const { tab, problems, requests } = await shown(sampleReport(accounts, days), scheme, width)
      expect(await tab.textContent('h1')).toBe('Codex usage')
      expect(await tab.textContent('header')).toContain('not a bill')
      // The style sheet applied, and the colours are those of the scheme.
      expect(await tab.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
        scheme === 'light' ? 'rgb(246, 246, 244)' : 'rgb(22, 22, 24)',
      )
      const overflow = (): Promise<number> =>
        tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      expect(await overflow()).toBeLessThanOrEqual(0)
      // The tables behind the charts are wide; they scroll by themselves.
      await tab.evaluate(() =>
        document.querySelectorAll('details').forEach((one) => (one.open = true)),
      )
      expect(await overflow()).toBeLessThanOrEqual(0)
      expect(problems).toEqual([])
      expect(requests).toHaveLength(1)
    },
  )

  it('tells a screen reader what each picture shows and what each table is about', async () => {
    const { tab } = await shown(sampleReport(3, 14), 'light', 1280)
    const unnamed = await tab.evaluate(() => ({
      pictures: [...document.querySelectorAll('svg')].filter(
        (one) =>
          one.getAttribute('aria-hidden') !== 'true' &&
          (one.getAttribute('aria-label') ?? '') === '',
      ).length,
      tables: [...document.querySelectorAll('table')].filter(
        (one) => (one.caption?.textContent ?? '') === '',
      ).length,
      headings: [...document.querySelectorAll('h1, h2, h3')].map((one) => Number(one.tagName[1])),
    }))
    expect(unnamed).toMatchObject({ pictures: 0, tables: 0 })
    unnamed.headings.reduce((before, level) => {
      expect(level - before).toBeLessThanOrEqual(1)
      return level
    }, 0)
    const charts = await tab.$$('figure')
    for (const chart of charts) expect(await chart.$('details table')).not.toBeNull()
    expect(charts.length).toBeGreaterThan(4)
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
