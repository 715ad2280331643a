import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

import { repositoryRoot, sourcesOf } from '../support/repository.js'

/** Sources that only those who wrote the first version had; what they say is in docs/development/facts now. */
const UNKNOWN_SOURCES = [
  /\b(wire|host|peer)\s+(facts|stud(y|ies))\b/i,
  /\bsecond\s+(wire\s+)?study\b/i,
  /\bseed \d{3}\b/i,
  /(?<!RFC \d{3,5} )§/,
]

const FOLDERS = ['lib', 'simulator', 'scripts', 'test']

/** The text of the comments of a file, without the marks that a line of a comment begins with. */
function commentsOf(source: string): string {
  return source
    .split('\n')
    .filter((line) => /^\s*(\/\/|\/?\*)/.test(line))
    .map((line) => line.replace(/^\s*(\/\/|\/?\*+\/?)\s?/, '').trim())
    .join(' ')
}

/** The anchors of a document's headings, as GitHub makes them. */
async function anchorsOf(file: string): Promise<Set<string>> {
  const text = await readFile(path.join(repositoryRoot, file), 'utf8')
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? '')
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

describe('what a comment cites', () => {
  it('is in the repository', async () => {
    const files = (await Promise.all(FOLDERS.map((folder) => sourcesOf(folder)))).flat()
    const unknown = files.flatMap(({ file, text }) =>
      UNKNOWN_SOURCES.flatMap((source) => commentsOf(text).match(source)?.[0] ?? []).map(
        (words) => `${file}: ${words}`,
      ),
    )
    expect(unknown).toEqual([])
  })

  it('exists down to the heading, in comments and between the documents', async () => {
    const files = (await Promise.all(FOLDERS.map((folder) => sourcesOf(folder)))).flat()
    const links = files.flatMap(({ file, text }) =>
      [...commentsOf(text).matchAll(/\bdocs\/[\w./-]+\.md(?:#[\w-]+)?/g)].map((match) => ({
        from: file,
        to: match[0],
      })),
    )
    expect(links.length).toBeGreaterThan(0)
    const missing: string[] = []
    for (const { from, to } of [...links, ...(await linksBetweenFacts())]) {
      const [file = '', anchor] = to.split('#')
      const found =
        existsSync(path.join(repositoryRoot, file)) &&
        (anchor === undefined || (await anchorsOf(file)).has(anchor))
      if (!found) missing.push(`${from}: ${to}`)
    }
    expect(missing).toEqual([])
  })
})

/** Relative links of the documents of facts to each other. */
async function linksBetweenFacts(): Promise<{ from: string; to: string }[]> {
  const folder = 'docs/development/facts'
  const names = ['codex-backend.md', 'oauth.md', 'opencode-host.md', 'other-plugins.md']
  const texts = await Promise.all(
    names.map((name) => readFile(path.join(repositoryRoot, folder, name), 'utf8')),
  )
  return texts.flatMap((text, index) =>
    [...text.matchAll(/\]\(([\w-]+\.md#[\w-]+)\)/g)].map((match) => ({
      from: `${folder}/${names[index]}`,
      to: `${folder}/${match[1]}`,
    })),
  )
}
