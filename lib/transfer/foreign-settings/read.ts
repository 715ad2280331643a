import * as fs from 'node:fs'
import path from 'node:path'

import { getNodeValue, type Node, type ParseError, parseTree } from 'jsonc-parser'

import { MAX_CONFIG_BYTES, readBoundedFileSync } from '../../kernel/files/bounded-file.js'
import { messageOf } from '../../kernel/errors.js'
import type { Paths } from '../../kernel/files/paths.js'
import { isNestedTooDeep } from '../../kernel/text/nesting.js'
import { plainText } from '../../kernel/text/plain-text.js'
import { redactText } from '../../kernel/text/redact.js'
import { hasOurSeal, skillFile } from '../../personality/skill.js'
import { judged, type Verdict } from './judge.js'
import { FOREIGN_FILES } from './file-table.js'
import { FOREIGN_ENV, FOREIGN_KEYS, type ForeignKey } from './table.js'

/** One thing of opencode-codex-auth that is there. */
export interface ForeignFinding extends Verdict {
  readonly kind: 'key' | 'variable' | 'file'
  readonly name: string
  readonly where: string
  /** 1-based; null where there are no lines. */
  readonly line: number | null
}

/** What was found of it, and what could not be read, in whole sentences. */
export interface ForeignFindings {
  /** Its configuration; undefined when there is none. */
  readonly file: string | undefined
  readonly found: readonly ForeignFinding[]
  readonly problems: readonly string[]
}

interface Place {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly paths: Pick<Paths, 'hostConfigDir'>
}

const COMMON = new Set(
  [...FOREIGN_ENV, ...FOREIGN_FILES].filter((one) => one.isCommon).map(({ name }) => name),
)

/** More are not meant to be settings of anything. */
const MAX_KEYS = 500
const MAX_NAME_CHARS = 96

/** Everything of it on this machine: keys of its configuration, variables, files. Never throws. */
export function foreignFindings({ env, paths }: Place): ForeignFindings {
  const { file, found, problems } = foreignConfig({ env, paths })
  const all = [...found, ...variablesIn(env), ...filesIn(paths)]
  const isTold = problems.length > 0 || all.some(({ name }) => !COMMON.has(name))
  return { file, found: isTold ? all : [], problems }
}

/** The keys of its configuration. Never throws. */
export function foreignConfig({ env, paths }: Place): ForeignFindings {
  const named = env.OPENCODE_OPENAI_MULTI_CONFIG_PATH?.trim() ?? ''
  const places = [
    ...(path.isAbsolute(named) ? [named] : []),
    ...['codex-config.jsonc', 'codex-config.json'].map((name) =>
      path.join(paths.hostConfigDir, name),
    ),
  ]
  for (const file of places) {
    try {
      const text = readBoundedFileSync(fs, file, MAX_CONFIG_BYTES)
      if (text !== undefined) return keysIn(text, file)
    } catch (error) {
      return { file, found: [], problems: [messageOf(error)] }
    }
  }
  return { file: undefined, found: [], problems: [] }
}

function keysIn(text: string, file: string): ForeignFindings {
  const unusable = (why: string): ForeignFindings => ({
    file,
    found: [],
    problems: [`${file} ${why}; nothing of it is taken over.`],
  })
  if (isNestedTooDeep(text)) return unusable('nests lists or objects too deeply')
  const errors: ParseError[] = []
  const tree = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false })
  if (tree?.type !== 'object' || errors.length > 0) return unusable('is not one object of JSON')
  const found = new Map<string, ForeignFinding>()
  for (const { names, node } of leavesOf(tree, [])) {
    const row = rowFor(names)
    // What one row says of a model or a list of variants is said once.
    const depth = row === undefined ? names.length : row.key.split('.').length
    const name = shown(names.slice(0, depth).join('.'))
    const verdict: Verdict =
      row === undefined
        ? { status: 'unsupported', says: 'It is unknown here, and to opencode-codex-auth too.' }
        : judged(row.becomes, getNodeValue(node))
    if (found.has(name) || found.size >= MAX_KEYS) continue
    const line = text.slice(0, node.offset).split('\n').length
    found.set(name, { kind: 'key', name, where: file, line, ...verdict })
  }
  return { file, found: [...found.values()], problems: [] }
}

interface Leaf {
  readonly names: readonly string[]
  readonly node: Node
}

function leavesOf(node: Node, names: readonly string[]): Leaf[] {
  if (node.type !== 'object') return [{ names, node }]
  return (node.children ?? []).flatMap((member): Leaf[] => {
    const [key, value] = member.children ?? []
    return key === undefined || value === undefined
      ? []
      : leavesOf(value, [...names, String(key.value)])
  })
}

function rowFor(names: readonly string[]): ForeignKey | undefined {
  return FOREIGN_KEYS.find(({ key }) => {
    const parts = key.split('.')
    return (
      parts.length <= names.length &&
      parts.every((part, index) => part === '*' || part === names[index])
    )
  })
}

function shown(name: string): string {
  // Who pasted a key into the wrong place has it in the place of a name.
  const plain = redactText(plainText(name))
  return plain.length > MAX_NAME_CHARS ? `${plain.slice(0, MAX_NAME_CHARS)}…` : plain
}

function variablesIn(env: Place['env']): ForeignFinding[] {
  const rows = [
    ...FOREIGN_KEYS.flatMap(({ env: names = [], becomes }) =>
      names.map((name) => ({ name, becomes })),
    ),
    ...FOREIGN_ENV,
  ]
  return rows.flatMap(({ name, becomes }): ForeignFinding[] => {
    const value = env[name]
    return value === undefined
      ? []
      : [{ kind: 'variable', name, where: name, line: null, ...judged(becomes, valueOf(value)) }]
  })
}

/** Its variables take these words, and numbers. */
function valueOf(text: string): unknown {
  const word = text.trim().toLowerCase()
  if (['1', 'true', 'yes', 'on'].includes(word)) return true
  if (['0', 'false', 'no', 'off'].includes(word)) return false
  return /^\d{1,15}$/.test(word) ? Number(word) : word
}

function filesIn({ hostConfigDir }: Place['paths']): ForeignFinding[] {
  return FOREIGN_FILES.flatMap(({ name, becomes }): ForeignFinding[] => {
    const folder = path.join(hostConfigDir, path.dirname(name))
    const isMeant = patternOf(path.basename(name))
    const found = namesIn(folder).find((one) => isMeant.test(one))
    const isOurs = name === SKILL && isOurSkill(skillFile(hostConfigDir))
    return found === undefined || isOurs
      ? []
      : [
          {
            ...{ kind: 'file', name, where: path.join(folder, found), line: null },
            ...judged(becomes, undefined),
          },
        ]
  })
}

/** Both plugins have a skill of this name. */
const SKILL = 'skills/personality-builder'

function isOurSkill(file: string): boolean {
  try {
    return hasOurSeal(readBoundedFileSync(fs, file, MAX_CONFIG_BYTES) ?? '')
  } catch {
    return false
  }
}

/** By the name as it is written: where case does not count, one folder is not two. */
function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder)
  } catch {
    return []
  }
}

function patternOf(name: string): RegExp {
  const literal = name.split('*').map((part) => part.replaceAll('.', '\\.'))
  return new RegExp(`^${literal.join('.*')}$`)
}
