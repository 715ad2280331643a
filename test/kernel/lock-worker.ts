import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

import { tryLock } from '../../lib/kernel/lock/lock.js'

/** Holds a lock until it is killed, and says when it has lost it. With `full`, the disk takes names and no data. */
const [file = '', disk = ''] = process.argv.slice(2)
if (disk === 'full') {
  const open = fs.promises.open.bind(fs.promises)
  fs.promises.open = async (...args) => {
    const handle = await open(...args)
    return Object.assign(handle, {
      write: () => Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })),
    })
  }
  syncBuiltinESMExports()
  const code = await tryLock(file, 2_000).then(
    () => 'made',
    (error: unknown) => (error as NodeJS.ErrnoException).code ?? 'unknown',
  )
  process.stdout.write(`${code}\n`)
  process.exit()
}
const lock = await tryLock(file, 2_000)
process.stdout.write(lock === undefined ? 'busy\n' : 'holds it\n')
setInterval(() => {
  if (lock?.isHeld() === false) process.stdout.write('lost it\n')
}, 50)
