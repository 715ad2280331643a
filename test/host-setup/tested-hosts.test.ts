import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { OLDEST_HOST } from '../../lib/host-setup/oldest-host.js'
import { ageOfHost, TESTED_HOSTS } from '../../lib/host-setup/tested-hosts.js'
import { PINNED_HOSTS } from '../../scripts/opencode-versions.mjs'
import { repositoryRoot } from '../support/repository.js'

describe('the range of OpenCode versions', () => {
  it('is the one that test:hosts runs, and ends with the development dependency', async () => {
    expect(Object.keys(PINNED_HOSTS)).toEqual([...TESTED_HOSTS])
    const manifest = JSON.parse(
      await readFile(path.join(repositoryRoot, 'package.json'), 'utf8'),
    ) as { devDependencies: Record<string, string> }
    expect(manifest.devDependencies['opencode-ai']).toBe(`^${TESTED_HOSTS.at(-1)}`)
  })

  it('is named by the documentation with its oldest minor version', async () => {
    const text = await readFile(path.join(repositoryRoot, 'docs', 'getting-started.md'), 'utf8')
    const minor = OLDEST_HOST.split('.').slice(0, 2).join('.')
    expect(text.match(/OpenCode \(?(\d+\.\d+) or newer/g)).not.toBeNull()
    for (const [, named] of text.matchAll(/(\d+\.\d+) or newer/g)) expect(named).toBe(minor)
  })

  it.each([
    ['1.3.2', 'too-old'],
    ['0.15.3', 'too-old'],
    ['1.14.0', 'tested'],
    ['1.14.41', 'tested'],
    ['1.16.2', 'tested'],
    ['v1.18.33', 'tested'],
    ['1.18.99-beta.1', 'tested'],
    ['1.19.0', 'newer'],
    ['2.0.0', 'newer'],
    ['local', 'unknown'],
    ['', 'unknown'],
  ] as const)('judges %s: %s', (version, age) => {
    expect(ageOfHost(version)).toBe(age)
  })
})
