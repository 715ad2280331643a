import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { chromium, type Page } from 'playwright-core'

import { palettePng } from './palette-png.js'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
/** What fits into a README: the beginning of the page. */
const SIZE = { width: 1000, height: 1370 }
/** The largest a picture may be, bytes. */
const MOST_BYTES = 150_000

/**
 * The beginning of a report as it looks in a browser, light and dark.
 * @returns the files
 * @throws Error when no Chromium is installed, or a picture is too large
 */
export async function reportPictures(page: string, out: string): Promise<string[]> {
  const executablePath = CHROMIUM.find((file) => existsSync(file))
  if (executablePath === undefined)
    throw new Error(`Chromium is not installed: none of ${CHROMIUM.join(', ')}.`)
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  try {
    const files: string[] = []
    for (const colorScheme of ['light', 'dark'] as const) {
      const tab = await browser.newPage({ colorScheme, viewport: SIZE })
      await tab.goto(pathToFileURL(page).href)
      const file = path.join(out, `report-${colorScheme}.png`)
      const png = await smaller(await browser.newPage(), await tab.screenshot())
      if (png.length > MOST_BYTES)
        throw new Error(`${file} has ${String(png.length)} bytes, more than ${String(MOST_BYTES)}`)
      await writeFile(file, png)
      files.push(file)
    }
    return files
  } finally {
    await browser.close()
  }
}

/** The same picture in fewer colours; the browser reads it, so that nobody else has to. */
async function smaller(blank: Page, png: Buffer): Promise<Buffer> {
  const { width, height, pixels } = await blank.evaluate(async (base64) => {
    const image = new Image()
    image.src = `data:image/png;base64,${base64}`
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = image.width
    canvas.height = image.height
    const context = canvas.getContext('2d')
    if (context === null) throw new Error('This browser draws nothing.')
    context.drawImage(image, 0, 0)
    const { data } = context.getImageData(0, 0, image.width, image.height)
    let text = ''
    for (let at = 0; at < data.length; at += 8192)
      text += String.fromCharCode(...data.subarray(at, at + 8192))
    return { width: image.width, height: image.height, pixels: btoa(text) }
  }, png.toString('base64'))
  return palettePng(width, height, Buffer.from(pixels, 'base64'))
}
