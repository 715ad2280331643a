import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

import { tryLock } from '../../lib/kernel/lock/lock.js'

/** Takes a lock and gives it back, and is killed before or after its nth step on the disk. */
const [file = '', killAt = '0', when = 'before'] = process.argv.slice(2)
setInterval(() => undefined, 60_000)
type AnyFunction = (...args: unknown[]) => unknown
let steps = 0
const promises = fs.promises as unknown as Record<string, AnyFunction>
for (const name of ['mkdir', 'rmdir', 'rename', 'unlink', 'open', 'utimes']) {
  const real = promises[name]!
  promises[name] = async (...args) => {
    steps += 1
    const isLast = steps === Number(killAt)
    if (isLast && when === 'before') process.kill(process.pid, 'SIGKILL')
    try {
      return await real.apply(fs.promises, args)
    } finally {
      if (isLast) process.kill(process.pid, 'SIGKILL')
    }
  }
}
syncBuiltinESMExports()
const lock = await tryLock(file, 2_000)
await lock?.release()
process.stdout.write(`${lock === undefined ? 'busy' : 'held'} ${steps}\n`)
process.exit()
