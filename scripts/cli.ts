#!/usr/bin/env node
import { commands } from '../lib/cli/commands.js'
import { main } from '../lib/cli/main.js'

const abort = new AbortController()
process.once('SIGINT', () => abort.abort())
process.once('SIGTERM', () => abort.abort())

process.exitCode = await main(commands, process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  signal: abort.signal,
  env: process.env,
})
