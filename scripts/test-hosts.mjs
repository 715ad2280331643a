/** `npm run test:hosts`: one smoke in each of several versions of the real OpenCode (test/e2e/hosts.test.ts). */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

import { OTHER_OPENCODE_ENV } from './opencode-binary.mjs'
import { fetchHost, isVersion, newestHosts, PINNED_HOSTS } from './opencode-versions.mjs'
import { bin, root } from './steps.mjs'

const HELP = `Usage: npm run test:hosts [-- options]

Installs the packed plugin into older versions of the real OpenCode and sees that it works: login, prompt, tool call,
failover and status line; in a version that is too old, that it says so. Programs are fetched once, into .tmp/hosts.

Options:
  --opencode-version V   this version; may be repeated (default: ${Object.keys(PINNED_HOSTS).join(', ')})
  --newest               the last release of each of the four newest minor versions that npm has now
  --json                 print one JSON summary on stdout
  --help                 this text

Exit code: 0 when every version passed, 1 when one did not, 2 for a wrong option.
`

const options = readOptions()
if (options === undefined) process.exitCode = 2
else if (options.help) process.stdout.write(HELP)
else process.exitCode = run(options)

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        'opencode-version': { type: 'string', multiple: true },
        newest: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    for (const version of values['opencode-version'] ?? [])
      if (!isVersion(version))
        throw new Error(`--opencode-version takes a version like 1.18.33, not "${version}".`)
    return values
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${HELP}`)
    return undefined
  }
}

function run({ 'opencode-version': named, newest = false, json = false }) {
  const say = (text) => (json ? process.stderr : process.stdout).write(`${text}\n`)
  const results = []
  try {
    for (const version of named ?? (newest ? newestHosts() : Object.keys(PINNED_HOSTS))) {
      const started = Date.now()
      const ok = passes(version, json)
      results.push({ version, ok, seconds: Math.round((Date.now() - started) / 1000) })
    }
  } catch (error) {
    say(error.message)
    return 1
  }
  for (const { version, ok, seconds } of results)
    say(`OpenCode ${version}: ${ok ? 'passed' : 'failed'}, ${seconds} s`)
  const ok = results.every((one) => one.ok)
  if (json) process.stdout.write(`${JSON.stringify({ ok, versions: results }, undefined, 2)}\n`)
  return ok ? 0 : 1
}

function passes(version, quiet) {
  const { status } = spawnSync(
    process.execPath,
    [bin('vitest/vitest.mjs'), 'run', '--project', 'hosts'],
    {
      cwd: root,
      env: { ...process.env, [OTHER_OPENCODE_ENV]: fetchHost(version) },
      stdio: ['ignore', quiet ? 2 : 'inherit', 'inherit'],
    },
  )
  return status === 0
}
