import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { diskKindAt, diskKindOf } from '../../lib/kernel/files/disk-kind.js'
import { diskFindings } from '../../lib/tools/diagnostics/doctor-files.js'
import { temporaryFolder } from '../support/temporary.js'

describe('the kind of a disk', () => {
  it.each([
    [0x6969, 'linux', '/home/u', 'network'],
    [0xff534d42, 'linux', '/home/u', 'network'],
    // As a number of 32 bits with a sign.
    [0xfe534d42 | 0, 'linux', '/home/u', 'network'],
    [0x01021997, 'linux', '/mnt/c/Users/u', 'foreign'],
    [0x65735546, 'linux', '/home/u', 'foreign'],
    [0x4d44, 'linux', '/media/stick', 'modeless'],
    [0xef53, 'linux', '/home/u', 'local'],
    [0x1234, 'linux', '/home/u', 'unknown'],
    // Other systems have other numbers.
    [0x6969, 'darwin', '/Users/u', 'unknown'],
    [0, 'win32', '\\\\server\\homes\\u', 'network'],
    [0, 'win32', 'C:\\Users\\u', 'unknown'],
    [0, 'win32', '\\\\?\\C:\\Users\\u', 'unknown'],
  ] as const)('%i on %s at %s is %s', (type, platform, folder, kind) => {
    expect(diskKindOf(folder, type, platform).kind).toBe(kind)
  })

  it('is that of the nearest folder which is there', async () => {
    const folder = await temporaryFolder()
    expect(await diskKindAt(path.join(folder, 'not', 'there'))).toEqual(await diskKindAt(folder))
  })

  it('is told by doctor where it matters, with what to do, and nowhere else', () => {
    const said = (kind: Parameters<typeof diskFindings>[1]['kind']) =>
      diskFindings('/home/u', { kind, name: 'X' }).map(({ severity, action }) => [severity, action])
    expect(said('local')).toEqual([])
    expect(said('unknown')).toEqual([])
    expect(said('network')).toEqual([['ok', expect.stringContaining('{doctor --drill}')]])
    expect(said('foreign')).toEqual(said('network'))
    expect(said('modeless')).toEqual([['warning', expect.stringContaining('{keychain migrate}')]])
  })
})
