import {
  type Node,
  type ParseError,
  getNodeValue,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser'

import { isNestedTooDeep } from '../kernel/text/nesting.js'
import { plainText } from '../kernel/text/plain-text.js'
import { check, type ConfigProblem, type FoundValues } from './resolve.js'
import { closest, isSettingName } from './setting-names.js'
import { RETIRED_SETTINGS, SETTINGS } from './settings.js'

/** A configuration file as read. */
export interface ConfigFile {
  readonly path: string
  /** Undefined when there is no file, or none that can be read. */
  readonly text: string | undefined
  /** Why a file that is there cannot be read, in one sentence. */
  readonly problem?: string
}

/** Keys a configuration file may hold besides settings. */
const PASSIVE_KEYS = new Set(['$schema', ...RETIRED_SETTINGS])
/** A file with more is not meant to be one of ours; the rest is counted. */
const MAX_PROBLEMS = 20
const MAX_KEY_CHARS = 64

/** The settings in a file. A bad value costs that one key, a file that is not JSON costs that file. Pure. */
export function settingsIn(file: ConfigFile): {
  readonly found: FoundValues
  readonly problems: readonly ConfigProblem[]
} {
  if (file.problem !== undefined)
    return {
      found: {},
      problems: [{ where: file.path, message: `${file.problem} None of its settings are used.` }],
    }
  if (file.text === undefined) return { found: {}, problems: [] }
  const text = file.text.replace(/^\uFEFF/, '')
  const whole = (line: number, message: string): ReturnType<typeof settingsIn> => ({
    found: {},
    problems: [{ where: file.path, line, message }],
  })
  if (isNestedTooDeep(text))
    return whole(1, 'The file nests lists or objects too deeply; none of its settings are used.')
  const errors: ParseError[] = []
  const tree = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false })
  const lineOf = lineCounter(text)
  const [first] = errors
  if (first)
    return whole(
      lineOf(first.offset),
      `The file is not valid JSON (${printParseErrorCode(first.error)}); none of its settings are used.`,
    )
  if (tree?.type !== 'object')
    return whole(1, 'The file must hold one JSON object; none of its settings are used.')
  return membersOf(tree, file.path, lineOf)
}

function membersOf(
  tree: Node,
  where: string,
  lineOf: (offset: number) => number,
): ReturnType<typeof settingsIn> {
  const found: FoundValues = {}
  const problems: ConfigProblem[] = []
  for (const member of tree.children ?? []) {
    const [name, node] = member.children ?? []
    const key: unknown = name?.value
    if (typeof key !== 'string' || node === undefined || PASSIVE_KEYS.has(key)) continue
    const place = { where, line: lineOf(node.offset) }
    const checked = isSettingName(key)
      ? check(SETTINGS[key], getNodeValue(node))
      : { problem: unknownSetting(key) }
    // Of two members of one name the last counts, also when it is no good.
    if (isSettingName(key)) Reflect.deleteProperty(found, key)
    if ('problem' in checked)
      problems.push({ ...place, key: shownKey(key), message: checked.problem })
    else if (isSettingName(key)) found[key] = { value: checked.value, place }
  }
  const more = problems.length - MAX_PROBLEMS
  return {
    found,
    problems:
      more <= 0
        ? problems
        : [
            ...problems.slice(0, MAX_PROBLEMS),
            { where, message: `${more} more values of this file cannot be used.` },
          ],
  }
}

function unknownSetting(key: string): string {
  const near = key.length > MAX_KEY_CHARS ? undefined : closest(key)
  return `Unknown setting.${near === undefined ? '' : ` Did you mean ${near}?`}`
}

/** A key as it may be shown: whoever wrote the file wrote it too. */
function shownKey(key: string): string {
  const plain = plainText(key)
  return plain.length > MAX_KEY_CHARS ? `${plain.slice(0, MAX_KEY_CHARS)}…` : plain
}

/** Counts on from the last answer: the members of a file come in their order. */
function lineCounter(text: string): (offset: number) => number {
  let line = 1
  let counted = 0
  return (offset) => {
    if (offset < counted) [line, counted] = [1, 0]
    for (; counted < offset; counted += 1) if (text.charCodeAt(counted) === 0x0a) line += 1
    return line
  }
}
