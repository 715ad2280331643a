import { dropUndefined } from '../kernel/drop-undefined.js'
import type { Takes } from '../kernel/shape.js'

import { wordsOf } from './report.js'
import type { Setting } from './setting.js'
import { SETTING_HELP } from './setting-help.js'
import { type SettingName, SETTINGS } from './settings.js'

const SCHEMA_URL = 'https://unpkg.com/oc-codex-multi-auth/config/codex-plugin.schema.json'

/** The JSON Schema of the configuration file, for completion in editors. */
export function configJsonSchema(): Record<string, unknown> {
  const properties: Record<string, unknown> = { $schema: { type: 'string' } }
  for (const [name, definition] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    properties[name] = {
      ...jsonSchemaOf(definition.schema.takes),
      default: definition.default,
      description: SETTING_HELP[name],
    }
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
  const rows = (Object.entries(SETTINGS) as [SettingName, Setting][]).map(([name, definition]) => {
    const cells = [
      `\`${name}\``,
      typeOf(definition.schema.takes),
      `\`${JSON.stringify(definition.default)}\``,
      definition.env ? `\`${definition.env}\`` : '',
      wordsOf(definition),
      SETTING_HELP[name],
    ]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  return [
    '| setting | type | default | environment | in a project | what it does |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

function typeOf(takes: Takes): string {
  if (takes.type === 'either') return takes.of.map(typeOf).join(' or ')
  if (takes.type === 'enum') return takes.values.map((value) => `\`${value}\``).join(' or ')
  if (takes.type === 'record') return 'object'
  if (takes.type !== 'number' && takes.type !== 'integer') return takes.type
  if (takes.min === undefined) return takes.type
  return takes.max === undefined
    ? `${takes.type}, at least ${takes.min}`
    : `${takes.type}, ${takes.min} to ${takes.max}`
}

/** What a setting takes as JSON Schema. */
export function jsonSchemaOf(takes: Takes): Record<string, unknown> {
  switch (takes.type) {
    case 'other':
      return {}
    case 'boolean':
      return { type: 'boolean' }
    case 'string':
      return dropUndefined({ type: 'string', pattern: takes.pattern?.source })
    case 'number':
    case 'integer':
      return dropUndefined({ type: takes.type, minimum: takes.min, maximum: takes.max })
    case 'enum':
      return takes.alsoToggle === true
        ? { enum: [...takes.values, true, false] }
        : { type: 'string', enum: takes.values }
    case 'array':
      return { type: 'array', items: jsonSchemaOf(takes.of) }
    case 'either':
      return { anyOf: takes.of.map(jsonSchemaOf) }
    case 'record':
      return {
        type: 'object',
        propertyNames: { type: 'string' },
        additionalProperties: jsonSchemaOf(takes.of),
      }
    case 'object':
      return {
        type: 'object',
        properties: Object.fromEntries(
          Object.entries(takes.fields).map(([name, field]) => [name, jsonSchemaOf(field)]),
        ),
        additionalProperties: false,
      }
  }
}
