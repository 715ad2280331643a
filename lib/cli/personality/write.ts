import { CodexError, WrongUsage } from '../../kernel/errors.js'
import { givenPath } from '../../kernel/files/given-path.js'
import { MAX_CONFIG_BYTES, readBoundedFile } from '../../kernel/files/bounded-file.js'
import { createPersonalityFiles, type PersonalityFolder } from '../../personality/files.js'
import { ownPart, placeholdersIn, tokensOf, cleanText } from '../../personality/text.js'
import { applyText, type PlannedText, planRemoval, planText } from '../../personality/writing.js'
import { asData } from '../../kernel/text/as-data.js'
import { shellHere, shellWord } from '../../kernel/text/shell-quote.js'
import { defineCommand } from '../command.js'
import { backupStamp, copyAtomic } from '../../host-setup/file-change.js'
import type { CommandIo } from '../io.js'
import { answer, contextAt, keptLine, oneName, placeFor } from './context.js'

const OPTIONS = {
  from: { type: 'string' },
  project: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
} as const

const OPTIONS_HELP = `  --from FILE  take the text of a file; - for standard input. Without it your editor opens ($VISUAL, $EDITOR)
  --project    in this project's .opencode folder in place of your own
  --dry-run    show what would be written, and write nothing
  --json       print JSON

At most 32 KB. What is in {{ }} goes out as it stands.
`

/** `personality create`. */
export const createCommand = defineCommand({
  name: 'create',
  summary: 'Write a text under a new name, from a file, a pipe or your editor.',
  help: `Usage: oc-codex-multi-auth personality create NAME [options]

Writes a new text. It speaks once the name is in force: {personality use NAME}

${OPTIONS_HELP}`,
  options: OPTIONS,
  takesWords: () => [],
  run: (values, io, words) => write('create', values, io, words),
})

/** `personality edit`. */
export const editCommand = defineCommand({
  name: 'edit',
  summary: 'Change the text of a personality; the one before is kept.',
  help: `Usage: oc-codex-multi-auth personality edit NAME [options]

Replaces a text; the one before is kept beside it. A text in force is heard with the next request.

${OPTIONS_HELP}`,
  options: OPTIONS,
  takesWords: () => [],
  run: (values, io, words) => write('edit', values, io, words),
})

/** `personality remove`. */
export const removeCommand = defineCommand({
  name: 'remove',
  summary: 'Take a text away; a copy is kept.',
  help: `Usage: oc-codex-multi-auth personality remove NAME [options]

Takes the file away and keeps it beside the others under a name that is not read. Settings that name it stay: requests go
out without it, and say so.

  --confirm  remove without asking (also --yes); without a terminal, or with --json, only this removes
  --project  in this project's .opencode folder in place of your own
  --dry-run  show what would be removed
  --json     print JSON

Exit code: 0 done or not wanted, 1 failed, 2 wrong usage or --confirm is missing.
`,
  options: {
    confirm: { type: 'boolean' },
    yes: { type: 'boolean' },
    project: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  },
  takesWords: () => [],
  async run({ project = false, json, 'dry-run': dryRun = false, ...given }, io, words) {
    const name = oneName(words, 'remove')
    const planned = await planRemoval(placeFor(contextAt(io).folders, project, io.directory), name)
    const isAgreed = dryRun || given.confirm === true || given.yes === true
    if (!isAgreed && !(await agrees(io, json, planned)))
      return answer(io, json, { action: 'remove', name, removed: false }, 'Nothing was removed.\n')
    const backup = dryRun ? undefined : await apply(planned)
    const undo = undoOf(
      planned.problem === undefined ? backup : undefined,
      (file) => `create ${name} --from ${shellWord(file, shellHere(io.env))}`,
      project,
    )
    const data = { action: 'remove', name, file: planned.file, dryRun, removed: !dryRun }
    return answer(
      io,
      json,
      { ...data, backup: backup ?? null, undo },
      `${planned.file}: ${dryRun ? 'would be removed' : 'removed'}\n${keptLine(undo === null ? backup : undefined)}${undoLine(undo)}`,
    )
  },
})

async function agrees(
  io: CommandIo,
  isJson: boolean | undefined,
  { file }: PlannedText,
): Promise<boolean> {
  const said = isJson === true ? undefined : await io.ask(`Remove ${file}? [y/N] `)
  if (said === undefined)
    throw new WrongUsage(`${file} would be removed.`, 'To remove it, add --confirm.')
  return /^y(?:es)?$/i.test(said.trim())
}

async function write(
  action: 'create' | 'edit',
  values: { from?: string; project?: boolean; 'dry-run'?: boolean; json?: boolean },
  io: CommandIo,
  words: readonly string[],
): Promise<number> {
  const { project = false, 'dry-run': dryRun = false, json } = values
  const name = oneName(words, action)
  const place = placeFor(contextAt(io).folders, project, io.directory)
  // What cannot be done is said before anybody writes a text for it.
  await planText(place, name, 'text', action === 'create')
  const text = await textFor(io, values.from, name, action === 'edit' ? place : undefined)
  if (text === undefined)
    return answer(io, json, { action, name, written: false }, 'Nothing was changed.\n')
  const planned = await planText(place, name, text, action === 'create')
  const backup = dryRun ? undefined : await apply(planned)
  const sent = ownPart(cleanText(text))
  const part = asData(sent)
  const places = placeholdersIn(sent).map(asData)
  const undo = dryRun
    ? null
    : backup === undefined
      ? `{personality remove ${name} --confirm${project ? ' --project' : ''}}`
      : undoOf(
          backup,
          (file) => `edit ${name} --from ${shellWord(file, shellHere(io.env))}`,
          project,
        )
  const tokens = tokensOf(sent)
  const data = { action, name, file: planned.file, dryRun, written: !dryRun, tokens }
  const lines = [
    `${planned.file}: ${dryRun ? 'would be written' : 'written'}, about ${tokens} tokens with every request`,
    ...(places.length === 0 ? [] : [`Nothing fills these in: ${places.join(', ')}`]),
    ...(dryRun ? ['', part] : []),
    ...(action === 'create' && !dryRun ? [`In force with: {personality use ${name}}`] : []),
  ]
  return answer(
    io,
    json,
    { ...data, placeholders: places, backup: backup ?? null, undo, ...(dryRun && { part }) },
    `${lines.join('\n')}\n${undoLine(undo)}`,
  )
}

/** The text that is to be written; undefined when the user left it as it was. */
async function textFor(
  io: CommandIo,
  from: string | undefined,
  name: string,
  place: PersonalityFolder | undefined,
): Promise<string | undefined> {
  if (from !== undefined && from !== '-') {
    const file = givenPath(from, { directory: io.directory, home: contextAt(io).paths.home })
    const text = await readBoundedFile(file, MAX_CONFIG_BYTES)
    if (text !== undefined) return text
    throw new CodexError('invalid_input', `There is no file ${file}.`, {
      hint: 'Nothing was changed.',
    })
  }
  if (from === '-' || io.edit === undefined) {
    if (io.input !== undefined) return io.input(MAX_CONFIG_BYTES)
    throw new WrongUsage('There is no text to write.', 'Give it with --from FILE.')
  }
  const found = place === undefined ? undefined : await createPersonalityFiles([place]).find(name)
  const before = found?.kind === 'text' ? await readBoundedFile(found.file, MAX_CONFIG_BYTES) : ''
  return io.edit(name, before ?? '')
}

function apply(planned: PlannedText): Promise<string | undefined> {
  return applyText(planned, { stamp: backupStamp(Date.now()), copy: copyAtomic })
}

function undoOf(
  backup: string | undefined,
  command: (backup: string) => string,
  isProject: boolean,
): string | null {
  if (backup === undefined) return null
  return `{personality ${command(backup)}${isProject ? ' --project' : ''}}`
}

function undoLine(undo: string | null): string {
  return undo === null ? '' : `Undo: ${undo}\n`
}
