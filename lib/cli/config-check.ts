import type { ConfigProblem } from '../config/resolve.js'
import { SETTINGS } from '../config/settings.js'
import type { Setting } from '../config/setting.js'
import { resolvePaths } from '../kernel/files/paths.js'
import { counted } from '../kernel/text/plural.js'
import { type Shell, shellHere, shellWord } from '../kernel/text/shell-quote.js'
import { renderTable } from '../kernel/text/table.js'
import { type ForeignFinding, foreignFindings } from '../transfer/foreign-settings/read.js'
import { jsonText } from './command.js'
import type { CommandIo } from './io.js'

const STATUS_WORDS: Readonly<Record<ForeignFinding['status'], string>> = {
  setting: 'has a setting',
  same: 'so here too',
  elsewhere: 'elsewhere',
  unsupported: 'not supported',
}

/**
 * What is wrong with our own configuration, and what becomes of everything of opencode-codex-auth that is on this machine.
 * @param own problems of our own configuration
 */
export function checkConfig(
  io: CommandIo,
  own: readonly ConfigProblem[],
  ownLines: readonly string[],
  json: boolean,
): number {
  const { file, found, problems } = foreignFindings({ env: io.env, paths: resolvePaths(io.env) })
  const unsupported = found.filter(({ status }) => status === 'unsupported').length
  const isGood = own.length + problems.length + unsupported === 0
  if (json) {
    const result = {
      problems: own,
      opencodeCodexAuth: { file: file ?? null, found, problems, unsupported },
    }
    io.stdout(jsonText(result, 2))
    return isGood ? 0 : 1
  }
  const table = renderTable(
    found,
    [
      { title: 'Of opencode-codex-auth', value: placeOf },
      { title: 'Here', value: ({ status }) => STATUS_WORDS[status] },
      { title: 'What becomes of it', value: (finding) => adviceOf(finding, shellHere(io.env)) },
    ],
    io.columns ?? Number.POSITIVE_INFINITY,
  )
  const lines = [
    own.length === 0 ? 'Every setting is valid.' : '',
    ...ownLines.map((line) => line.trim()),
    ...(found.length === 0
      ? ['Nothing of opencode-codex-auth is here.']
      : [table, `${counted(unsupported, 'thing')} of opencode-codex-auth not supported here.`]),
    ...problems,
  ]
  io.stdout(`${lines.filter((line) => line !== '').join('\n')}\n`)
  return isGood ? 0 : 1
}

function placeOf({ kind, name, line }: ForeignFinding): string {
  switch (kind) {
    case 'key':
      return `${name} (line ${line ?? 1})`
    case 'variable':
      return `${name} in the environment`
    case 'file':
      return `the file ${name}`
  }
}

function adviceOf({ kind, says, setting, value }: ForeignFinding, shell: Shell): string {
  if (setting === undefined) return says
  const { env }: Setting = SETTINGS[setting]
  const text = String(value)
  if (kind === 'key') return `${says} ({import --from opencode-codex-auth} takes it over)`
  return env === undefined
    ? `{config set ${setting} ${shellWord(text, shell)}}`
    : `Set ${env}=${text} in its place.`
}
