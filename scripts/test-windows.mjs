/**
 * `npm run test:windows`: the tests that say how the plugin behaves on Windows, with Windows programs below Wine. Not part of
 * `npm test`: it needs Wine 10, 1.6 GB for it where none is installed, and minutes.
 */
import { parseArgs } from 'node:util'

import { playStory } from './story.mjs'

/** In the order in which they run. */
const PARTS = {
  smoke:
    'the real opencode.exe: installation, device login, prompts, a tool and a slash command, renewal, a self-test',
  keychain: 'a key that Bun stored is found by Node, and the other way round',
  contention: 'several windows on one account file lose nothing and renew a token once',
  homes:
    'homes with blanks and umlauts, HOME beside USERPROFILE, files with CRLF and a byte order mark',
  unit: 'the unit tests in Node for Windows',
}
const HELP = `Usage: npm run test:windows [-- options] [unit test files]

  --only a,b   parts to run; all without it
  --json       print one JSON document on stdout
  --help       this text

Parts:
${Object.entries(PARTS)
  .map(([name, what]) => `  ${name.padEnd(12)}${what}\n`)
  .join('')}
With files, only those unit tests run: npm run test:windows -- test/kernel/paths.test.ts

Wine 10 or newer: the program named by WINE, or \`wine\` in the search path, or, as root on Debian or Ubuntu, a chroot that is
made once in ~/.cache/oc-codex-multi-auth-windows. WINDOWS_TEST_ROOT names another folder for the chroot, and is taken first.
Without Wine nothing runs and nothing fails.

Exit code: 0 when nothing failed, 1 when a test did, 2 for a wrong option, 130 after Ctrl-C.
`

const chosen = readOptions()
if (chosen === undefined) process.exitCode = 2
else if (chosen.help) process.stdout.write(HELP)
else
  process.exitCode = await playStory('windows-story', ({ testWindows }) =>
    testWindows({ json: chosen.json, parts: chosen.parts, files: chosen.files }),
  )

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        only: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const parts =
      values.only?.split(',') ?? (positionals.length > 0 ? ['unit'] : Object.keys(PARTS))
    const unknown = parts.find((part) => !Object.hasOwn(PARTS, part))
    if (unknown !== undefined) throw new Error(`There is no part "${unknown}".`)
    return { ...values, parts, files: positionals }
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${HELP}`)
    return undefined
  }
}
