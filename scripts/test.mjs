/**
 * `npm test`: installs what is missing, then lint, types, package checks, unit, chaos and end-to-end tests against the
 * real OpenCode. Ends with one line of counts.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { bin, npm, root, step } from './steps.mjs'

/** System programs that some tests drive; a test says so and is skipped where one cannot be had. */
const SYSTEM_PROGRAMS = [
  { program: 'tmux', debian: 'tmux' },
  { program: 'zsh', debian: 'zsh' },
  { program: 'fish', debian: 'fish' },
  { program: 'chromium', debian: 'chromium' },
  { program: 'dbus-run-session', debian: 'dbus' },
  { program: 'gnome-keyring-daemon', debian: 'gnome-keyring' },
  { program: 'secret-tool', debian: 'libsecret-tools' },
]

const totals = { passed: 0, failed: 0, skipped: 0 }
let failure

try {
  await installPackages()
  installSystemPrograms()
  const { staticChecks } = await import('./check.mjs')
  await staticChecks()
} catch (error) {
  failure = error
  totals.failed += 1
}
if (!failure) {
  for (const project of ['unit', 'chaos', 'e2e']) await runProject(project)
}

if (failure) process.stdout.write(`\n${failure.message}\n`)
process.stdout.write(
  `\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`,
)
process.exitCode = totals.failed === 0 ? 0 : 1

async function installPackages() {
  const lock = path.join(root, 'package-lock.json')
  const installed = path.join(root, 'node_modules', '.package-lock.json')
  const upToDate =
    existsSync(installed) && (await stat(installed)).mtimeMs >= (await stat(lock)).mtimeMs
  if (!upToDate) await step('install', ...npm(['ci']))
}

function installSystemPrograms() {
  const missing = SYSTEM_PROGRAMS.filter(
    ({ program }) =>
      spawnSync(process.platform === 'win32' ? 'where.exe' : 'which', [program]).status !== 0,
  )
  if (missing.length === 0) return
  const names = missing.map(({ debian }) => debian)
  if (process.getuid?.() !== 0 || spawnSync('which', ['apt-get']).status !== 0) {
    process.stdout.write(`\nnot here, the tests that need them are skipped: ${names.join(', ')}\n`)
    return
  }
  process.stdout.write(`\n> install ${names.join(', ')}\n`)
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'ignore' })
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  } catch {
    process.stdout.write('  could not be installed, the tests that need them are skipped\n')
  }
}

async function runProject(project) {
  const out = await mkdtemp(path.join(os.tmpdir(), 'report-'))
  const report = path.join(out, 'report.json')
  let failed = false
  try {
    await step(`${project} tests`, process.execPath, [
      bin('vitest/vitest.mjs'),
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ])
  } catch {
    failed = true
  }
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(
      await readFile(report, 'utf8'),
    )
    totals.passed += numPassedTests
    // A file that cannot even be loaded has no failed tests.
    totals.failed +=
      numFailedTests > 0 ? numFailedTests : failed ? Math.max(1, numFailedTestSuites) : 0
    totals.skipped += numPendingTests
  } catch {
    totals.failed += 1
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}
