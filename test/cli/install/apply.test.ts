import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, it } from 'vitest'

import { applyChange } from '../../../lib/host-setup/file-change.js'
import { recordFileOperations } from '../../support/file-operations.js'
import { temporaryFolder } from '../../support/temporary.js'

it('makes the copy of a configuration whole before it has its name, so that a kill leaves no half copy', async () => {
  const folder = await temporaryFolder()
  const file = path.join(folder, 'opencode.json')
  await writeFile(file, '{"theme":"dark"}')
  const operations = recordFileOperations()
  const { backup } = await applyChange(
    {
      file,
      before: '{"theme":"dark"}',
      after: '{}',
      changes: [{ path: '$.theme', kind: 'removed' }],
    },
    'stamp',
  )
  expect(
    operations.filter(
      ({ name, target }) => name === 'rename' && /\.bak-stamp\..*\.tmp$/.test(target),
    ),
  ).toHaveLength(1)
  expect(backup).toBe(`${file}.bak-stamp`)
  expect(await readFile(backup!, 'utf8')).toBe('{"theme":"dark"}')
  expect((await readdir(folder)).sort()).toEqual(['opencode.json', 'opencode.json.bak-stamp'])
})
