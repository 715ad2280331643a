import * as z from 'zod'

import { ERROR_TABLE } from '../lib/kernel/errors.js'
import { commandsIn } from '../lib/kernel/text/command-words.js'
import { configJsonSchema, configTable } from '../lib/config/published.js'
import { TOOL_GROUPS } from '../lib/tools/definition.js'
import type { AnyTool } from '../lib/tools/definition.js'
import { hostArgs, profileCost, toolsOfProfile } from '../lib/tools/profiles.js'
import { codexPersonality } from '../lib/tools/setup/codex-personality.js'
import { TOOLS } from '../lib/tools/index.js'
import { templateConfig } from '../lib/models/templates.js'
import { inGeneral } from '../lib/transfer/foreign-settings/judge.js'
import { FOREIGN_FILES } from '../lib/transfer/foreign-settings/file-table.js'
import {
  FOREIGN_ENV,
  FOREIGN_KEYS,
  type ForeignName,
} from '../lib/transfer/foreign-settings/table.js'
import type { FailureRow } from '../lib/request/failures/failure-row.js'
import { FAILURES, type FailureTable } from '../lib/request/failures/failures.js'

/** A part of a file between two markers, or a whole file, that is made from code. */
export interface Generated {
  readonly path: string
  readonly text: string
  /** Replace only what stands between `<!-- generated:NAME -->` and `<!-- /generated:NAME -->`. */
  readonly marker?: string
}

const MIGRATING = 'docs/migrating-from-opencode-codex-auth.md'

const TEMPLATES = [
  ['modern', 'opencode-modern.json'],
  ['legacy', 'opencode-legacy.json'],
  ['full', 'opencode-full.json'],
  ['minimal', 'minimal-opencode.json'],
] as const

/** Everything that `npm run generate` writes. */
export function generatedFiles(): Generated[] {
  return [
    {
      path: 'config/codex-plugin.schema.json',
      text: `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
    },
    ...TEMPLATES.map(([name, file]) => ({
      path: `config/${file}`,
      text: `${JSON.stringify(templateConfig(name), null, 2)}\n`,
    })),
    { path: 'lib/slash-commands/tool-list.ts', text: toolList() },
    { path: 'lib/tools/model-tools.ts', text: modelTools() },
    { path: 'docs/tools.md', marker: 'tools', text: toolTables() },
    { path: 'docs/tools.md', marker: 'profiles', text: profileRows() },
    { path: 'docs/configuration.md', marker: 'settings', text: configTable() },
    { path: MIGRATING, marker: 'keys', text: foreignKeyRows() },
    { path: MIGRATING, marker: 'variables', text: foreignNameRows('variable', FOREIGN_ENV) },
    { path: MIGRATING, marker: 'files', text: foreignNameRows('file', FOREIGN_FILES) },
    { path: 'docs/troubleshooting.md', marker: 'errors', text: errorRows() },
    { path: 'docs/development/FAILOVER.md', marker: 'failures', text: failureRows(FAILURES) },
  ]
}

function foreignKeyRows(): string {
  const rows = FOREIGN_KEYS.map(({ key, env = [], becomes }) => {
    const names = env.map((name) => `\`${name}\``).join(', ')
    return `| \`${key}\` | ${names} | ${commandsIn(inGeneral(becomes), 'terminal')} |`
  })
  return ['| its key | its variable | here |', '| --- | --- | --- |', ...rows].join('\n')
}

function foreignNameRows(title: string, names: readonly ForeignName[]): string {
  const rows = names.map(
    ({ name, becomes }) => `| \`${name}\` | ${commandsIn(inGeneral(becomes), 'terminal')} |`,
  )
  return [`| its ${title} | here |`, '| --- | --- |', ...rows].join('\n')
}

function errorRows(): string {
  return Object.entries(ERROR_TABLE)
    .map(
      ([code, { meaning, hint }]) =>
        `| \`${code}\` | ${meaning} | ${commandsIn(hint, 'terminal')} |`,
    )
    .join('\n')
}

/** The failures of an attempt, from how they are recognised to what the user reads. */
export function failureRows(table: FailureTable): string {
  const rows = Object.entries(table).map(([kind, row]) => {
    const { next, block, blockOnLeave } = row
    const budget = next.budget === undefined ? '' : ` (\`${next.budget}\`)`
    const blocks = [block?.words, blockOnLeave && `${blockOnLeave.words}, once it is left`]
    return [
      `\`${kind}\`: ${row.summary}`,
      recognisedBy(row),
      `${next.words}${budget}`,
      blocks.filter((words) => words !== undefined).join('; ') || 'nothing',
      row.blame,
      `\`${row.error}\`; the host ${row.host === undefined ? 'shows it' : 'compacts the session'}`,
    ].join(' | ')
  })
  return [
    'Failure | Recognised by | What follows (budget) | Blocked | To blame | Error',
    '--- | --- | --- | --- | --- | ---',
    ...rows,
  ]
    .map((row) => `| ${row} |`)
    .join('\n')
}

function recognisedBy({ codes, codePattern, statuses, sentence, thrown }: FailureRow): string {
  const words = [
    codes && `code ${codes.map((code) => `\`${code}\``).join(', ')}`,
    codePattern && 'a code that ends in `_policy` or `_policy_violation`',
    sentence && 'its sentence',
    statuses && `status ${statuses.join(', ')}`,
    thrown && 'what `fetch` threw',
  ].filter((part) => part !== undefined)
  return words.length === 0 ? 'the stream' : words.join('; ')
}

/** Names and summaries alone: the host reads them at every start, when no schema is loaded yet. */
function toolList(): string {
  const summaries = TOOLS.map(({ name, summary }) => `  ${name}: ${quoted(summary)},`)
  const risks = TOOLS.filter(({ risk }) => risk !== 'read').map(
    ({ name, risk }) => `  ${name}: ${quoted(risk)},`,
  )
  return `/** Written by \`npm run generate\` from lib/tools. */\nexport const TOOL_SUMMARIES: Readonly<Record<string, string>> = {\n${summaries.join('\n')}\n}\n\n/** What the tools that do more than look can come to. */\nexport const TOOL_RISKS: Readonly<Record<string, 'edit' | 'spend' | 'secret' | 'destroy'>> = {\n${risks.join('\n')}\n}\n`
}

/** What the model is told, without what it takes to run it: the host asks for it with its first prompt, and waits. */
function modelTools(): string {
  const told = (tool: AnyTool): string => {
    const { name, summary, risk, core } = tool
    const { properties = {}, required = [] } = z.toJSONSchema(z.object(hostArgs(tool)), {
      io: 'input',
    })
    return JSON.stringify({ name, summary, risk, core, args: properties, required })
  }
  return `import type { ModelTool } from './host-tools.js'\n\n/** Written by \`npm run generate\` from the tools of this folder, with their arguments as JSON Schemas. */\nexport const MODEL_TOOLS: readonly ModelTool[] = [${TOOLS.map(told).join(',')}]\n\n/** Offered by a setting of its own. */\nexport const PERSONALITY_TOOL: ModelTool = ${told(codexPersonality)}\n`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`
}

function toolTables(): string {
  return TOOL_GROUPS.map((group) => {
    const rows = TOOLS.filter((tool) => tool.group === group).map((tool) => {
      const args = Object.keys(tool.args as Record<string, unknown>)
        .map((name) => `\`${name}\`${tool.userOnly?.includes(name) === true ? '*' : ''}`)
        .join(', ')
      return `| \`codex-${tool.name}\` | ${tool.summary} | ${tool.risk} | ${args === '' ? '–' : args} |`
    })
    return `### ${group}\n\n| Tool | What it does | At worst | Arguments |\n| --- | --- | --- | --- |\n${rows.join('\n')}`
  }).join('\n\n')
}

function profileRows(): string {
  return (['off', 'core', 'full'] as const)
    .map((profile) => {
      const tools = toolsOfProfile(profile)
      const names =
        tools.length === 0 ? 'none' : tools.map(({ name }) => `\`codex-${name}\``).join(', ')
      return `| \`${profile}\` | ${names} | ${profileCost(profile).bytes} |`
    })
    .join('\n')
}
