/**
 * Compares what the product is from outside with test/outside/expected; with `--update` writes those files anew, one test
 * file after the other, because they share the file of sentences. Read the difference before you commit it.
 */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const isUpdate = process.argv.includes('--update')
const { status } = spawnSync(
  process.execPath,
  [
    path.join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--project',
    'unit',
    '--no-file-parallelism',
    'test/outside',
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...(isUpdate ? { OUTSIDE_UPDATE: '1' } : {}) },
  },
)
process.exitCode = status ?? 1
