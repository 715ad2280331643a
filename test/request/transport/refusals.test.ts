import path from 'node:path'

import { expect, it, onTestFinished } from 'vitest'

import {
  createRefusalMemory,
  LONGEST_PAUSE_MS,
  type RefusalMemory,
} from '../../../lib/request/transport/refusals.js'
import { temporaryFolder } from '../../support/temporary.js'

const MINUTE = 60_000

async function memory(file?: string) {
  const time = { nowMs: 1_800_000_000_000 }
  const path_ = file ?? path.join(await temporaryFolder(), 'refusals.json')
  const open = async (): Promise<RefusalMemory> => {
    const one = createRefusalMemory({
      file: path_,
      clock: { now: () => time.nowMs, sleep: async () => undefined },
      log: { log: () => undefined },
    })
    await one.load()
    onTestFinished(() => one.close())
    return one
  }
  return { time, open, refusals: await open() }
}

it('a refusal is believed for ten minutes at first and four times as long each time, and never longer than a day', async () => {
  const { time, refusals } = await memory()
  const pauses: number[] = []
  for (let times = 0; times < 7; times += 1) {
    refusals.refused('u1', 'websocket')
    const from = time.nowMs
    while (refusals.isRefused('u1', 'websocket')) time.nowMs += MINUTE
    pauses.push((time.nowMs - from) / MINUTE)
  }
  expect(pauses).toEqual([10, 40, 160, 640, 1440, 1440, 1440])
})

it('a refusal is of one account and one thing alone', async () => {
  const { refusals } = await memory()
  refusals.refused('u1', 'zstd')
  expect([
    refusals.isRefused('u1', 'zstd'),
    refusals.isRefused('u1', 'websocket'),
    refusals.isRefused('u2', 'zstd'),
  ]).toEqual([true, false, false])
})

it('a refusal is known to the next start, and forgotten in every window once it works again', async () => {
  const { refusals, open } = await memory()
  refusals.refused('u1', 'zstd')
  await refusals.close()
  const next = await open()
  expect(next.isRefused('u1', 'zstd')).toBe(true)
  next.accepted('u1', 'zstd')
  await next.close()
  expect((await open()).isRefused('u1', 'zstd')).toBe(false)
})

it('a refusal from a clock that ran far ahead is not believed', async () => {
  const { time, refusals } = await memory()
  time.nowMs += 10 * LONGEST_PAUSE_MS
  refusals.refused('u1', 'zstd')
  time.nowMs -= 10 * LONGEST_PAUSE_MS
  expect(refusals.isRefused('u1', 'zstd')).toBe(false)
})
