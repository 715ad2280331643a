import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import lockfile from 'proper-lockfile'
import { describe, expect, it } from 'vitest'

import { newOwnerPath, lockPlace, parseOwnerName } from '../../lib/kernel/lock/lock-files.js'
import { tryLock, withFileLock } from '../../lib/kernel/lock/lock.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { type Running, startProcess } from '../support/child-process.js'
import { temporaryFolder } from '../support/temporary.js'
import { SOAK } from './soak.js'
import { readTurns } from './turns.js'

const CONTENDERS = 12
const HOUR = 3_600_000
const OPTIONS = { staleMs: 2_000, waitMs: 60_000, what: 'the counter' }
const isLinux = process.platform === 'linux'

/** A lock as the earlier plugin, or a kill at the wrong moment, leaves it. */
async function abandonedFolder(file: string): Promise<void> {
  await mkdir(`${file}.lock`)
  const longAgo = new Date(Date.now() - HOUR)
  await utimes(`${file}.lock`, longAgo, longAgo)
}

/** The owner files and folders of locks in a folder. */
async function leftovers(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter(
    (name) => name.endsWith('.lock') || parseOwnerName(name) !== undefined,
  )
}

async function countTogether(file: string): Promise<void> {
  await withFileLock(file, OPTIONS, async () => {
    const value = Number(await readFile(file, 'utf8'))
    await sleep(1)
    await writeFile(file, String(value + 1))
  })
}

describe('a lock that was left behind has exactly one taker', () => {
  const worker = bundledWorker('test/chaos/lock-worker.ts')

  it(
    'among twelve in one process, many times, and no count is lost',
    async () => {
      const folder = await temporaryFolder()
      const dead = startProcess({
        file: process.execPath,
        args: [worker(), path.join(folder, 'other'), 'dead'],
        cwd: folder,
        env: {},
      })
      await dead.waitFor('went in')
      dead.kill()
      await dead.ended
      const rounds = 50 * SOAK
      for (let round = 0; round < rounds; round += 1) {
        const file = path.join(folder, `counter-${round}`)
        await writeFile(file, '0')
        await abandonedFolder(file)
        if (round % 2 === 1) {
          // As a killed holder leaves it: its own file beside the folder.
          const owner = newOwnerPath(lockPlace(file)).replace(
            `.lock.${process.pid}-`,
            `.lock.${dead.pid}-`,
          )
          await writeFile(owner, '')
        }
        await Promise.all(Array.from({ length: CONTENDERS }, () => countTogether(file)))
        expect(await readFile(file, 'utf8'), `round ${round}`).toBe(String(CONTENDERS))
      }
      expect(await leftovers(folder)).toEqual([])
      console.log(
        `locks: ${rounds} rounds of ${CONTENDERS} contenders for an abandoned lock, no count lost`,
      )
    },
    120_000 * SOAK,
  )

  it.skipIf(!isLinux)(
    'among processes with wrong clocks that are stopped, go on and are killed, and who lost it is told',
    async () => {
      const folder = await temporaryFolder()
      const file = path.join(folder, 'counter')
      await writeFile(`${file}.log`, '')
      const clocks = [0, 5 * HOUR, -5 * HOUR, 0]
      let started = 0
      const start = (): Running => {
        const offsetMs = clocks[started % clocks.length]!
        // The clock jumps while the worker holds the lock or waits for it.
        const faults =
          offsetMs === 0
            ? []
            : [
                { kind: 'clock', fromMs: 700, untilMs: 3_000, offsetMs },
                { kind: 'clock', fromMs: 4_000, untilMs: HOUR, offsetMs },
              ]
        started += 1
        return startProcess({
          file: process.execPath,
          args: [worker(), file, `worker-${started}`],
          cwd: folder,
          env: { OC_FAULTS: JSON.stringify(faults), OC_FAULTS_EPOCH: String(Date.now()) },
        })
      }
      const workers = Array.from({ length: 4 }, start)
      await Promise.all(workers.map((one) => one.waitFor('went in')))
      let kills = 0
      let stops = 0
      for (let round = 0; round < 12 * SOAK; round += 1) {
        const index = round % workers.length
        const victim = workers[index]!
        if (round % 3 === 2) {
          victim.kill()
          await victim.ended
          workers[index] = start()
          kills += 1
        } else {
          victim.signal('SIGSTOP')
          await sleep(round % 3 === 0 ? 3_200 : 300)
          victim.signal('SIGCONT')
          stops += 1
        }
        await sleep(Math.random() * 150)
      }
      for (const one of workers) one.kill()
      await Promise.all(workers.map(({ ended }) => ended))
      const { turns, lost } = readTurns(await readFile(`${file}.log`, 'utf8'))
      const overlaps = turns.filter(
        (turn, index) => index > 0 && turn.from < turns[index - 1]!.until,
      )
      expect(overlaps, 'two held the lock at the same time').toEqual([])
      expect(turns.length).toBeGreaterThan(100)
      if (SOAK > 1) expect(lost, 'those that slept too long were told').toBeGreaterThan(0)
      console.log(
        `locks: ${turns.length} turns of ${started} processes, ${kills} kills, ${stops} stops, ${lost} told that the lock was lost, no overlap`,
      )
    },
    120_000 * SOAK,
  )
})

describe('a process killed at any step of taking or giving back a lock', () => {
  const worker = bundledWorker('test/chaos/lock-kill-worker.ts')
  const states = ['free', 'abandoned by the earlier plugin', 'of a dead process'] as const

  async function prepare(state: (typeof states)[number], file: string): Promise<void> {
    if (state === 'abandoned by the earlier plugin') await abandonedFolder(file)
    // The fourth step on the disk is the first of giving it back.
    if (state === 'of a dead process') await run(file, 4, 'before')
  }
  const run = (file: string, killAt: number, when: string): Promise<string> =>
    startProcess({
      file: process.execPath,
      args: [worker(), file, String(killAt), when],
      cwd: path.dirname(file),
      env: {},
    }).ended.then(({ stdout }) => stdout)

  it.skipIf(!isLinux).each(states)(
    'leaves a lock that was %s to the next one within the time of one sign of life, and nothing on the disk',
    async (state) => {
      const folder = await temporaryFolder()
      await prepare(state, path.join(folder, 'probe'))
      const steps = Number((await run(path.join(folder, 'probe'), 0, 'before')).split(' ')[1])
      expect(steps).toBeGreaterThan(3)
      let kills = 0
      for (let step = 1; step <= steps; step += SOAK > 1 ? 1 : 2) {
        for (const when of SOAK > 1 ? ['before', 'after'] : ['after']) {
          const file = path.join(folder, `lock-${step}-${when}`)
          await prepare(state, file)
          expect(
            await run(file, step, when),
            `the worker was killed at step ${step} of ${steps}, ${when}`,
          ).toBe('')
          kills += 1
          await withFileLock(file, { ...OPTIONS, waitMs: 10_000 }, async (lock) =>
            expect(lock.isHeld()).toBe(true),
          )
          expect(await leftovers(folder), `step ${step}, ${when}`).toEqual([])
        }
      }
      console.log(`locks: ${kills} kills while taking or giving back a lock that was ${state}`)
    },
    120_000,
  )
})

describe('the earlier plugin, which locks the same folder with its library', () => {
  const theirs = { realpath: false, stale: 10_000, update: 2_000, onCompromised: () => undefined }

  it('waits while we hold the lock, and takes it when we are done', async () => {
    const file = path.join(await temporaryFolder(), 'file')
    const lock = await tryLock(file, 2_000)
    await expect(lockfile.lock(file, theirs)).rejects.toMatchObject({ code: 'ELOCKED' })
    await lock?.release()
    const release = await lockfile.lock(file, theirs)
    expect(await tryLock(file, 4_000)).toBeUndefined()
    await release()
    await (await tryLock(file, 4_000))?.release()
    expect(await leftovers(path.dirname(file))).toEqual([])
  })

  it('is not disturbed by a stop of ours: it takes the folder over, and we find it taken', async () => {
    const file = path.join(await temporaryFolder(), 'file')
    const lock = await tryLock(file, 60_000)
    const longAgo = new Date(Date.now() - HOUR)
    await utimes(`${file}.lock`, longAgo, longAgo)
    await sleep(20)
    const release = await lockfile.lock(file, theirs)
    expect(lock?.isHeld()).toBe(false)
    await lock?.release()
    expect(await tryLock(file, 4_000)).toBeUndefined()
    await release()
  })
})
