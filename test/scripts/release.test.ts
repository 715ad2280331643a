import { describe, expect, it } from 'vitest'

import { notesOf, obstacles } from '../../scripts/release.mjs'

const CHANGELOG = `# Changelog

## [Unreleased]

### Added

- Something to come.

## [7.0.1] – 2026-12-01

### Fixed

- A defect.

## [7.0.0] – 2026-11-30

### Added

- Everything.
`

const release = (over: Partial<Parameters<typeof obstacles>[0]> = {}) =>
  obstacles({
    tag: 'v7.0.1',
    changelog: CHANGELOG,
    repository: 'someone/codex-pool',
    manifest: {
      name: 'oc-codex-multi-auth',
      version: '7.0.1',
      repository: { url: 'git+https://github.com/someone/codex-pool.git' },
    },
    ...over,
  })

describe('a release', () => {
  it('goes through when tag, version, changelog and repository agree', () => {
    expect(release()).toEqual([])
  })

  it('stops at a tag of another version: the registry would get the old one again', () => {
    expect(release({ tag: 'v7.0.2' })).toEqual([
      'The tag is v7.0.2, the version in package.json 7.0.1: they must be the same.',
    ])
    expect(release({ tag: '7.0.1' })).toHaveLength(1)
  })

  it('stops without a section in the changelog, or with an empty one', () => {
    for (const changelog of ['', '## [Unreleased] – 7.0.1\n\n- a\n', '## [7.0.1] – 2026-12-01\n\n'])
      expect(release({ changelog })[0]).toContain('CHANGELOG.md has no section "## [7.0.1] – DATE"')
  })

  it('stops where package.json names another repository or none: npm refuses such a provenance', () => {
    const manifest = { name: 'x', version: '7.0.1' }
    expect(release({ manifest })[0]).toContain(
      'is missing, and the workflow runs in someone/codex-pool',
    )
    expect(
      release({ manifest: { ...manifest, repository: 'https://github.com/other/codex-pool' } }),
    ).toHaveLength(1)
    for (const repository of [
      'https://github.com/Someone/Codex-pool',
      'git@github.com:someone/codex-pool.git',
      'ssh://git@github.com/someone/codex-pool.git',
    ])
      expect(release({ manifest: { ...manifest, repository } })).toEqual([])
  })

  it('has the text of its own section as notes', () => {
    expect(notesOf(CHANGELOG, '7.0.1')).toBe('### Fixed\n\n- A defect.')
    expect(notesOf(CHANGELOG, '7.0.0')).toBe('### Added\n\n- Everything.')
    expect(notesOf(CHANGELOG, '7')).toBe('')
  })
})
