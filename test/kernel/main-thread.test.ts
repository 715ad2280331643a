import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import { build } from 'esbuild'
import { expect, it } from 'vitest'

import { bunCommand } from '../../scripts/opencode-binary.mjs'
import { temporaryFolder } from '../support/temporary.js'

/** The Bun of OpenCode for Windows is used by the smoke of `npm run test:windows` alone. */
const RUNTIMES = process.platform === 'win32' ? ['Node'] : ['Node', 'Bun']

it.each(RUNTIMES)(
  'the first thread is told from a Worker in %s, which is where a TUI runs its server',
  async (runtime) => {
    const bun = runtime === 'Bun' ? bunCommand() : undefined
    const folder = await temporaryFolder()
    await build({
      entryPoints: [path.resolve('lib/kernel/main-thread.ts')],
      outfile: path.join(folder, 'main-thread.mjs'),
      bundle: true,
      format: 'esm',
      platform: 'node',
    })
    const program = path.join(folder, 'program.mjs')
    await writeFile(
      program,
      `import { isMainThread } from './main-thread.mjs'
import { Worker, parentPort } from 'node:worker_threads'
if (parentPort) parentPort.postMessage(isMainThread())
else new Worker(new URL(import.meta.url)).on('message', (there) => {
  console.log(JSON.stringify({ here: isMainThread(), there }))
  process.exit(0)
})`,
    )
    const { stdout } = await promisify(execFile)(bun?.command ?? process.execPath, [program], {
      env: { ...process.env, ...bun?.env },
    })
    expect(JSON.parse(stdout)).toEqual({ here: true, there: false })
  },
)
