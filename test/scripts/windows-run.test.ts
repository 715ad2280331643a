import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { outcomeOf } from '../../scripts/windows/outcome.js'
import { dosPath, findWine } from '../../scripts/windows/wine.js'
import { temporaryFolder } from '../support/temporary.js'

const posixOnly = describe.skipIf(process.platform === 'win32')

posixOnly('the Wine for the Windows tests', () => {
  it('is never made over a folder that is already there: what lies in it stays', async () => {
    const root = await temporaryFolder()
    await mkdir(path.join(root, 'etc'))
    await writeFile(path.join(root, 'etc', 'precious'), 'mine')
    const said: string[] = []

    const found = await findWine({ WINDOWS_TEST_ROOT: root }, (line) => said.push(line))

    expect(found).toMatchObject({ missing: expect.any(String) as string })
    expect(said).toEqual([])
    expect(await readdir(root)).toEqual(['etc'])
    expect(await readdir(path.join(root, 'etc'))).toEqual(['precious'])
  })

  it('is the program that WINE names or none, and what is wrong with it is said', async () => {
    const found = await findWine({ WINE: '/nonexistent/wine' }, () => undefined)
    expect(found).toEqual({ missing: 'WINE names /nonexistent/wine, which is no Wine that starts' })
  })

  it('sees a file of its drive C: there, and any other below Z:', () => {
    const wine = { root: '/srv/root', program: '/usr/bin/wine', version: 'wine-10.0' }
    const prefix = { wine, folder: '/srv/root/work/prefix' }
    expect(dosPath(prefix, '/srv/root/work/prefix/drive_c/homes/Jörg M/a.json')).toBe(
      'C:\\homes\\Jörg M\\a.json',
    )
    expect(dosPath(prefix, '/srv/root/work/tree/index.ts')).toBe('Z:\\work\\tree\\index.ts')
    expect(() => dosPath(prefix, '/srv/other')).toThrow('is not in /srv/root')
  })
})

describe('the outcome of a part of the Windows tests', () => {
  async function outcome(
    results: unknown,
    code: number | undefined,
    excused = '',
  ): Promise<unknown> {
    const report = path.join(await temporaryFolder(), 'report.json')
    if (results !== undefined) await writeFile(report, JSON.stringify({ testResults: results }))
    const leftOut = (_file: string, title: string) => (title === excused ? 'no NTFS' : undefined)
    return outcomeOf({ part: 'unit', report, code, seconds: 1, leftOut })
  }
  const test = (fullName: string, status: string) => ({
    fullName,
    status,
    failureMessages: status === 'failed' ? ['it broke\n at x'] : [],
  })
  const file = (status: string, ...assertionResults: unknown[]) => ({
    name: 'Z:\\tree\\test\\a\\b.test.ts',
    status,
    assertionResults,
  })

  it('counts what passed, failed and was skipped, and names what failed', async () => {
    const tests = [test('one', 'passed'), test('two', 'failed'), test('three', 'pending')]
    expect(await outcome([file('failed', ...tests)], 1)).toMatchObject({
      passed: 1,
      failed: 1,
      skipped: 1,
      failures: [{ test: 'test/a/b.test.ts > two', why: 'it broke' }],
    })
  })

  it('counts a failure that says nothing about Windows as skipped, with its reason', async () => {
    expect(await outcome([file('failed', test('two', 'failed'))], 1, 'two')).toMatchObject({
      failed: 0,
      skipped: 1,
      leftOut: ['test/a/b.test.ts > two: no NTFS'],
    })
  })

  it('is a failure when a file cannot be loaded, when there is no report, and when Vitest says no more', async () => {
    expect(await outcome([file('failed')], 1)).toMatchObject({
      failed: 1,
      failures: [{ test: 'test/a/b.test.ts > (the file)' }],
    })
    expect(await outcome(undefined, undefined)).toMatchObject({ failed: 1 })
    expect(await outcome([file('passed', test('one', 'passed'))], 1)).toMatchObject({
      passed: 1,
      failed: 1,
    })
  })
})
