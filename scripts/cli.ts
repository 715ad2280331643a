#!/usr/bin/env node
import { commands } from '../lib/cli/commands.js'
import { main } from '../lib/cli/main.js'
import { terminalIo } from '../lib/cli/terminal.js'

const abort = new AbortController()
process.once('SIGINT', () => abort.abort())
process.once('SIGTERM', () => abort.abort())

process.exitCode = await main(commands, process.argv.slice(2), terminalIo(abort.signal))
