import { existsSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

import { chromium } from 'playwright-core'
import { describe, expect, it, onTestFinished } from 'vitest'

import { failurePage, PAGE_HEADERS, successPage } from '../../lib/oauth/callback-page.js'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (file) => existsSync(file),
)

async function shown(page: string, scheme: 'light' | 'dark', width: number) {
  const server = http.createServer((_request, response) =>
    response.writeHead(200, { ...PAGE_HEADERS }).end(page),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] })
  onTestFinished(() => browser.close())
  const tab = await browser.newPage({ colorScheme: scheme, viewport: { width, height: 700 } })
  const problems: string[] = []
  tab.on('console', (message) => problems.push(message.text()))
  await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  return { tab, problems }
}

describe.skipIf(CHROMIUM === undefined)('the page after a login, in a real browser', () => {
  it.each([
    ['light', 1200],
    ['dark', 360],
  ] as const)(
    'is styled under its own policy in %s at %d pixels and fits the screen',
    async (scheme, width) => {
      const { tab, problems } = await shown(successPage(), scheme, width)
      expect(await tab.textContent('h1')).toBe('Signed in')
      // The style sheet applied: without it the heading would be twice the text.
      expect(
        await tab.evaluate(() => getComputedStyle(document.querySelector('main')!).borderRadius),
      ).toBe('12px')
      expect(
        await tab.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth),
      ).toBe(true)
      expect(problems).toEqual([])
    },
  )

  it('shows what came from outside as text and never as markup', async () => {
    const { tab } = await shown(failurePage('<img src=x onerror=alert(1)> & "more"'), 'light', 800)
    expect(await tab.textContent('main')).toContain('<img src=x onerror=alert(1)> & "more"')
    expect(await tab.$('img')).toBeNull()
  })
})
