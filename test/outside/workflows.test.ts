import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

const folder = path.resolve(import.meta.dirname, '../../.github/workflows')

async function workflows(): Promise<readonly { name: string; lines: readonly string[] }[]> {
  const names = await readdir(folder)
  return Promise.all(
    names.map(async (name) => ({
      name,
      lines: (await readFile(path.join(folder, name), 'utf8')).split('\n'),
    })),
  )
}

const linesWith = async (pattern: RegExp): Promise<readonly string[]> =>
  (await workflows()).flatMap(({ lines }) => lines.filter((line) => pattern.test(line)))

describe('a workflow of the hosted CI', () => {
  it('uses foreign actions by their commit, with the release beside it: a tag can be moved to other code', async () => {
    const foreign = (await linesWith(/\buses:/)).filter((line) => !line.includes('uses: ./'))
    expect(foreign.length).toBeGreaterThan(0)
    for (const line of foreign)
      expect(line).toMatch(/uses: [\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  it('may read the code and nothing else, unless a job says why it needs more', async () => {
    for (const { name, lines } of await workflows()) {
      const top = lines.indexOf('permissions:')
      expect(top, name).toBeGreaterThan(-1)
      expect(lines[top + 1], name).toBe('  contents: read')
      expect(lines[top + 2], name).toBe('')
    }
    const writes = await linesWith(/: write\b/)
    expect(writes.map((line) => line.replace(/#.*/, '').trim())).toEqual([
      'id-token: write',
      'contents: write',
    ])
  })

  it('installs what the lock file says and leaves no credentials in the checkout', async () => {
    expect(await linesWith(/\bnpm (i|install|update)\b|\bnpx\b/)).toEqual([])
    const checkouts = await linesWith(/actions\/checkout@/)
    expect(await linesWith(/persist-credentials: false/)).toHaveLength(checkouts.length)
  })

  it('has no secret: npm knows the workflow itself, and GitHub lends its token to one step', async () => {
    expect(await linesWith(/secrets\.|pull_request_target/)).toEqual([])
  })

  it('publishes only what passed the tests of the same workflow as every change', async () => {
    const release = (await workflows()).find(({ name }) => name === 'release.yml')
    expect(release?.lines).toContain('    uses: ./.github/workflows/ci.yml')
    expect(release?.lines).toContain('    needs: test')
  })
})
