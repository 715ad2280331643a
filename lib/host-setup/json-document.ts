import {
  type ParseError,
  applyEdits,
  findNodeAtLocation,
  getNodeValue,
  modify,
  type Node,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser'

import { CodexError } from '../kernel/errors.js'
import { isNestedTooDeep } from '../kernel/text/nesting.js'

const MEND = 'Fix the file, then run the command again.'
const PARSE = { allowTrailingComma: true, disallowComments: false }

/** A JSON or JSONC file that is edited as text, so that comments, order and formatting stay. */
export interface JsonDocument {
  readonly text: string
  value(path: readonly (string | number)[]): unknown
  has(path: readonly (string | number)[]): boolean
  /** A document in which `path` holds `value`; `undefined` removes it. @throws CodexError `config_invalid` where something else is in the way */
  set(path: readonly (string | number)[], value: unknown): JsonDocument
  /** The error of something wrong at `path`, with its place. */
  problemAt(path: readonly (string | number)[], why: string): CodexError
}

/**
 * Opens the text of a configuration file. Empty text is an empty object.
 * @throws CodexError `config_invalid` with line and column when it is not a JSON object
 */
export function openDocument(text: string, file: string): JsonDocument {
  const bom = text.startsWith('\uFEFF') ? '\uFEFF' : ''
  const body = text.slice(bom.length)
  return documentOf(body.trim() === '' ? '{}\n' : body, bom, file)
}

/** @param problemBefore the place of a problem is that in the file as it was opened, not as it is being edited */
function documentOf(
  body: string,
  bom: string,
  file: string,
  problemBefore?: JsonDocument['problemAt'],
): JsonDocument {
  if (isNestedTooDeep(body))
    throw invalid(file, body, 0, 'its lists or objects are nested too deeply')
  const errors: ParseError[] = []
  const tree = parseTree(body, errors, PARSE)
  const [first] = errors
  if (first) throw invalid(file, body, first.offset, printParseErrorCode(first.error))
  if (tree?.type !== 'object') throw invalid(file, body, 0, 'the file must hold one JSON object')
  const node = (path: readonly (string | number)[]): Node | undefined =>
    findNodeAtLocation(tree, [...path])
  const problemHere = (path: readonly (string | number)[], why: string): CodexError => {
    const { line, column } = placeOf(body, node(path)?.offset ?? 0)
    return new CodexError(
      'config_invalid',
      `${file}, line ${line}, column ${column}: ${why}. Nothing was changed.`,
      { hint: MEND },
    )
  }
  const problemAt = problemBefore ?? problemHere
  /** Whatever stands above `path` must be able to hold it. */
  const assertRoom = (path: readonly (string | number)[]): void => {
    for (let depth = 1; depth < path.length; depth += 1) {
      const above = node(path.slice(0, depth))
      const wanted = typeof path[depth] === 'number' ? 'array' : 'object'
      if (above !== undefined && above.type !== wanted)
        throw problemAt(
          path.slice(0, depth),
          `the key "${path.slice(0, depth).join('.')}" must hold ${wanted === 'array' ? 'a list' : 'an object'}`,
        )
    }
  }
  return {
    text: bom + body,
    problemAt,
    value: (path) => {
      const found = node(path)
      return found ? (getNodeValue(found) as unknown) : undefined
    },
    has: (path) => node(path) !== undefined,
    set: (path, value) => {
      assertRoom(path)
      const found = node(path)
      const next =
        value === undefined && found?.parent?.type === 'array'
          ? withoutItem(body, found.parent, found)
          : applyEdits(
              body,
              modify(body, [...path], value, { formattingOptions: formattingOf(body) }),
            )
      return documentOf(next, bom, file, problemAt)
    },
  }
}

/** Cuts one item out of a list. jsonc-parser's own removal of a last item damages lists written on one line. */
function withoutItem(text: string, list: Node, item: Node): string {
  const items = list.children ?? []
  const index = items.indexOf(item)
  const following = items[index + 1]
  const preceding = items[index - 1]
  const start = following || !preceding ? item.offset : preceding.offset + preceding.length
  const end = following ? following.offset : item.offset + item.length
  return text.slice(0, start) + text.slice(end)
}

function invalid(file: string, text: string, offset: number, why: string): CodexError {
  const { line, column } = placeOf(text, offset)
  return new CodexError(
    'config_invalid',
    `${file} is not valid JSON at line ${line}, column ${column} (${why}). Nothing was changed.`,
    { hint: MEND },
  )
}

/** Line and column of a character, both from 1. */
function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

/** The indentation and line ends that the file already has. */
function formattingOf(text: string): { insertSpaces: boolean; tabSize: number; eol: string } {
  const indent = /^([ \t]+)["}\]]/m.exec(text)?.[1] ?? '  '
  return {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  }
}
