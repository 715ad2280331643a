import { stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { expect } from 'vitest'

import { systemTools } from '../../lib/tools/diagnostics/windows-access/system-tools.js'

/**
 * Nobody but its owner gets at a file or folder: by the bits of its mode. On Windows by its access list, which has to be that
 * of the profile folder; where the system does not say it (Wine), that it lies in there.
 */
export async function expectPrivate(place: string): Promise<void> {
  const found = await stat(place)
  if (process.platform !== 'win32') {
    expect(found.mode & 0o777, place).toBe(found.isDirectory() ? 0o700 : 0o600)
    return
  }
  expect(path.relative(os.userInfo().homedir, place)).not.toMatch(/^(?:\.\.|[a-z]:)/i)
  const { signal } = new AbortController()
  const tools = await systemTools(process.env, signal)
  const access = await tools.access(place, signal).catch((error: unknown) => String(error))
  if (typeof access === 'string') expect(access).toContain('icacls gave no list')
  else expect(access, place).toEqual({ kind: 'list', others: [] })
}
