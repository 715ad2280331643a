import { describe, expect, it } from 'vitest'

import {
  isVersion,
  lacksOf,
  newestOfMinors,
  PINNED_HOSTS,
} from '../../scripts/opencode-versions.mjs'

describe('the newest minor versions', () => {
  it('are told by numbers, not by letters, whatever the order of the list', () => {
    expect(
      newestOfMinors(['1.10.2', '1.9.30', '1.10.11', '1.2.99', '1.9.4', '0.99.1', '2.0.0'], 3),
    ).toEqual(['1.9.30', '1.10.11', '2.0.0'])
  })

  it('pass over previews, and a minor version that has nothing else', () => {
    expect(newestOfMinors(['1.18.33', '1.18.34-beta.1', '1.19.0-rc.1', '1.17.19'], 4)).toEqual([
      '1.17.19',
      '1.18.33',
    ])
  })

  it('are as many as there are when more are asked for', () => {
    expect(newestOfMinors([], 4)).toEqual([])
    expect(newestOfMinors(['1.1.1'], 4)).toEqual(['1.1.1'])
  })

  it('are what is pinned, the oldest first', () => {
    const pinned = Object.keys(PINNED_HOSTS)
    expect(newestOfMinors(pinned.toReversed(), pinned.length)).toEqual(pinned)
    for (const integrity of Object.values(PINNED_HOSTS))
      expect(integrity).toMatch(/^sha512-[\w+/]{86}==$/)
  })
})

it.each(['', '1.18', 'v1.18.33', '1.18.33-beta', 'latest', '../1.1.1', '1.1.1 --x', '1.1.1\n'])(
  '%j is no version, so no path or argument is made of it',
  (text) => {
    expect(isVersion(text)).toBe(false)
  },
)

it('only an OpenCode before 1.15 is said to lack the commands in its TUI', () => {
  expect(lacksOf('1.14.41')).toContain('its server')
  for (const version of ['1.15.13', '1.17.19', '1.18.33', '2.0.0'])
    expect(lacksOf(version)).toBe(`OpenCode ${version} has all that this plugin uses.`)
})
