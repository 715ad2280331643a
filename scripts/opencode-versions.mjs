/** Other versions of OpenCode than the repository's own, fetched through npm into `.tmp/hosts`, once each. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { programPackages } from './opencode-binary.mjs'
import { root } from './steps.mjs'

/**
 * The versions that `npm run test:hosts` runs, with the integrity of `opencode-linux-x64`: the last release of each of the
 * four newest minor versions. lib/host-setup/tested-hosts.ts says the same to users.
 */
export const PINNED_HOSTS = {
  '1.14.41':
    'sha512-PpaGPz5MW8hd6J1dVJnUr5noGOUAPtvEaqO8bPlnh0nyTAI/cXjy3NzFT+5fD3Q2IyiObnAWEEgWetzGF6hMGA==',
  '1.15.13':
    'sha512-gZrioSPE/aWPAZlaipWEN7GEhAzNEQAogikvbcvVP78nabzkzzl4UKBXemf1YzLG9nRWiWvvWX7uC2hcZGQ1iQ==',
  '1.17.19':
    'sha512-eLgz1odJqlXwBDJprJ5xHMJVV8oHbMMaLKt04HodI+Ao1KylsB9Sgnf/2ZpO00AFAMqvB5/ghui0V2/sPEyAWw==',
  '1.18.33':
    'sha512-q/t/3p2CTxOT9y2kvjesb/LZab2+1eqlhhWA02Be6mjTtmYtNBcBsrI5yDo4Fw7ZSPBW2oyMIGMNRqiKQjiAWw==',
}

const VERSION = /^\d{1,6}\.\d{1,6}\.\d{1,6}$/

/**
 * The last release of each of the newest minor versions, the oldest first; previews are passed over.
 * @param {readonly string[]} versions
 * @param {number} count of minor versions
 * @returns {string[]}
 */
export function newestOfMinors(versions, count) {
  const parsed = versions
    .filter((version) => VERSION.test(version))
    .map((version) => version.split('.').map(Number))
    .sort((a, b) => b[0] - a[0] || b[1] - a[1] || b[2] - a[2])
  const last = new Map()
  for (const [major, minor, patch] of parsed)
    if (!last.has(`${major}.${minor}`)) last.set(`${major}.${minor}`, `${major}.${minor}.${patch}`)
  return [...last.values()].slice(0, count).reverse()
}

/**
 * What npm has today, of versions that have both the wrapper and a program for this machine.
 * @param {number} [count]
 * @returns {string[]}
 */
export function newestHosts(count = 4) {
  const programs = new Set(versionsOf(programPackages()[0]))
  return newestOfMinors(
    versionsOf('opencode-ai').filter((version) => programs.has(version)),
    count,
  )
}

function versionsOf(name) {
  const { status, stdout, stderr } = npm(['view', name, 'versions', '--json'])
  if (status !== 0) throw new Error(`npm does not tell the versions of ${name}:\n${stderr}`)
  return [JSON.parse(stdout)].flat()
}

/**
 * What this version does without, for the demo; tested in test/e2e/hosts.test.ts.
 * @param {string} version
 * @returns {string} a sentence
 */
export function lacksOf(version) {
  const [major, minor] = version.split('.').map(Number)
  return major === 1 && minor < 15
    ? `OpenCode ${version} has no keys for plugins in its TUI: the /codex-… commands come from its server there, and each costs a turn.`
    : `OpenCode ${version} has all that this plugin uses.`
}

/**
 * @param {string} text
 * @returns {boolean} whether it has the form of a release
 */
export function isVersion(text) {
  return VERSION.test(text)
}

/**
 * Installs a version unless it is there, and checks it against the pinned integrity where there is one.
 * @param {string} version
 * @returns {string} the folder for the variable that scripts/opencode-binary.mjs reads
 */
export function fetchHost(version) {
  if (!isVersion(version)) throw new Error(`${version} is not a version like 1.18.33`)
  const folder = path.join(root, '.tmp', 'hosts', version)
  if (existsSync(folder)) return folder
  const work = `${folder}.${process.pid}`
  mkdirSync(work, { recursive: true })
  try {
    // A manifest of its own, or npm would install into the repository.
    writeFileSync(path.join(work, 'package.json'), '{"private":true}\n')
    const [name] = programPackages()
    const { status, stderr } = npm(
      ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${version}`],
      work,
    )
    if (status !== 0) throw new Error(notGot(`${name}@${version}`, stderr))
    checkIntegrity(work, name, version)
    renameSync(work, folder)
  } catch (error) {
    rmSync(work, { recursive: true, force: true })
    throw error
  }
  return folder
}

function notGot(spec, stderr) {
  if (/\b(?:E404|ETARGET)\b/.test(stderr)) return `npm has no ${spec}.`
  return `npm cannot get ${spec}: ${stderr.trim().split('\n')[0]}`
}

function checkIntegrity(folder, name, version) {
  const pinned = name === 'opencode-linux-x64' ? PINNED_HOSTS[version] : undefined
  if (pinned === undefined) return
  const lock = JSON.parse(readFileSync(path.join(folder, 'package-lock.json'), 'utf8'))
  if (lock.packages[`node_modules/${name}`]?.integrity !== pinned)
    throw new Error(`${name}@${version} is not what it was when it was pinned`)
}

function npm(args, cwd = root) {
  return spawnSync('npm', args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === 'win32',
  })
}
