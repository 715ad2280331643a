/**
 * Finds the real OpenCode in node_modules. The package is installed without its install script (see .npmrc), so the
 * wrapper in `opencode-ai/bin` points nowhere; the program itself lies in one package per platform.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const PLATFORMS = { darwin: 'darwin', linux: 'linux', win32: 'windows' }

/** Longest wait for a candidate to say its version; a binary for another libc fails at once. */
const PROBE_TIMEOUT_MS = 20_000

const HINT = 'run `npm ci` in the repository'

/** Names a folder whose `node_modules` holds another OpenCode than the repository's (scripts/opencode-versions.mjs). */
export const OTHER_OPENCODE_ENV = 'OC_CODEX_TEST_OPENCODE'

/**
 * Path of the OpenCode program that runs on this machine.
 * @param {string} [from] folder from which `node_modules` is looked up, upwards
 * @returns {string} absolute path
 * @throws Error when no package of this platform is installed, or none of those installed runs
 */
export function opencodeBinary(from = import.meta.dirname) {
  const installed = candidates(from)
  if (installed.length === 0)
    throw new Error(`OpenCode for ${process.platform}-${process.arch} is not installed: ${HINT}`)
  const found = installed.find(runs)
  if (!found)
    throw new Error(`none of the installed OpenCode programs runs here: ${installed.join(', ')}`)
  return found
}

/**
 * The Bun inside OpenCode, so that measurements use the runtime the plugin lives in.
 * @param {string} [from] as for `opencodeBinary`
 * @returns {{ command: string, env: { BUN_BE_BUN: '1' } }} program, and what its environment must hold
 */
export function bunCommand(from = import.meta.dirname) {
  return { command: opencodeBinary(from), env: { BUN_BE_BUN: '1' } }
}

/**
 * Version of the installed OpenCode, read from its manifest.
 * @param {string} [from] as for `opencodeBinary`
 * @returns {string}
 */
export function opencodeVersion(from = import.meta.dirname) {
  for (const modules of moduleFolders(from))
    for (const name of ['opencode-ai', ...programPackages()]) {
      const manifest = path.join(modules, name, 'package.json')
      if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).version
    }
  throw new Error(`opencode-ai is not installed: ${HINT}`)
}

/**
 * The packages that may hold a program for this machine, the likeliest first.
 * @returns {string[]}
 */
export function programPackages() {
  const base = `opencode-${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`
  const glibcFirst = [base, `${base}-baseline`, `${base}-musl`, `${base}-baseline-musl`]
  return lacksAvx2()
    ? glibcFirst.sort((a, b) => Number(b.includes('baseline')) - Number(a.includes('baseline')))
    : glibcFirst
}

function candidates(from) {
  const names = programPackages()
  const program = process.platform === 'win32' ? 'opencode.exe' : 'opencode'
  return moduleFolders(from)
    .flatMap((modules) => names.map((name) => path.join(modules, name, 'bin', program)))
    .filter((file) => existsSync(file))
}

/** Without AVX2 the standard build starts and dies later, which a probe would not show. */
function lacksAvx2() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false
  try {
    return !/\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))
  } catch {
    return false
  }
}

function runs(file) {
  const probe = spawnSync(file, ['--version'], {
    env: { BUN_BE_BUN: '1' },
    timeout: PROBE_TIMEOUT_MS,
    stdio: 'ignore',
  })
  return probe.status === 0
}

function moduleFolders(from) {
  const other = process.env[OTHER_OPENCODE_ENV]
  if (other) return [path.join(other, 'node_modules')]
  const folders = []
  for (let dir = path.resolve(from); ; dir = path.dirname(dir)) {
    folders.push(path.join(dir, 'node_modules'))
    if (dir === path.dirname(dir)) return folders
  }
}
