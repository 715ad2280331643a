import { stampOf } from '../../lib/kernel/files/json-file.js'
import { writeFileAtomic } from '../../lib/kernel/files/replace-file.js'

/** Writes versions of one length as fast as it can, and prints how many of them a reader tells apart. */
const [file = '', versions = '20'] = process.argv.slice(2)
const seen = new Set<string>()
for (let version = 0; version < Number(versions); version += 1) {
  await writeFileAtomic(file, String(version).padStart(8))
  const { device, inode, size, modifiedNs } = (await stampOf(file))!
  seen.add([device, inode, size, modifiedNs].join(':'))
}
process.stdout.write(`${seen.size}\n`)
