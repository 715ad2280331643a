import fs from 'node:fs'

import { writeFileAtomic } from '../../lib/kernel/files/replace-file.js'

/** Writes a file, and stops for ever between the temporary file and the rename. */
const [file = ''] = process.argv.slice(2)
fs.promises.rename = () => {
  process.stdout.write('in the middle\n')
  return new Promise(() => setInterval(() => undefined, 60_000))
}
const { syncBuiltinESMExports } = await import('node:module')
syncBuiltinESMExports()
await writeFileAtomic(file, 'a secret')
