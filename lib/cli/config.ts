import { parseBaseUrl } from '../oauth/base-url.js'
import { resolveConfig } from '../config/load.js'
import {
  originOf,
  settingNamed,
  type SettingRow,
  settingRows,
  settingValue,
} from '../config/report.js'
import { projectRefusal } from '../config/project-values.js'
import type { ConfigProblem } from '../config/resolve.js'
import type { Setting } from '../config/setting.js'
import { isSettingName } from '../config/setting-names.js'
import { SETTINGS } from '../config/settings.js'
import { CodexError, WrongUsage } from '../kernel/errors.js'
import { resolvePaths } from '../kernel/files/paths.js'
import { redactText } from '../kernel/text/redact.js'
import { renderTable } from '../kernel/text/table.js'
import { configFiles } from '../runtime-config.js'
import { applyChange, backupStamp, planChange } from '../host-setup/file-change.js'
import { defineCommand, jsonText } from './command.js'
import { checkConfig } from './config-check.js'
import type { CommandIo, Values } from './io.js'

const HELP = `Usage: oc-codex-multi-auth config [NAME]
       oc-codex-multi-auth config set NAME VALUE [options]
       oc-codex-multi-auth config unset NAME [options]
       oc-codex-multi-auth config check [--json]

Shows every setting, or one, with its value and where that came from: the environment, the project's file, your file, or
the default. A project's file may make some settings stricter: the column "In a project" says which. set and unset edit
your file; comments and formatting stay, and the file as it was is kept beside it. check says what is wrong with them, and what
becomes here of every setting, variable and file of opencode-codex-auth that is on this machine.

  --project  edit the project's file instead of yours
  --dry-run  show what would change and write nothing
  --json     print JSON
  --help     show this text

Exit code: 0 done, 1 failed, a value is wrong or (check) something is not supported, 2 wrong usage.
`

/** `config`. */
export const configCommand = defineCommand({
  name: 'config',
  summary:
    'Show the settings and where each comes from; set and unset change them, check looks for what does not count.',
  help: HELP,
  options: { project: { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
  takesWords: nextWord,
  async run({ project: isProject = false, 'dry-run': dryRun = false, json = false }, io, words) {
    const [first, ...rest] = words
    if (first !== 'set' && first !== 'unset') {
      if (rest.length > 0) throw wrongUsage('config takes at most one name')
      if (isProject || dryRun) throw wrongUsage('--project and --dry-run need set or unset')
      if (first === 'check') {
        const { problems } = current(io)
        return checkConfig(io, problems, problems.map(problemLine), json)
      }
      return show(io, first, json)
    }
    if (first === 'set' && rest.length !== 2)
      throw wrongUsage('config set takes a name and a value')
    if (first === 'unset' && rest.length !== 1) throw wrongUsage('config unset takes a name')
    const [name = '', text] = rest
    return edit(io, name, text, { isProject, dryRun, json })
  },
})

function nextWord([first, name, ...rest]: readonly string[]): readonly Values[] {
  if (first === undefined)
    return [{ kind: 'words', words: ['set', 'unset', 'check'] }, { kind: 'setting' }]
  if (name === undefined) return first === 'set' || first === 'unset' ? [{ kind: 'setting' }] : []
  if (first !== 'set' || rest.length > 0 || !isSettingName(name)) return []
  const { schema }: Setting = SETTINGS[name]
  if (schema.takes.type === 'boolean') return [{ kind: 'words', words: ['true', 'false'] }]
  return schema.takes.type === 'enum' ? [{ kind: 'words', words: schema.takes.values }] : []
}

function wrongUsage(what: string): WrongUsage {
  return new WrongUsage(`${what}.`, 'Help: {config --help}')
}

function show(io: CommandIo, name: string | undefined, json: boolean): number {
  const shown = current(io)
  const only = name === undefined ? undefined : settingNamed(name)
  const settings = shown.settings.filter((row) => only === undefined || row.name === only)
  const problems = shown.problems.filter(
    (problem) => only === undefined || problem.key === undefined || problem.key === only,
  )
  const [one] = settings
  if (json) io.stdout(jsonText({ ...shown, settings, problems }, 2))
  else
    io.stdout(
      `${only !== undefined && one !== undefined ? detail(one) : table(settings, io.columns)}${problems.map(problemLine).join('')}`,
    )
  return problems.length === 0 ? 0 : 1
}

/** @param text undefined to take the setting out, which is also the way to be rid of a key that means nothing */
async function edit(
  io: CommandIo,
  given: string,
  text: string | undefined,
  { isProject, dryRun, json }: Readonly<Record<'isProject' | 'dryRun' | 'json', boolean>>,
): Promise<number> {
  const name = text === undefined ? given : settingNamed(given)
  const value = text === undefined ? undefined : settingValue(settingNamed(given), text)
  if (name === 'baseUrl' && typeof value === 'string' && value !== '')
    parseBaseUrl(value, 'this command')
  const { userFile, projectFile } = configFiles(resolvePaths(io.env), io.directory)
  const file = isProject ? projectFile?.path : userFile.path
  if (file === undefined)
    throw new CodexError('invalid_input', `${io.directory} is in no project.`, {
      hint: 'Nothing was changed.',
    })
  const refusal =
    isProject && value !== undefined
      ? projectRefusal(settingNamed(name), value, resolveConfig({ env: {}, userFile }).config)
      : undefined
  if (refusal !== undefined)
    throw new CodexError('invalid_input', `${name}: ${refusal}`, { hint: 'Nothing was changed.' })
  const planned = await planChange(file, (document) =>
    value === undefined && !document.has([name]) ? document : document.set([name], value),
  )
  const change = dryRun
    ? { file, changes: planned.changes }
    : await applyChange(planned, backupStamp(Date.now()))
  const row = current(io).settings.find((one) => one.name === name)
  if (json) {
    io.stdout(jsonText({ ...change, dryRun, inForce: row ?? null }, 2))
    return 0
  }
  const done =
    change.changes.length === 0
      ? 'nothing to change'
      : `${name} ${dryRun ? 'would change' : 'changed'}`
  const backup = 'backup' in change ? `As it was: ${change.backup}\n` : ''
  io.stdout(
    `${file}: ${done}\n${backup}${dryRun || row === undefined ? '' : `In force: ${detail(row)}`}`,
  )
  return 0
}

function current(io: CommandIo) {
  const files = configFiles(resolvePaths(io.env), io.directory)
  const loaded = resolveConfig({ env: io.env, ...files })
  const problems = loaded.problems.map((problem) => ({
    ...problem,
    ...(problem.key !== undefined && { key: redactText(problem.key) }),
  }))
  return {
    files: { user: files.userFile.path, project: files.projectFile?.path ?? null },
    settings: settingRows(loaded),
    problems,
  }
}

function table(rows: readonly SettingRow[], columns: number | undefined): string {
  const text = renderTable(
    rows,
    [
      { title: 'Setting', value: (row) => row.name },
      { title: 'Value', value: (row) => valueText(row.value) },
      { title: 'From', value: originOf },
      { title: 'In a project', value: (row) => row.project, priority: 1 },
    ],
    columns ?? Number.POSITIVE_INFINITY,
  )
  return `${text}\n`
}

function detail(row: SettingRow): string {
  const env = row.env === null ? '' : `, environment ${row.env}`
  return `${row.name} = ${valueText(row.value)} (${originOf(row)})\n${row.help}\nDefault: ${valueText(row.default)}${env}\nIn a project’s file: ${row.project}\n`
}

function valueText(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value)
}

function problemLine({ where, line, key, message }: ConfigProblem): string {
  const place = line === undefined ? where : `${where}:${line}`
  return `\n${[place, key].filter((part) => part !== undefined).join(' ')}: ${message}\n`
}
