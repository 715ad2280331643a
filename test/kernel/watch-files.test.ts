import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type nodeFs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

import { expect, it, onTestFinished, vi } from 'vitest'

import { watchFiles } from '../../lib/kernel/files/watch-files.js'

/** `fs.watch` of this process tells no names, as it may on some systems. */
const names = vi.hoisted(() => ({ hidden: false }))
vi.mock('node:fs', async (load) => {
  const fs = await load<typeof nodeFs>()
  const watch = (
    folder: string,
    options: object,
    listener: (event: string, name: string | null) => void,
  ) => fs.watch(folder, options, (event, name) => listener(event, names.hidden ? null : name))
  return { ...fs, watch }
})

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-watch-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

it.each([
  ['of a watched file', false],
  ['of any file, where the system tells no name', true],
])('a change %s is reported', async (_what, hidden) => {
  const folder = await aFolder()
  const seen = vi.fn()
  names.hidden = hidden
  const watching = watchFiles([path.join(folder, 'pool.json')], seen, 20)
  onTestFinished(() => watching.close())
  watching.start()
  expect(watching.isWatching()).toBe(true)
  await writeFile(path.join(folder, hidden ? 'other.json' : 'pool.json'), '{}')
  await expect.poll(() => seen.mock.calls.length).toBeGreaterThan(0)
})

it('a change of another file in the same folder is not reported', async () => {
  const folder = await aFolder()
  const seen = vi.fn()
  names.hidden = false
  const watching = watchFiles([path.join(folder, 'pool.json')], seen)
  onTestFinished(() => watching.close())
  watching.start()
  await writeFile(path.join(folder, 'other.json'), '{}')
  await writeFile(path.join(folder, 'pool.json'), '{}')
  await expect.poll(() => seen.mock.calls.length).toBeGreaterThan(0)
  const reported = seen.mock.calls.length
  await writeFile(path.join(folder, 'other.json'), '{"a":1}')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(seen.mock.calls.length).toBe(reported)
})
