import * as z from 'zod'

import { wordsOf } from './report.js'
import type { Setting } from './setting.js'
import { SETTINGS } from './settings.js'

const SCHEMA_URL = 'https://unpkg.com/oc-codex-multi-auth/config/codex-plugin.schema.json'

/** The JSON Schema of the configuration file, for completion in editors. */
export function configJsonSchema(): Record<string, unknown> {
  const properties: Record<string, unknown> = { $schema: { type: 'string' } }
  for (const [name, definition] of Object.entries(SETTINGS) as [string, Setting][]) {
    const { $schema: _dialect, ...schema } = z.toJSONSchema(definition.schema)
    properties[name] = { ...schema, default: definition.default, description: definition.help }
  }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: SCHEMA_URL,
    title: 'oc-codex-multi-auth',
    type: 'object',
    properties,
    additionalProperties: false,
  }
}

/** The settings as a Markdown table. */
export function configTable(): string {
  const rows = (Object.entries(SETTINGS) as [string, Setting][]).map(([name, definition]) => {
    const cells = [
      `\`${name}\``,
      typeOf(definition),
      `\`${JSON.stringify(definition.default)}\``,
      definition.env ? `\`${definition.env}\`` : '',
      wordsOf(definition),
      definition.help,
    ]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  return [
    '| setting | type | default | environment | in a project | what it does |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

const schemaShape = z.looseObject({
  type: z.string().optional(),
  enum: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
})

function typeOf(definition: Setting): string {
  const shape = schemaShape.parse(z.toJSONSchema(definition.schema))
  if (shape.enum) return shape.enum.map((value) => `\`${value}\``).join(' or ')
  const range =
    shape.minimum === undefined
      ? ''
      : shape.maximum === undefined
        ? `, at least ${shape.minimum}`
        : `, ${shape.minimum} to ${shape.maximum}`
  return `${shape.type ?? 'object'}${range}`
}
