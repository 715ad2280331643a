#!/usr/bin/env node
import { commands } from '../lib/cli/commands.js'
import { main } from '../lib/cli/main.js'
import { terminalIo } from '../lib/cli/terminal/terminal.js'

const abort = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => abort.abort())
// Who reads the output may leave at any time (`| head`); what is watched ends then.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
    abort.abort(error)
  })

process.exitCode = await main(commands, process.argv.slice(2), terminalIo(abort.signal))
