import { tryLock } from '../../lib/kernel/lock.js'

/** Holds a lock until it is killed, and says when it has lost it. */
const [file = ''] = process.argv.slice(2)
const lock = await tryLock(file, 2_000)
process.stdout.write(lock === undefined ? 'busy\n' : 'holds it\n')
setInterval(() => {
  if (lock?.isHeld() === false) process.stdout.write('lost it\n')
}, 50)
