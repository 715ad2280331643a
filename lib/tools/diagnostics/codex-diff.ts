import * as z from 'zod'

import { CodexError } from '../../kernel/errors.js'
import { givenPath } from '../../kernel/files/given-path.js'
import { readTextFile } from '../../kernel/files/json-file.js'
import { redact } from '../../kernel/text/redact.js'
import { defineTool } from '../definition.js'
import { ownPlace } from '../user-acts.js'

interface DiffEntry {
  readonly path: string
  readonly kind: 'added' | 'removed' | 'changed'
  readonly left?: unknown
  readonly right?: unknown
}

export const codexDiff = defineTool({
  name: 'diff',
  group: 'Diagnostics',
  summary: 'Compare two account or configuration files, without showing secrets.',
  risk: 'read',
  args: {
    left: z.string().describe('the older file; a model may name those in ~/.opencode'),
    right: z.string().describe('the newer file'),
  },
  positional: ['left', 'right'],
  ownFiles: ['left', 'right'],
  async run({ paths }, { left, right }, context) {
    // A model may see what differs between files of ours; the user at a terminal may name any.
    const place = async (name: string): Promise<string> =>
      context.caller === 'model'
        ? ownPlace(paths, name, 'diff')
        : givenPath(name, { directory: context.directory, home: paths.home })
    const [before, after] = await Promise.all(
      [left, right].map(async (name) => load(await place(name))),
    )
    // What differs is decided on the secrets; what is shown has none.
    const entries = [...differences('', before, after, redact(before), redact(after))]
    const count = (kind: DiffEntry['kind']): number =>
      entries.filter((entry) => entry.kind === kind).length
    return {
      left,
      right,
      entries,
      summary: { added: count('added'), removed: count('removed'), changed: count('changed') },
      redactionApplied: true,
    }
  },
  render(data) {
    if (data.entries.length === 0) return 'No differences.'
    const marks = { added: '+', removed: '-', changed: '~' } as const
    const text = (value: unknown): string => JSON.stringify(value)
    return data.entries
      .map(
        (entry) =>
          `${marks[entry.kind]} ${entry.path}${entry.kind === 'changed' ? `: ${text(entry.left)} → ${text(entry.right)}` : `: ${text(entry.kind === 'added' ? entry.right : entry.left)}`}`,
      )
      .join('\n')
  },
})

async function load(file: string): Promise<unknown> {
  const found = await readTextFile(file)
  if (found === undefined) throw new CodexError('invalid_input', `There is no file ${file}.`)
  try {
    return JSON.parse(found.text)
  } catch {
    throw new CodexError('invalid_input', `${file} is not JSON.`)
  }
}

function* differences(
  place: string,
  left: unknown,
  right: unknown,
  shownLeft: unknown,
  shownRight: unknown,
): Generator<DiffEntry> {
  if (isContainer(left) && isContainer(right) && Array.isArray(left) === Array.isArray(right)) {
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const at = place === '' ? key : `${place}.${key}`
      if (!(key in left)) yield { path: at, kind: 'added', right: member(shownRight, key) }
      else if (!(key in right)) yield { path: at, kind: 'removed', left: member(shownLeft, key) }
      else
        yield* differences(
          at,
          left[key],
          right[key],
          member(shownLeft, key),
          member(shownRight, key),
        )
    }
  } else if (JSON.stringify(left) !== JSON.stringify(right))
    yield { path: place, kind: 'changed', left: shownLeft, right: shownRight }
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function member(value: unknown, key: string): unknown {
  return isContainer(value) ? value[key] : value
}
