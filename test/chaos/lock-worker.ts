import './faults.js'

import fs from 'node:fs'

import { withFileLock } from '../../lib/kernel/lock/lock.js'

/**
 * Takes a lock again and again and writes down from when to when it surely held it, on the clock that all processes of a
 * machine share: whoever is told afterwards that the lock is still held has held it all the time, however long it slept.
 */
const [file = '', name = '', staleMs = '2000', longestMs = '8'] = process.argv.slice(2)
// Pauses of the lock do not keep a process alive; the host does.
setInterval(() => undefined, 60_000)
for (let turn = 0; ; turn += 1) {
  await withFileLock(
    file,
    { staleMs: Number(staleMs), waitMs: 120_000, what: 'the counter' },
    async (lock) => {
      const from = process.hrtime.bigint()
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Number(longestMs)))
      const until = process.hrtime.bigint()
      const line = lock.isHeld() ? `held ${name}.${turn} ${from} ${until}` : `lost ${name}.${turn}`
      fs.appendFileSync(`${file}.log`, `${line}\n`)
    },
  )
  if (turn === 0) process.stdout.write('went in\n')
}
