import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { expect } from 'vitest'

import { repositoryRoot } from './repository.js'

const FOLDER = path.join(repositoryRoot, 'test', 'outside', 'expected')
/** Set by `node scripts/outside.mjs --update`, which runs one file after the other. */
const UPDATES = process.env.OUTSIDE_UPDATE === '1'
const SENTENCES = 'sentences'

/** Stands where a sentence for people was: its words lie in `sentences.json`. */
const SENTENCE = '(sentence)'

/** What a value outside must be for the product to be the same outside. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/**
 * Compares what the outside sees with `expected/<name>.json`, and its sentences with `expected/sentences.json`. Both
 * failures name the place of each difference.
 * @param options.keepsTexts texts with blanks are data too: headers, file contents
 */
export function expectOutside(
  name: string,
  value: unknown,
  options: { keepsTexts?: boolean } = {},
): void {
  const sentences: Record<string, string> = {}
  const isData = options.keepsTexts === true
  const actual = sorted(
    JSON.parse(JSON.stringify(value ?? null)) as Json,
    '',
    isData ? undefined : sentences,
  )
  const file = path.join(FOLDER, `${name}.json`)
  if (UPDATES) {
    mkdirSync(FOLDER, { recursive: true })
    writeFileSync(file, pretty(actual))
    if (!isData) writeSentences({ ...readExpected(SENTENCES), [name]: sentences })
    return
  }
  const found = [
    ...changes(readExpected(name), actual).map((line) => `${name}.json ${line}`),
    ...(isData
      ? []
      : changes(readExpected(SENTENCES)[name] ?? {}, sentences).map(
          (line) => `${SENTENCES}.json ${name} ${line}`,
        )),
  ]
  if (found.length > 0)
    expect.fail(
      `The outside has changed. When that is wanted: node scripts/outside.mjs --update\n${found.join('\n')}`,
    )
}

/** One line per place where two values differ; empty when they agree. Pure. */
export function changes(expected: Json, actual: Json, place = '$'): string[] {
  if (isBranch(expected) && isBranch(actual) && Array.isArray(expected) === Array.isArray(actual)) {
    const before = membersOf(expected, place)
    const now = membersOf(actual, place)
    return [...new Set([...before.keys(), ...now.keys()])].flatMap((at) => {
      const was = before.get(at)
      const is = now.get(at)
      if (was === undefined) return [`${at} was added: ${shown(is)}`]
      if (is === undefined) return [`${at} is missing (was ${shown(was)})`]
      return changes(was, is, at)
    })
  }
  return JSON.stringify(expected) === JSON.stringify(actual)
    ? []
    : [`${place} is ${shown(actual)} (was ${shown(expected)})`]
}

/** The first digits of a hash of a text too long to be read. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** The keys and types of a value: `string`, `number`, `boolean`, `null`; a list by the shape of all its members. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    const shapes = new Map(
      value.map((member) => [JSON.stringify(shapeOf(member)), shapeOf(member)]),
    )
    return [...shapes.values()]
  }
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shapeOf(member)]))
  return value === null ? 'null' : typeof value
}

function sorted(value: Json, place: string, sentences: Record<string, string> | undefined): Json {
  if (Array.isArray(value))
    return (value as readonly Json[]).map((member, index) =>
      sorted(member, `${place}[${index}]`, sentences),
    )
  if (isBranch(value)) {
    const keys = Object.keys(value).sort()
    return Object.fromEntries(
      keys.map((key) => [
        key,
        sorted(
          (value as Record<string, Json>)[key] ?? null,
          place === '' ? key : `${place}.${key}`,
          sentences,
        ),
      ]),
    )
  }
  if (sentences === undefined || typeof value !== 'string' || !isSentence(value)) return value
  sentences[place] = value
  return SENTENCE
}

/** Data has no blanks: names, codes, moments, addresses. */
function isSentence(text: string): boolean {
  return /\p{L}.* | .*\p{L}/u.test(text)
}

function membersOf(value: object, place: string): Map<string, Json> {
  return new Map(
    Object.entries(value).map(([key, member]) => [
      Array.isArray(value) ? `${place}[${key}]` : `${place}.${key}`,
      member as Json,
    ]),
  )
}

function isBranch(value: Json): value is Exclude<Json, string | number | boolean | null> {
  return typeof value === 'object' && value !== null
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

function readExpected(name: string): Record<string, Json> {
  const file = path.join(FOLDER, `${name}.json`)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Json>) : {}
}

function writeSentences(all: Record<string, Json>): void {
  const names = Object.keys(all).filter(
    (name) => isBranch(all[name] ?? null) && Object.keys(all[name] as object).length > 0,
  )
  writeFileSync(
    path.join(FOLDER, `${SENTENCES}.json`),
    pretty(Object.fromEntries(names.sort().map((name) => [name, all[name] ?? null]))),
  )
}

/** Short branches on one line, so that a file can be read. */
function pretty(value: Json): string {
  return `${written(value, '')}\n`
}

const WIDTH = 140

function written(value: Json, indent: string): string {
  const flat = JSON.stringify(value)
  if (!isBranch(value) || indent.length + flat.length <= WIDTH) return flat
  const deeper = `${indent}  `
  if (Array.isArray(value))
    return `[\n${(value as readonly Json[]).map((member) => deeper + written(member, deeper)).join(',\n')}\n${indent}]`
  return `{\n${Object.entries(value)
    .map(([key, member]) => `${deeper}${JSON.stringify(key)}: ${written(member, deeper)}`)
    .join(',\n')}\n${indent}}`
}
