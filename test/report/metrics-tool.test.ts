import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { toolData, toolText } from '../support/run-tool.js'
import { turn } from './entries.js'
import { runtimeWith } from './tool-home.js'
import { expectPrivate } from '../support/private-place.js'

describe('codex-metrics with a format', () => {
  it('prints the quota of every account under a pseudonym, and no address or token', async () => {
    const runtime = await runtimeWith([turn()])
    for (const format of ['prometheus', 'otlp-json']) {
      const text = await toolText(runtime, 'metrics', { format })
      expect(text.match(/account-[0-9a-f]{8}/g)).not.toBeNull()
      expect(text).toContain('0.62')
      expect(text).not.toMatch(/person|example\.com|rt_|acc-u1/)
    }
  })

  it('counts today’s tokens from the history and skips lines that are broken or of a later version', async () => {
    const runtime = await runtimeWith(
      [turn()],
      ['{"type":"turn","atMs":', '{"type":"of tomorrow"}', ''],
    )
    expect(await toolText(runtime, 'metrics', { format: 'prometheus' })).toMatch(
      /codex_tokens_total\{.*codex_token_type="output"\} 50/,
    )
  })

  it('writes a file only its owner can read, and replaces its own file at the next run', async () => {
    const runtime = await runtimeWith([])
    for (const format of ['prometheus', 'otlp-json']) {
      expect(await toolText(runtime, 'metrics', { format, out: 'out.prom' })).toContain(
        'Metrics written to ',
      )
      expect(await toolText(runtime, 'metrics', { format, out: 'out.prom' })).toContain(
        'Metrics written to ',
      )
      const file = path.join(runtime.directory, 'out.prom')
      await expectPrivate(file)
      await writeFile(file, '')
    }
  })

  it('never replaces a file of somebody else', async () => {
    const runtime = await runtimeWith([])
    const file = path.join(runtime.directory, 'notes.txt')
    await writeFile(file, 'mine')
    await expect(
      toolText(runtime, 'metrics', { format: 'prometheus', out: 'notes.txt' }),
    ).rejects.toThrow('exists already')
    expect(await readFile(file, 'utf8')).toBe('mine')
  })

  it('says that a file needs a format', async () => {
    const runtime = await runtimeWith([])
    await expect(toolText(runtime, 'metrics', { out: 'x' })).rejects.toThrow(
      'Argument out needs a format.',
    )
    await expect(toolText(runtime, 'metrics', { format: 'prometheus', out: '' })).rejects.toThrow(
      'Argument out needs the name of a file.',
    )
  })

  it('keeps its JSON answer, with the export as one member more', async () => {
    const runtime = await runtimeWith([])
    expect(await toolData(runtime, 'metrics')).not.toHaveProperty('exported')
    expect(await toolData(runtime, 'metrics', { format: 'prometheus' })).toMatchObject({
      counters: {},
      exported: { format: 'prometheus' },
    })
  })
})
