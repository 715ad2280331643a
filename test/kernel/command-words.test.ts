import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import ts from 'typescript'
import { describe, expect, it } from 'vitest'

import { commands } from '../../lib/cli/commands.js'
import { ERROR_TABLE } from '../../lib/kernel/errors.js'
import { asData, withoutDataMarks } from '../../lib/kernel/text/as-data.js'
import { commandsIn, type Place } from '../../lib/kernel/text/command-words.js'
import { plainLines } from '../../lib/kernel/text/plain-text.js'
import { TOOLS } from '../../lib/tools/index.js'
import { helpOf, toolCallOf } from '../../lib/tools/tool-arguments.js'
import { FAILURES } from '../../lib/request/failures/failures.js'

const PLACES: readonly Place[] = ['tui', 'terminal']

describe('a command in a text', () => {
  it.each([
    ['{status --why}', '/codex-status --why', 'npx oc-codex-multi-auth status --why'],
    ['{login}', '/connect', 'opencode auth login'],
    ['{models}', '/models', 'opencode models'],
    ['{accounts}', '/codex', 'npx oc-codex-multi-auth accounts'],
    ['{/doctor}', '/codex-doctor', '/codex-doctor'],
    ['{import}', '/codex-import', 'npx oc-codex-multi-auth import'],
    [
      '{import a.json}',
      'npx oc-codex-multi-auth import a.json (in a terminal)',
      'npx oc-codex-multi-auth import a.json',
    ],
    [
      '{config set transport http}',
      'npx oc-codex-multi-auth config set transport http (in a terminal)',
      'npx oc-codex-multi-auth config set transport http',
    ],
    [
      '{login --api-key}',
      'npx oc-codex-multi-auth login --api-key (in a terminal)',
      'npx oc-codex-multi-auth login --api-key',
    ],
    [
      '{update}',
      'npx -y oc-codex-multi-auth@latest update (in a terminal)',
      'npx -y oc-codex-multi-auth@latest update',
    ],
    [
      "{logout 'a{b}' --purge}",
      "npx oc-codex-multi-auth logout 'a{b}' --purge (in a terminal)",
      "npx oc-codex-multi-auth logout 'a{b}' --purge",
    ],
  ])('%s has the form that works where it is read', (neutral, onScreen, inTerminal) => {
    const [tui, terminal] = PLACES.map((place) => commandsIn(`Run: ${neutral}.`, place))
    expect(tui).toBe(`Run: ${onScreen}.`)
    expect(terminal).toBe(`Run: ${inTerminal}.`)
  })

  it('braces around anything else stay as they are', () => {
    for (const text of ['{"status": 1}', '{ status }', '{statuses}', '{login', '{a {b} c}', '{}'])
      for (const place of PLACES) expect(commandsIn(text, place)).toBe(text)
  })

  it('is none in a text of somebody else, which is read as it is', () => {
    const theirs = '{status} {{login}} {/doctor} {'
    for (const place of PLACES) {
      for (const shown of [plainLines, withoutDataMarks]) {
        expect(shown(commandsIn(asData(theirs), place))).toBe(theirs)
        const both = commandsIn(`${asData('{status}')} {/status}`, place)
        expect(shown(both)).toBe('{status} /codex-status')
      }
    }
  })

  it('takes time that grows with the text, whatever is in it', () => {
    const hostile = '{status {'.repeat(200_000)
    expect(commandsIn(hostile, 'tui')).toBe(hostile)
  })
})

/** Programs whose names stand in texts without being a command, by the file. */
const NAMES_ONLY: Readonly<Record<string, RegExp>> = {
  'lib/transfer/sources.ts': /codex-auth/,
  'lib/report/measures.ts': /^\{\w+\}$/,
}

/** Texts of our source, each with its place. Templates have their values as `…`. */
function textsOfSource(): readonly { readonly where: string; readonly text: string }[] {
  const found: { where: string; text: string }[] = []
  for (const file of readdirSync('lib', { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue
    const name = path.join('lib', file).replaceAll('\\', '/')
    // Programs for shells, and the table of the forms themselves.
    if (name === 'lib/cli/completion/scripts.ts') continue
    if (name.startsWith('lib/slash-commands/') || name.endsWith('command-words.ts')) continue
    const tree = ts.createSourceFile(name, readFileSync(name, 'utf8'), ts.ScriptTarget.Latest, true)
    const visit = (node: ts.Node): void => {
      if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return
      const { line } = tree.getLineAndCharacterOfPosition(node.getStart())
      const add = (text: string): void => {
        if (NAMES_ONLY[name]?.test(text) !== true)
          found.push({ where: `${name}:${String(line + 1)}`, text })
      }
      if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) add(node.text)
      else if (ts.isTemplateExpression(node))
        add([node.head.text, ...node.templateSpans.map((span) => `…${span.literal.text}`)].join(''))
      ts.forEachChild(node, visit)
    }
    visit(tree)
  }
  return found
}

const TOOL_NAMES = TOOLS.map(({ name }) => name)
const COMMAND_NAMES = commands.map(({ name }) => name)
const FIXED = new RegExp(
  `(?<![\\w'/.])/?codex-(?:${TOOL_NAMES.join('|')})\\b(?![\\w.-])|opencode auth login|opencode models(?! openai)|oc-codex-multi-auth(?:@latest)? (?:${COMMAND_NAMES.join('|')})\\b|(?<=\\s)/(?:connect|codex)(?![\\w-])`,
)
/** What follows is the usage of the command itself, as it was typed. */
const IS_USAGE = /^Usage: |^# oc-codex-multi-auth metrics$/

describe('the sentences of the product', () => {
  const texts = textsOfSource()

  it('name no command in a form that works in one place alone', () => {
    expect(texts.length).toBeGreaterThan(2_000)
    expect(texts.filter(({ text }) => FIXED.test(text) && !IS_USAGE.test(text))).toEqual([])
  })

  it('name only commands that there are, with arguments they take', async () => {
    const neutral = texts.flatMap(({ where, text }) =>
      [...text.matchAll(/\{(\/?[a-z]+)((?: [^{}\n]*)?)\}/g)].map(
        ([whole, name = '', args = '']) => ({
          where,
          whole,
          name: name.replace('/', ''),
          words: args.split(' ').filter((word) => word !== ''),
        }),
      ),
    )
    expect(neutral.length).toBeGreaterThan(60)
    for (const { where, whole, name, words } of neutral) {
      for (const place of PLACES)
        expect(commandsIn(whole, place), `${where} ${whole}`).not.toContain('{')
      if (whole === '{login}' || whole === '{models}') continue
      expect(COMMAND_NAMES, where).toContain(name)
      const tool = TOOLS.find((one) => one.name === name)
      // The command line has ways of its own beside those of a tool.
      if (tool === undefined || words.includes('--drill'))
        expect(await helpIn(name), where).toMatch(allOf(words))
      else {
        const { args, help } = toolCallOf(tool, words)
        const required = /Usage: .*<\w+>/.test(helpOf(tool))
        if (required && !help) expect(Object.keys(args), `${where} ${whole}`).not.toEqual([])
      }
    }
  })
})

/** The help of a command of the command line. */
async function helpIn(name: string): Promise<string> {
  let text = ''
  const io = { stdout: (more: string) => void (text += more) }
  await commands.find((one) => one.name === name)?.run(['--help'], io as never)
  return text
}

/** Every flag and subcommand; words in capitals and values stand for what the user gives. */
function allOf(words: readonly string[]): RegExp {
  const known = words.filter((word) => /^--[a-z-]+$/.test(word) || /^(?:set|unset)$/.test(word))
  return new RegExp(`^${known.map((word) => `(?=[^]*${word}\\b)`).join('')}`)
}

it('every error and failure of the tables can be shown in both places', () => {
  const hints = [
    ...Object.values(ERROR_TABLE).map(({ hint }) => hint),
    ...Object.values(FAILURES).flatMap((row) => ('hint' in row ? [row.hint] : [])),
  ]
  for (const place of PLACES)
    expect(hints.filter((hint) => /[{}]/.test(commandsIn(hint, place)))).toEqual([])
})
