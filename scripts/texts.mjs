/**
 * `npm run texts`: every sentence of the product that a person can read, in one list, so that it can be read from top to
 * bottom. Taken from the source: any text with a blank and a letter, but for what never reaches a person.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

import ts from 'typescript'

const root = path.resolve(import.meta.dirname, '..')

const HELP = `Usage: npm run texts -- [options] [part of a path …]

Prints every text of the product that a person can read, by file and line. Where a text takes a value, its name
stands in braces.

  --json   print [{file, line, text}]
  --help   show this text
`

/** Files whose texts are not for people, each with the reason. */
const IGNORED_FILES = [
  { file: /^lib\/prompts\//, why: 'instructions for the model' },
  { file: /^lib\/slash-commands\/prompt-templates\.ts$/, why: 'prompts for the model' },
  { file: /^lib\/report\/style\.ts$/, why: 'a style sheet' },
]

/** Calls whose texts are not for people, by the last name of what is called. */
const IGNORED_CALLS = new Map([
  ['log', 'the log'],
  ['debug', 'the log'],
  ['test', 'compares'],
  ['includes', 'compares'],
  ['startsWith', 'compares'],
  ['endsWith', 'compares'],
  ['replace', 'rewrites'],
  ['replaceAll', 'rewrites'],
  ['RegExp', 'a pattern'],
  ['Error', 'a mistake of ours: nobody is meant to see it'],
  ['TypeError', 'a mistake of ours: nobody is meant to see it'],
  ['split', 'a separator'],
])

/** Texts that are no sentences though they have a blank and a letter, each with the reason. */
const IGNORED_TEXTS = [
  { text: /^[MLHVCSQTAZ][\d.{} ]/i, why: 'a path of a drawing' },
  { text: /^[\w-]+(: ?[^;]+;)/, why: 'a style' },
  { text: /^(Bearer|Basic) \{/, why: 'a header' },
  { text: /^(:root|default-src|\w+\/\w+;) ?/, why: 'a style or a header' },
  { text: /^(event|data): /, why: 'a line of an event stream' },
]

/**
 * The texts of a source file. Pure.
 * @param {string} file
 * @param {string} source
 * @returns {{ file: string, line: number, text: string }[]}
 */
export function textsOf(file, source) {
  if (IGNORED_FILES.some((rule) => rule.file.test(file))) return []
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)
  const found = []
  const visit = (node) => {
    if (isNoText(node)) return
    const text = textAt(node)
    if (text === undefined) {
      ts.forEachChild(node, visit)
      return
    }
    const shown = tidy(text)
    const { line } = tree.getLineAndCharacterOfPosition(node.getStart())
    if (isSentence(shown)) found.push({ file, line: line + 1, text: shown })
    for (const inner of valuesIn(node)) visit(inner)
  }
  ts.forEachChild(tree, visit)
  return found
}

/** Types, names of modules, keys, and what goes to the log. */
function isNoText(node) {
  if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node))
    return true
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
    const called = ts.isPropertyAccessExpression(node.expression)
      ? node.expression.name.text
      : node.expression.getText()
    return IGNORED_CALLS.has(called)
  }
  return ts.isCaseClause(node.parent) && node.parent.expression === node
}

/** The text of a literal, of a template, or of several joined with `+`; undefined for other nodes. */
function textAt(node) {
  if (ts.isStringLiteralLike(node))
    return ts.isPropertyAssignment(node.parent) && node.parent.name === node ? undefined : node.text
  if (ts.isTemplateExpression(node))
    return (
      node.head.text +
      node.templateSpans.map((span) => placeFor(span.expression) + span.literal.text).join('')
    )
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [textAt(node.left), textAt(node.right)]
    if (left === undefined && right === undefined) return undefined
    return (left ?? placeFor(node.left)) + (right ?? placeFor(node.right))
  }
  return undefined
}

/** Where a text takes a value, the value may hold further texts. */
function valuesIn(node) {
  if (ts.isTemplateExpression(node)) return node.templateSpans.map((span) => span.expression)
  if (ts.isBinaryExpression(node))
    return [node.left, node.right].flatMap((side) =>
      textAt(side) === undefined ? [side] : valuesIn(side),
    )
  return []
}

function placeFor(expression) {
  const inner = textAt(expression)
  if (inner !== undefined && ts.isStringLiteralLike(expression)) return inner
  const name = expression.getText().match(/[A-Za-z_]+(?=[^A-Za-z_]*$)/)?.[0] ?? '…'
  return `{${/[?]/.test(expression.getText()) ? '…' : name}}`
}

/** Without the markup of the report; on one line. */
function tidy(text) {
  return text
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/[ \t]+/g, ' ')
    .trim()
}

function isSentence(text) {
  return (
    /\p{L}/u.test(text.replaceAll(/\{[^}]*\}/g, '')) &&
    / /.test(text) &&
    !IGNORED_TEXTS.some((rule) => rule.text.test(text))
  )
}

/** Every text of the product, in the order of the files. */
export function allTexts() {
  return readdirSync(path.join(root, 'lib'), { recursive: true })
    .map((name) => `lib/${name.replaceAll(path.sep, '/')}`)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .sort()
    .flatMap((file) => textsOf(file, readFileSync(path.join(root, file), 'utf8')))
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  if (values.help) return HELP
  const texts = allTexts().filter(
    ({ file }) => positionals.length === 0 || positionals.some((part) => file.includes(part)),
  )
  if (values.json) return `${JSON.stringify(texts, null, 2)}\n`
  let last = ''
  return texts
    .map(({ file, line, text }) => {
      const head = file === last ? '' : `\n${file}\n`
      last = file
      return `${head}${String(line).padStart(5)}  ${text.replaceAll('\n', '\n       ')}\n`
    })
    .join('')
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) process.stdout.write(main())
