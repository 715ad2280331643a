import { type ErrorCode, isCodexError, messageOf, WrongUsage } from '../kernel/errors.js'
import { commandsIn } from '../kernel/text/command-words.js'
import { plainLines, plainText } from '../kernel/text/plain-text.js'
import { painted } from '../kernel/text/tones.js'
import { redactText } from '../kernel/text/redact.js'
import { hanging } from '../kernel/text/wrap.js'
import { packageVersion } from '../kernel/version.js'
import { hearWaits } from '../kernel/waits.js'

import { type Command, type CommandIo, STOPPED } from './io.js'
import { jsonText } from './command.js'

const PROGRAM = 'oc-codex-multi-auth'
const KEEP_ALIVE_MS = 60_000

/**
 * Runs the command line.
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 cancelled by Ctrl-C
 */
export async function main(
  commands: readonly Command[],
  argv: readonly string[],
  terminal: CommandIo,
): Promise<number> {
  const io = plainIo(terminal)
  // Without a command, or with options alone, it installs: that is what people run it for.
  const isInstall =
    argv.length === 0 ||
    (argv[0]?.startsWith('--') === true && !['--help', '--version'].includes(argv[0]))
  const [name, ...rest] = isInstall ? ['install', ...argv] : argv
  if (
    name === undefined ||
    name === '--help' ||
    name === '-h' ||
    (name === 'help' && rest.length === 0)
  ) {
    io.stdout(hanging(usage(commands), io.columns ?? Infinity))
    return 0
  }
  if (name === '--version' || name === '-v') {
    io.stdout(`${packageVersion()}\n`)
    return 0
  }
  const command = commands.find((candidate) => candidate.name === name)
  if (!command) {
    const message = `There is no command ${JSON.stringify(name)}.`
    if (rest.includes('--json')) tellAsJson(io, { code: 'invalid_input', message, hint: '' })
    io.stderr(`${message}\n\n${usage(commands)}`)
    return 2
  }
  // Waiting for a lock or a pause does not keep a process alive by itself.
  const alive = setInterval(() => undefined, KEEP_ALIVE_MS)
  const deaf = hearWaits((what) => io.progress(`Waiting for ${what}`))
  try {
    return await command.run(rest, io)
  } catch (error) {
    if (io.signal.aborted) {
      // Nobody is told where nobody reads the output any more, which ends a command, too.
      if (nameOf(io.signal.reason) === 'AbortError') io.stderr(`${STOPPED}\n`)
      return 130
    }
    const message = redactText(isUnparsed(error) ? firstSentence(error.message) : messageOf(error))
    const ownHint = isCodexError(error) ? error.hint : ''
    const hint = ownHint === '' && isUsageError(error) ? `Help: {${name} --help}` : ownHint
    if (rest.includes('--json')) {
      const known = isUsageError(error) ? 'invalid_input' : 'internal'
      tellAsJson(io, { code: isCodexError(error) ? error.code : known, message, hint })
    }
    io.stderr(`${message}\n${hint === '' ? '' : `${hint}\n`}`)
    return isUsageError(error) ? 2 : 1
  } finally {
    deaf()
    clearInterval(alive)
    io.progress('')
  }
}

function nameOf(reason: unknown): string {
  return reason instanceof Error ? reason.name : ''
}

/** Who asked for JSON reads standard output, whatever comes of it. */
function tellAsJson(
  io: CommandIo,
  error: { readonly code: ErrorCode; readonly message: string; readonly hint: string },
): void {
  io.stdout(jsonText({ error }, 2))
}

function usage(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length))
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`)
  return `Usage: ${PROGRAM} <command> [options]\n\n${lines.join('\n')}\n\nHelp for one command: ${PROGRAM} <command> --help\n`
}

function isUsageError(error: unknown): boolean {
  return error instanceof WrongUsage || isUnparsed(error)
}

/** `node:util` parseArgs throws TypeErrors for unknown or misused options. */
function isUnparsed(error: unknown): error is TypeError {
  return (
    error instanceof TypeError &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('ERR_PARSE_ARGS')
  )
}

/** What Node says behind it is how to type a file that is named like an option, and an open quote. */
function firstSentence(text: string): string {
  return `${text.split(/\.(?:\s|$)/)[0] ?? text}.`
}

/** The terminal, to which no name, path or word of a backend is a command; ours are such as can be typed there. */
function plainIo(io: CommandIo): CommandIo {
  return {
    ...io,
    stdout: (text) => {
      const shown = commandsIn(text, 'terminal')
      io.stdout(io.hasColours ? painted(shown) : plainLines(shown))
    },
    stderr: (text) => io.stderr(commandsIn(plainLines(text), 'terminal')),
    progress: (line) => io.progress(plainText(line)),
    ask: (question) => io.ask(commandsIn(plainLines(question), 'terminal')),
  }
}
