import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

import { beforeAll, describe, expect, it } from 'vitest'

import type { DrillReport } from '../../lib/cli/drill/drill.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { endOf, type Running, startProcess } from '../support/child-process.js'
import { packPackage } from '../support/pack.js'
import { accountsFileOf, anAccount, writePool } from '../support/records.js'
import { temporaryFolder } from '../support/temporary.js'

const END_MS = 200_000
const FAULTS = [
  'lock',
  'dead-holder',
  'store',
  'refresh',
  'kill-before-store',
  'kill-before-answer',
  'dropped-answer',
  'clock',
  'refused-writes',
]

describe('doctor --drill of the packed package', () => {
  const drive = bundledWorker('test/chaos/network-drive.ts')
  let tarball = ''
  beforeAll(async () => {
    tarball = (await packPackage()).tarball
  }, 600_000)

  /** A home with an account, and the package installed as npm does it. */
  async function installed() {
    const folder = await temporaryFolder()
    const home = path.join(folder, 'home')
    const file = accountsFileOf(home)
    await writePool(file, [anAccount('real')])
    await promisify(execFile)('tar', ['-xzf', tarball, '-C', folder])
    const start = (args: readonly string[], options: readonly string[] = []): Running =>
      startProcess({
        file: process.execPath,
        args: [...options, path.join(folder, 'package', 'dist', 'cli.js'), 'doctor', ...args],
        cwd: folder,
        env: { HOME: home, PATH: process.env.PATH ?? '' },
      })
    /** Everything beside the account file, and that it is as it was. */
    const leftIn = async (): Promise<readonly string[]> => {
      const pool = JSON.parse(await readFile(file, 'utf8')) as { accounts: { email: string }[] }
      expect(pool.accounts.map(({ email }) => email)).toEqual(['real@example.test'])
      return (await readdir(path.dirname(file))).filter((name) => name !== path.basename(file))
    }
    return { home, file, folder, start, leftIn }
  }
  const reportOf = ({ stdout }: { readonly stdout: string }) => JSON.parse(stdout) as DrillReport

  it(
    'says that a usual disk is safe, touches no account, and leaves nothing',
    async () => {
      const { file, start, leftIn } = await installed()
      const ended = await endOf(
        start(['--drill', '--seconds', '10', '--processes', '4', '--json']),
        END_MS,
      )
      const report = reportOf(ended)
      expect(report.faults.filter(({ outcome }) => outcome === 'broken')).toEqual([])
      expect(report).toMatchObject({ safe: true, processes: 4, folder: path.dirname(file) })
      expect(report.faults.map(({ fault }) => fault)).toEqual(FAULTS)
      expect(ended.code).toBe(0)
      expect(ended.stdout).not.toMatch(/real@example|rt-real|at-real/)
      expect(await leftIn()).toEqual([])
    },
    END_MS,
  )

  it(
    'says that a disk is not safe on which locks do not hold, and what to do',
    async () => {
      const { home, folder, start, leftIn } = await installed()
      // The options go with the module: processes of the drill are given a chosen environment.
      const lawless = path.join(folder, 'lawless.mjs')
      const options = JSON.stringify({ root: home, isLawless: true })
      await writeFile(
        lawless,
        `process.env.DRIVE = ${JSON.stringify(options)}\nawait import(${JSON.stringify(pathToFileURL(drive()).href)})\n`,
      )
      const ended = await endOf(
        start(
          ['--drill', '--seconds', '10', '--processes', '4', '--json'],
          ['--import', pathToFileURL(lawless).href],
        ),
        END_MS,
      )
      const report = reportOf(ended)
      expect(report.faults.find(({ fault }) => fault === 'lock')).toMatchObject({
        outcome: 'broken',
        summary: expect.stringContaining('two of them held it at once'),
      })
      expect(report).toMatchObject({
        safe: false,
        summary: expect.stringMatching(/^Not safe/),
        action: expect.stringMatching(/^Move the folder/),
      })
      expect(ended.code).toBe(1)
      expect(await leftIn()).toEqual([])
    },
    END_MS,
  )

  it.each([
    ['full from the start', 0],
    ['full after a while', 5],
  ])(
    'does not call a disk unsafe that is %s: it says what to do, and leaves nothing',
    async (_when, writes) => {
      const { home, folder, start, leftIn } = await installed()
      const full = path.join(folder, 'full.mjs')
      await writeFile(
        full,
        `import fs from 'node:fs/promises'
        import { syncBuiltinESMExports } from 'node:module'
        const real = fs.writeFile
        let left = ${writes}
        fs.writeFile = async (file, ...rest) => {
          if (!String(file).startsWith(${JSON.stringify(home)}) || (left -= 1) >= 0) return real(file, ...rest)
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
        }
        syncBuiltinESMExports()\n`,
      )
      const { code, stdout, stderr } = await endOf(
        start(
          ['--drill', '--seconds', '10', '--processes', '2'],
          ['--import', pathToFileURL(full).href],
        ),
        END_MS,
      )
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toContain('is full (ENOSPC), so the drill could not go on')
      expect(stderr).toContain('Make room there, then run it again')
      expect(await leftIn()).toEqual([])
    },
    END_MS,
  )

  it.skipIf(process.platform === 'win32')(
    'ends at once on Ctrl-C with all its processes and its folder, and removes what a killed one left',
    async () => {
      const { file, start, leftIn } = await installed()
      const beside = path.dirname(file)
      const began = async (): Promise<void> =>
        expect
          .poll(
            async () => (await readdir(beside)).some((name) => name.startsWith('.oc-codex-drill-')),
            {
              timeout: 20_000,
            },
          )
          .toBe(true)
      const killed = start(['--drill'])
      await began()
      killed.kill()
      await killed.ended
      const [left = ''] = await leftIn()
      expect(left).toMatch(/^\.oc-codex-drill-/)
      // One that may still run elsewhere stays.
      const foreign = `.oc-codex-drill-1-00000000-${'0'.repeat(12)}`
      await mkdir(path.join(beside, foreign))
      const next = start(['--drill'])
      await expect
        .poll(async () => (await leftIn()).filter((name) => name !== foreign && name !== left), {
          timeout: 20_000,
        })
        .toHaveLength(1)
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      next.signal('SIGINT')
      expect(await endOf(next, 10_000)).toMatchObject({ code: 130 })
      expect(await leftIn()).toEqual([foreign])
    },
    END_MS,
  )

  it('says in its help what it does, and refuses what makes no sense', async () => {
    const { start, file, home } = await installed()
    const help = await endOf(start(['--help']), END_MS)
    expect(help.stdout).toMatch(/--drill .*\n.*--seconds N .*\n.*--processes N /)
    for (const [args, why] of [
      [['--seconds', '20'], '--seconds needs --drill.'],
      [['--drill', '--fix'], '--drill stands alone.'],
      [['--drill', '--seconds', 'x'], '--seconds must be a whole number from 10 to 600, not "x".'],
      [['--drill', '--processes', '99'], '--processes must be a whole number from 2 to 16'],
    ] as const) {
      const ended = await endOf(start(args), END_MS)
      expect(ended.code).toBe(2)
      expect(ended.stderr).toContain(why)
    }
    // A file in the place of the folder.
    await rename(path.dirname(file), path.join(home, 'away'))
    await writeFile(path.dirname(file), '')
    const ended = await endOf(start(['--drill']), END_MS)
    expect([ended.code, ended.stderr]).toEqual([
      1,
      expect.stringMatching(/cannot be made \(E\w+\), so nothing was tried/),
    ])
  })
})
