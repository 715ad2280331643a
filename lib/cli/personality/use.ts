import { NO_PERSONALITY } from '../../config/personality-value.js'
import { CodexError, WrongUsage } from '../../kernel/errors.js'
import { findProjectRoot } from '../../accounts/project/project.js'
import { isListed, nameFrom } from '../../personality/names.js'
import { chosenLine, chosenRows } from '../../personality/overview.js'
import { spokenBy } from '../../personality/spoken.js'
import { configFiles } from '../../runtime-config.js'
import { isRecord } from '../../kernel/text/json.js'
import { redactText } from '../../kernel/text/redact.js'
import { type Shell, shellHere, shellWord } from '../../kernel/text/shell-quote.js'
import { defineCommand } from '../command.js'
import { applyChange, backupStamp, planChange } from '../../host-setup/file-change.js'
import type { JsonDocument } from '../../host-setup/json-document.js'
import { answer, contextAt, oneName } from './context.js'

const KEY = 'personality'

/** `personality use`. */
export const useCommand = defineCommand({
  name: 'use',
  summary: 'Put a personality in force: everywhere, in this project, for a model or for an agent.',
  help: `Usage: oc-codex-multi-auth personality use NAME [options]
       oc-codex-multi-auth personality use --unset [options]

Writes the setting "personality" of your own configuration file; comments and formatting stay, and the file as it was is kept
beside it. The choice for an agent counts before that for a model, for this project, and for everything. OpenCode hears it
when it starts the next time.

  none           in place of NAME: no personality there
  --agent AGENT  for this agent of OpenCode only; a sub-agent has a personality only by its name
  --model MODEL  for this model only
  --project      for this project only; a project's own file cannot choose for you
  --unset        take the choice out again
  --dry-run      show what would change, and write nothing
  --json         print JSON
`,
  options: {
    agent: { type: 'string' },
    model: { type: 'string' },
    project: { type: 'boolean' },
    unset: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  },
  takesWords: () => [],
  async run({ agent, model, project, unset = false, json, 'dry-run': dryRun = false }, io, words) {
    if ([agent, model, project].filter((one) => one !== undefined).length > 1)
      throw new WrongUsage(
        'Choose one of --agent, --model, --project.',
        'Help: {personality use --help}',
      )
    for (const [flag, given] of Object.entries({ agent, model }))
      if (given?.trim() === '')
        throw new WrongUsage(`--${flag} takes a name.`, 'Help: {personality use --help}')
    if (unset && words.length > 0) throw new WrongUsage('--unset takes no name.')
    const name = unset ? undefined : oneName(words, 'use')
    const before = contextAt(io)
    const note = name === undefined ? '' : await checked(name, model, before.sources)
    const root = findProjectRoot(io.directory, before.paths.home)
    if (project === true && root === undefined)
      throw new CodexError('invalid_input', `${io.directory} is in no project.`, {
        hint: 'Nothing was changed.',
      })
    const file = configFiles(before.paths, io.directory).userFile.path
    let former: unknown
    let preview: string[] = []
    const planned = await planChange(file, (document) => {
      const named = keyOfProject(document, before.isHere) ?? root
      const scope = scopeOf({ agent, model, root: project === true ? named : undefined })
      former = valueAt(document, scope)
      const next = changed(document, scope, name)
      preview = [...memberLines('-', document), ...memberLines('+', next)]
      return next
    })
    const change = dryRun
      ? { file, changes: planned.changes }
      : await applyChange(planned, backupStamp(Date.now()))
    const { loaded, isHere, files, lists } = contextAt(io)
    const chosen = await chosenRows(loaded.config.personality, isHere, { files, lists })
    const flags = flagsOf({ agent, model, isProject: project === true, shell: shellHere(io.env) })
    const undo =
      change.changes.length === 0 || dryRun
        ? null
        : `{personality use ${isName(former) ? former : '--unset'}${flags}}`
    const done =
      change.changes.length === 0 ? 'nothing to change' : dryRun ? 'would change' : 'changed'
    const line = chosenLine(chosen) === '' ? 'Personality: none' : chosenLine(chosen)
    const lines = [
      `${file}: ${done}`,
      ...(dryRun && change.changes.length > 0 ? preview : []),
      ...('backup' in change ? [`As it was: ${change.backup ?? ''}`] : []),
      ...(note === '' ? [] : [note]),
      ...(dryRun ? [] : [`Here: ${line}`]),
      ...(undo === null ? [] : [`Undo: ${undo}`]),
    ]
    return answer(io, json, { ...change, dryRun, chosen, undo, note }, `${lines.join('\n')}\n`)
  },
})

/** The setting as it stands in a file. Pure. */
function memberLines(sign: '-' | '+', document: JsonDocument): string[] {
  if (!document.has([KEY])) return []
  return [redactText(`  ${sign} "${KEY}": ${JSON.stringify(document.value([KEY]))}`)]
}

/** What somebody wrote by hand may be anything, and does not belong into a command to run. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && nameFrom(value).problem === undefined
}

/** How the file names this project: by its path, or with `~/`. */
function keyOfProject(
  document: JsonDocument,
  isHere: (folder: string) => boolean,
): string | undefined {
  const value = document.value([KEY])
  const projects = isRecord(value) ? value.projects : undefined
  return isRecord(projects) ? Object.keys(projects).find(isHere) : undefined
}

type Scope = readonly [table: 'default'] | readonly ['agents' | 'models' | 'projects', string]

function scopeOf(given: {
  readonly agent: string | undefined
  readonly model: string | undefined
  readonly root: string | undefined
}): Scope {
  if (given.agent !== undefined) return ['agents', given.agent]
  if (given.model !== undefined) return ['models', given.model]
  return given.root === undefined ? ['default'] : ['projects', given.root]
}

function flagsOf({
  shell,
  ...given
}: {
  readonly shell: Shell
  readonly agent: string | undefined
  readonly model: string | undefined
  readonly isProject: boolean
}): string {
  if (given.agent !== undefined) return ` --agent ${shellWord(given.agent, shell)}`
  if (given.model !== undefined) return ` --model ${shellWord(given.model, shell)}`
  return given.isProject ? ' --project' : ''
}

/** What is said of a name that may be put in force. @throws CodexError for one that has no text and will get none by itself */
async function checked(
  name: string,
  model: string | undefined,
  sources: Parameters<typeof spokenBy>[2],
): Promise<string> {
  if (name === NO_PERSONALITY) return ''
  const spoken = await spokenBy(name, model, sources)
  if (spoken.kind === 'part') return ''
  if (isListed(name)) return `${spoken.problem} Requests go out without it until there is one.`
  const write = spoken.isMissing === true ? ` Write it: {personality create ${name}}` : ''
  throw new CodexError('invalid_input', spoken.problem, { hint: `Nothing was changed.${write}` })
}

function valueAt(document: JsonDocument, scope: Scope): unknown {
  const value = document.value([KEY])
  if (typeof value === 'string') return scope[0] === 'default' ? value : undefined
  return document.value([KEY, ...scope])
}

/** The document with the choice; the one word grows into tables where it has to. */
function changed(document: JsonDocument, scope: Scope, name: string | undefined): JsonDocument {
  const value = document.value([KEY])
  const isTable = typeof value === 'object' && value !== null
  if (scope[0] === 'default') {
    const place = isTable ? [KEY, 'default'] : [KEY]
    return name === undefined && !document.has(place) ? document : document.set(place, name)
  }
  if (name === undefined)
    return document.has([KEY, ...scope]) ? document.set([KEY, ...scope], undefined) : document
  const open = isTable || value === undefined ? document : document.set([KEY], { default: value })
  return open.set([KEY, ...scope], name)
}
