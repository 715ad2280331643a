import { describe, expect, it } from 'vitest'

import { coreOver } from '../support/core-over.js'
import { sourcesOf } from '../support/repository.js'
import { toolData, toolText } from '../support/run-tool.js'

describe('codex-metrics', () => {
  it('tells what the registered tools add to every request', async () => {
    const { core } = await coreOver(['a'])
    expect(await toolData(core.runtime, 'metrics')).toMatchObject({
      registeredTools: { profile: 'core', count: 3 },
    })
    expect(await toolText(core.runtime, 'metrics')).toMatch(
      /3 \(profile core\), 1\d{3} bytes in every request, about \d+ tokens/,
    )
  })

  it('keeps the lines of an exported text, as text and in JSON (an exposition in one line is none)', async () => {
    const { core } = await coreOver(['a'])
    const { exported } = (await toolData(core.runtime, 'metrics', { format: 'prometheus' })) as {
      exported: { text: string }
    }
    for (const text of [
      exported.text,
      await toolText(core.runtime, 'metrics', { format: 'prometheus' }),
    ])
      expect(text).toMatch(/^# TYPE .*\n\w+\{/m)
  })

  it('shows the numbers of every policy when asked, and none of them otherwise', async () => {
    const { core } = await coreOver(['a'])
    expect(await toolText(core.runtime, 'metrics', { constants: true })).toMatch(
      /BREAKER_THRESHOLD +20/,
    )
    expect(await toolText(core.runtime, 'metrics')).not.toContain('BREAKER_THRESHOLD')
  })

  it('leaves no constant of the retry policy out', async () => {
    const { core } = await coreOver(['a'])
    const shown = JSON.stringify((await toolData(core.runtime, 'metrics')).constants)
    const files = [
      'lib/request/breaker.ts',
      'lib/request/failures/retry.ts',
      'lib/routing/health.ts',
    ]
    const sources = await sourcesOf('lib', (file) => files.includes(file))
    const names = sources.flatMap(({ text }) =>
      [...text.matchAll(/^export const ([A-Z_]+) =/gm)].map((match) => match[1] ?? ''),
    )
    expect(names.length).toBeGreaterThan(10)
    expect(names.filter((name) => !shown.includes(`"${name}"`))).toEqual([])
  })
})
