/**
 * `npm run pictures`: makes the pictures of README from the real screens: the TUI of the real OpenCode with this plugin and
 * a simulated backend, captured from a terminal, and the report, shown by a browser. This file bundles the story
 * (scripts/pictures-story.ts) and plays it.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const root = path.resolve(import.meta.dirname, '..')

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
else process.exitCode = await make(options)

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

async function make({ only, dialog, out, keep }) {
  // Inside the repository, so that the bundle finds the packages and the sources.
  await mkdir(path.join(root, '.tmp'), { recursive: true })
  const folder = await mkdtemp(path.join(root, '.tmp', 'pictures-'))
  try {
    const { build } = await import('esbuild')
    const bundle = path.join(folder, 'story.mjs')
    await build({
      entryPoints: [path.join(root, 'scripts', 'pictures-story.ts')],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      packages: 'external',
      define: { __PACKAGE_VERSION__: '"pictures"' },
      logLevel: 'warning',
    })
    const { makePictures } = await import(pathToFileURL(bundle).href)
    return await makePictures({ only, dialog, out: path.resolve(root, out), keep })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
