import os from 'node:os'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { resolvePaths } from '../../lib/kernel/files/paths.js'

const both = { HOME: '/from/home', USERPROFILE: '/from/profile' }

describe('the home of our files is the one that OpenCode takes', () => {
  it('on Windows USERPROFILE, whatever HOME a shell sets (the installer wrote to a folder that OpenCode never reads)', () => {
    const paths = resolvePaths(both, 'win32')
    expect(paths.home).toBe('/from/profile')
    for (const file of Object.values(paths).flat()) expect(file).toMatch(/^.from.profile/)
    expect(resolvePaths({ HOME: '/from/home' }, 'win32').home).toBe(os.homedir())
    expect(resolvePaths({ HOME: '/from/home', USERPROFILE: ' ' }, 'win32').home).toBe(os.homedir())
  })

  it.each(['linux', 'darwin'] as const)(
    'on %s HOME, never USERPROFILE, and without HOME what the system says',
    (platform) => {
      expect(resolvePaths(both, platform).home).toBe('/from/home')
      for (const env of [{}, { HOME: '' }, { USERPROFILE: '/from/profile' }])
        expect(resolvePaths(env, platform).home).toBe(os.homedir())
    },
  )

  it.each(['linux', 'win32'] as const)(
    'on %s the XDG folders of the environment come first',
    (platform) => {
      const paths = resolvePaths(
        {
          ...both,
          XDG_CONFIG_HOME: '/x/config',
          XDG_DATA_HOME: '/x/data',
          XDG_STATE_HOME: '/x/state',
          XDG_CACHE_HOME: '/x/cache',
        },
        platform,
      )
      expect([paths.hostConfigDir, paths.hostAuthFile, paths.stateDir, paths.hostCacheDir]).toEqual(
        [
          '/x/config/opencode',
          '/x/data/opencode/auth.json',
          '/x/state/opencode',
          '/x/cache/opencode',
        ].map((name) => path.normalize(name)),
      )
    },
  )
})
