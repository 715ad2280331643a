/**
 * `npm run pictures`: makes the pictures of README from the real screens: the TUI of the real OpenCode with this plugin and
 * a simulated backend, captured from a terminal, and the report, shown by a browser. This file bundles the story
 * (scripts/pictures-story.ts) and plays it.
 */
import path from 'node:path'
import { parseArgs } from 'node:util'

import { root } from './steps.mjs'
import { playStory } from './story.mjs'

const HELP = `Usage: npm run pictures [-- options]

Makes docs/pictures/: the TUI as SVG and the report as PNG, light and dark. Needs tmux and Chromium.

Options:
  --only tui|report   one of the two
  --dialog COMMAND    slash command whose dialog is shown (default /codex)
  --out FOLDER        other than docs/pictures
  --keep              keep the throw-away home and say where it is
  --help              this text

Exit code: 0 when every picture was made, 1 when a step did not do what it should (it is named), 2 for a wrong option.
`

const options = readOptions()
if (options === undefined) process.exitCode = 2
else if (options.help) process.stdout.write(HELP)
else
  process.exitCode = await playStory('pictures-story', ({ makePictures }) =>
    makePictures({ ...options, out: path.resolve(root, options.out) }),
  )

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string' },
        dialog: { type: 'string', default: '/codex' },
        out: { type: 'string', default: path.join('docs', 'pictures') },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.only !== undefined && !['tui', 'report'].includes(values.only))
      throw new Error('--only takes tui or report.')
    return values
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${HELP}`)
    return undefined
  }
}
