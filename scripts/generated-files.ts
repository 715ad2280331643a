import { ERROR_TABLE } from '../lib/kernel/errors.js'
import { configJsonSchema, configTable } from '../lib/config/published.js'
import { templateConfig } from '../lib/models/templates.js'

/** A part of a file between two markers, or a whole file, that is made from code. */
export interface Generated {
  readonly path: string
  readonly text: string
  /** Replace only what stands between `<!-- generated:NAME -->` and `<!-- /generated:NAME -->`. */
  readonly marker?: string
}

const TEMPLATES = [
  ['modern', 'opencode-modern.json'],
  ['legacy', 'opencode-legacy.json'],
  ['full', 'opencode-full.json'],
  ['minimal', 'minimal-opencode.json'],
] as const

/** Everything that `npm run generate` writes. */
export function generatedFiles(): Generated[] {
  return [
    { path: 'config/codex-plugin.schema.json', text: `${JSON.stringify(configJsonSchema(), null, 2)}\n` },
    ...TEMPLATES.map(([name, file]) => ({ path: `config/${file}`, text: `${JSON.stringify(templateConfig(name), null, 2)}\n` })),
    { path: 'docs/configuration.md', marker: 'settings', text: configTable() },
    { path: 'docs/troubleshooting.md', marker: 'errors', text: errorRows() },
  ]
}

function errorRows(): string {
  return Object.entries(ERROR_TABLE)
    .map(([code, { meaning, hint }]) => `| \`${code}\` | ${meaning} | ${hint} |`)
    .join('\n')
}
