import type { Command } from '../../lib/cli/io.js'
import { main } from '../../lib/cli/main.js'
import { openPrompts } from '../../lib/cli/menu/prompts.js'
import { terminalIo } from '../../lib/cli/terminal/terminal.js'

/** Asks in the way that is named, as the program does it, and says how the terminal was left. */
const ask: Command = {
  name: 'ask',
  summary: '',
  takes: { options: [], words: () => [] },
  async run([way = ''], io) {
    io.stdout('The first step is done.\n')
    if (way === 'line') {
      await io.ask('Sure? ')
      return 0
    }
    const prompts = await openPrompts(io)
    try {
      if (way === 'secret') await prompts.secret('Sure?')
      else if (way === 'confirm') await prompts.confirm('Sure?')
      else await prompts.choose('Sure?', [{ value: 'yes', label: () => 'Yes' }])
      return prompts.hasLeft() ? 130 : 0
    } finally {
      prompts.close()
    }
  },
}

// As on Windows, where a signal to oneself ends the process at once.
process.kill = () => process.exit(77)
const abort = new AbortController()
process.once('SIGINT', () => abort.abort())
const code = await main([ask], ['ask', ...process.argv.slice(2)], terminalIo(abort.signal))
process.stdout.write(`raw: ${String(process.stdin.isRaw)}, code: ${code}\n`)
process.exitCode = code
