import { readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { toolData, toolText } from '../support/run-tool.js'
import { move, turn } from './entries.js'
import { runtimeWith } from './tool-home.js'

describe('codex-dashboard with a file', () => {
  it('writes a page only its owner can read, with the history, and names its path', async () => {
    const runtime = await runtimeWith([turn({ model: 'gpt-of-the-test' }), move()], ['{"broken'])
    const file = path.join(runtime.directory, 'report.html')
    expect(await toolData(runtime, 'dashboard', { html: 'report.html' })).toMatchObject({ report: { path: file } })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const page = await readFile(file, 'utf8')
    expect(page).toContain('gpt-of-the-test')
    expect(page).toContain('usage limit')
    expect(page).not.toMatch(/person@|rt_|acc-u1/)
  })

  it('replaces its own page, and another file only when told to', async () => {
    const runtime = await runtimeWith([])
    const file = path.join(runtime.directory, 'report.html')
    await toolText(runtime, 'dashboard', { html: 'report.html' })
    expect(await toolText(runtime, 'dashboard', { html: 'report.html' })).toBe(`Report written to ${file}.`)
    await writeFile(file, '<!doctype html><p>mine')
    await expect(toolText(runtime, 'dashboard', { html: 'report.html' })).rejects.toThrow('exists already')
    expect(await readFile(file, 'utf8')).toBe('<!doctype html><p>mine')
    await toolText(runtime, 'dashboard', { html: 'report.html', force: true })
    expect(await readFile(file, 'utf8')).toContain('Codex usage')
  })

  it('answers as before without one', async () => {
    const runtime = await runtimeWith([])
    expect(await toolData(runtime, 'dashboard')).not.toHaveProperty('report')
    expect(await toolText(runtime, 'dashboard')).toContain('Pool: 2 of 2 can serve')
  })
})
