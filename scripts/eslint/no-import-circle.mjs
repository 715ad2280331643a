/**
 * An ESLint rule: no file may import itself over others, not even for a type. `import-x/no-cycle` passes over
 * `import type`, but files that need each other's types are one subject in several pieces all the same.
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

import ts from 'typescript'

/** The TypeScript files that a file imports or exports from, in any form. */
function importsOf(file) {
  return ts
    .preProcessFile(readFileSync(file, 'utf8'), true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => path.resolve(path.dirname(file), specifier).replace(/\.js$/, '.ts'))
    .filter((target) => target.endsWith('.ts') && existsSync(target))
}

/** Each file is read once in a run; an editor, which lints for hours, starts again after this time, ms. */
const KEEP_MS = 30_000

function createGraph() {
  let known = new Map()
  let readAtMs = Date.now()
  return (file) => {
    if (Date.now() - readAtMs > KEEP_MS) {
      known = new Map()
      readAtMs = Date.now()
    }
    if (!known.has(file)) known.set(file, importsOf(file))
    return known.get(file)
  }
}

/** The files on the shortest way from one to another, both included; undefined when there is none. */
function wayBetween(from, to, importsOfFile) {
  const cameFrom = new Map([[from, undefined]])
  for (const file of cameFrom.keys()) {
    if (file === to) {
      const way = []
      for (let at = to; at !== undefined; at = cameFrom.get(at)) way.unshift(at)
      return way
    }
    for (const next of importsOfFile(file)) if (!cameFrom.has(next)) cameFrom.set(next, file)
  }
  return undefined
}

const importsOfFile = createGraph()

export const noImportCircle = {
  meta: {
    type: 'problem',
    messages: { circle: 'This import closes a circle: {{ way }}.' },
    schema: [],
  },
  create(context) {
    const file = context.filename
    const check = (node) => {
      const specifier = node.source?.value
      if (typeof specifier !== 'string' || !specifier.startsWith('.')) return
      const target = path.resolve(path.dirname(file), specifier).replace(/\.js$/, '.ts')
      if (!existsSync(target)) return
      const way = wayBetween(target, file, importsOfFile)
      if (way === undefined) return
      const names = [file, ...way].map((name) => path.relative(context.cwd, name))
      context.report({ node, messageId: 'circle', data: { way: names.join(' → ') } })
    }
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
    }
  },
}
