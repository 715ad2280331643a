/**
 * `npm run demo`: shows the plugin at work in the real OpenCode against a simulated ChatGPT backend, from a fresh clone.
 * This file needs nothing but Node: it installs what is missing, bundles the story (scripts/demo-story.ts) and plays it.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'

import { OTHER_OPENCODE_ENV } from './opencode-binary.mjs'
import { fetchHost, isVersion } from './opencode-versions.mjs'
import { root } from './steps.mjs'
import { playStory } from './story.mjs'

const HELP = `Usage: npm run demo [-- options]

Plays one session of the real OpenCode with this plugin against a simulated ChatGPT backend on this machine:
two accounts sign in, a prompt is answered, the first account runs into its usage limit and the second one takes over.
Nothing leaves the machine but the first installation of packages; nothing is left behind.

Options:
  --opencode-version V   in this version of OpenCode, fetched once from npm (default: the one of the repository)
  --json                 print one JSON summary on stdout instead of the story
  --keep                 keep the throw-away home and say where it is
  --help                 this text

Exit code: 0 when every step did what it should, 1 when one did not, 2 for a wrong option, 130 after Ctrl-C.
`

const options = readOptions()
if (options === undefined) process.exitCode = 2
else if (options.help) process.stdout.write(HELP)
else process.exitCode = await play(options)

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        'opencode-version': { type: 'string' },
        json: { type: 'boolean' },
        keep: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    const version = values['opencode-version']
    if (version !== undefined && !isVersion(version))
      throw new Error(`--opencode-version takes a version like 1.18.33, not "${version}".`)
    return values
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${HELP}`)
    return undefined
  }
}

async function play({ 'opencode-version': version, json = false, keep = false }) {
  if (version !== undefined) {
    try {
      process.env[OTHER_OPENCODE_ENV] = fetchHost(version)
    } catch (error) {
      process.stderr.write(`${error.message}\n`)
      return 1
    }
  }
  const installed = installPackages(json)
  if (!installed) return 1
  return playStory('demo-story', ({ playDemo }) => playDemo({ json, keep }))
}

function installPackages(quiet) {
  const lock = path.join(root, 'package-lock.json')
  const marker = path.join(root, 'node_modules', '.package-lock.json')
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs) return true
  if (!quiet) process.stdout.write('Installing packages (npm ci), this once…\n\n')
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel', 'error'], {
    cwd: root,
    stdio: ['ignore', quiet ? 'ignore' : 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (npm.status === 0) return true
  process.stderr.write(
    'The packages could not be installed: see the lines above, then run the demo again.\n',
  )
  return false
}
