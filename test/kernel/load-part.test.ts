import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { expect, it } from 'vitest'

import { loadPart } from '../../lib/kernel/load-part.js'
import { temporaryFolder } from '../support/temporary.js'

it('a part that is gone is told with its reason and what to do', async () => {
  const file = path.join(await temporaryFolder(), 'part.js')
  const gone = import(/* @vite-ignore */ pathToFileURL(file).href) as Promise<unknown>
  await expect(loadPart(gone)).rejects.toThrow(
    'The plugin was updated or removed while OpenCode ran. Start OpenCode again.',
  )
})

it('so is one that Bun had seen in its folder: it throws no error of the usual kind then', async () => {
  const gone = Promise.reject(Object.create({ message: 'ENOENT reading "/dist/part.js"' }) as Error)
  await expect(loadPart(gone)).rejects.toThrow('The plugin was updated or removed')
})

it('a part that is there and fails is told as it fails: no update is to blame', async () => {
  const file = path.join(await temporaryFolder(), 'part.mjs')
  await writeFile(file, 'throw new Error("out of memory")')
  const broken = import(/* @vite-ignore */ pathToFileURL(file).href) as Promise<unknown>
  await expect(loadPart(broken)).rejects.toThrow('out of memory')
})
