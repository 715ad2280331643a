import { mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'

import { expect, it } from 'vitest'

import { helperOf } from '../../lib/cli/drill/helper.js'
import { onStage } from '../../lib/cli/drill/stage.js'
import { startProgram } from '../../lib/kernel/start-program.js'
import { startSimulator } from '../../simulator/index.js'
import { temporaryFolder } from '../support/temporary.js'

it('a process of the drill that is killed in the middle of a line has told what came before', async () => {
  const child = startProgram({
    program: process.execPath,
    args: ['-e', `process.stdout.write('{"told":"ready"}\\n{"told":"sto')`],
    env: {},
    stdio: 'pipe',
  })
  const helper = helperOf(child!, { kind: 'hold', file: 'f' })
  await helper.ended
  expect(helper.told).toEqual([{ told: 'ready' }])
})

it('a drill leaves none of the folders that it made, and each that was there', async () => {
  const folder = await temporaryFolder()
  await mkdir(path.join(folder, 'there'))
  await onStage(
    {
      beside: path.join(folder, 'there', 'new', 'home'),
      startSimulator,
      env: {},
      processes: 2,
      timeMs: 1,
      signal: new AbortController().signal,
      worker: [],
    },
    () => readdir(path.join(folder, 'there', 'new', 'home')),
  )
  expect(await readdir(folder, { recursive: true })).toEqual(['there'])
})
