import { appendFile, rename, stat } from 'node:fs/promises'
import path from 'node:path'

import { messageOf } from '../../kernel/errors.js'
import type { Logger } from '../../kernel/logger.js'
import { redact } from '../../kernel/text/redact.js'
import { createWriteBehind } from '../../kernel/write-behind.js'
import type { RequestRecord } from './trace.js'

/** A full file makes room for a new one; one old file is kept, bytes. */
const MAX_BYTES = 5 * 1024 * 1024
/** Records are gathered this long, so that a request never waits for the disk, ms. */
const FLUSH_MS = 1_000

/** Writes finished records as JSON lines, redacted, when the user has asked for it; the folder is made with the first one. */
export function createTraceFile(deps: { dir: string; log: Logger }) {
  const file = path.join(deps.dir, 'requests.jsonl')
  let lines: string[] = []
  const writes = createWriteBehind(write, FLUSH_MS)

  async function write(): Promise<void> {
    const text = lines.join('')
    lines = []
    try {
      const { makeFolders } = await import('../../kernel/files/writing.js')
      await makeFolders(deps.dir)
      const size = (await stat(file).catch(() => undefined))?.size ?? 0
      if (size + text.length > MAX_BYTES) await rename(file, `${file}.1`).catch(() => undefined)
      await appendFile(file, text, { mode: 0o600 })
    } catch (error) {
      deps.log.log('debug', 'The request trace could not be written.', { reason: messageOf(error) })
    }
  }

  return {
    write(record: RequestRecord): void {
      lines.push(`${JSON.stringify(redact(record))}\n`)
      writes.schedule()
    },
    /** Writes what is gathered. */
    close: () => writes.close(),
  }
}
