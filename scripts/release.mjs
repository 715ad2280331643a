/**
 * `node scripts/release.mjs --tag v7.0.0`: says whether a tag may be published, and with `--notes` prints the section of the
 * changelog that belongs to it. Used by the release workflow; changes nothing.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

/**
 * What stands in the way of publishing a tag.
 * @param {{ tag: string, changelog: string, repository: string | undefined,
 *   manifest: { name: string, version: string, repository?: string | { url?: string } } }} release
 *   repository: `owner/name` where the workflow runs; undefined elsewhere, and then not compared
 * @returns {string[]} one sentence for each; empty when nothing does
 */
export function obstacles({ tag, manifest, changelog, repository }) {
  const found = []
  if (tag !== `v${manifest.version}`)
    found.push(
      `The tag is ${tag}, the version in package.json ${manifest.version}: they must be the same.`,
    )
  if (notesOf(changelog, manifest.version) === '')
    found.push(
      `CHANGELOG.md has no section "## [${manifest.version}] – DATE" with text: name the date in place of "Unreleased".`,
    )
  const address =
    typeof manifest.repository === 'string' ? manifest.repository : manifest.repository?.url
  if (repository !== undefined && !isAddressOf(address, repository))
    found.push(
      `"repository" in package.json is ${address ?? 'missing'}, and the workflow runs in ${repository}: npm takes the provenance only where both are the same.`,
    )
  return found
}

/**
 * The text of a version's section.
 * @param {string} changelog in the form of Keep a Changelog
 * @param {string} version
 * @returns {string} without its heading; empty when there is no such section
 */
export function notesOf(changelog, version) {
  const sections = changelog.split(/^(?=## \[)/m)
  const section = sections.find((one) => one.startsWith(`## [${version}]`))
  return section === undefined ? '' : section.slice(section.indexOf('\n') + 1).trim()
}

function isAddressOf(address, repository) {
  const named = /github\.com[/:]([^/]+\/[^/]+?)(?:\.git)?\/?$/i.exec(address ?? '')?.[1]
  return named?.toLowerCase() === repository.toLowerCase()
}

function main() {
  const { values } = parseArgs({
    options: {
      tag: { type: 'string' },
      notes: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help || values.tag === undefined) {
    process.stdout.write(
      'Usage: node scripts/release.mjs --tag vX.Y.Z [--notes]\n\nSays whether the tag may be published; --notes prints its section of the changelog.\n',
    )
    process.exitCode = values.help ? 0 : 2
    return
  }
  const root = path.resolve(import.meta.dirname, '..')
  const read = (file) => readFileSync(path.join(root, file), 'utf8')
  const manifest = JSON.parse(read('package.json'))
  const changelog = read('CHANGELOG.md')
  const found = obstacles({
    tag: values.tag,
    manifest,
    changelog,
    repository: process.env.GITHUB_REPOSITORY,
  })
  for (const sentence of found) process.stderr.write(`${sentence}\n`)
  if (found.length > 0) process.exitCode = 1
  else if (values.notes) process.stdout.write(`${notesOf(changelog, manifest.version)}\n`)
  else process.stdout.write(`${manifest.name} ${manifest.version} may be published.\n`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main()
