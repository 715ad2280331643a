/** What changes files that others share; a file of its own in the bundle, since the first request only reads. */
export { withFileLock } from '../lock/lock.js'
export { makeFolders } from '../make-folders.js'
export { sweepFolder } from './leftovers.js'
export { untilKept, writeFileAtomic } from './replace-file.js'
