import { type TemplateName, templateModelIds, templateModels } from '../../models/templates.js'

import { type JsonDocument, applyEntryPlan, pluginList } from './edit.js'
import { planInstall, planUninstall } from '../../host-setup/plugin-entries.js'

/** What to put into the configuration: our entry only, or the models of a template too. */
export type InstallMode = 'plugin-only' | Exclude<TemplateName, 'minimal'>

const MODELS = ['provider', 'openai', 'models'] as const

/** The host configuration with our plugin entry and, by mode, the template's models. Pure. */
export function installed(document: JsonDocument, mode: InstallMode): JsonDocument {
  const withEntry = applyEntryPlan(
    withSchema(document, 'https://opencode.ai/config.json'),
    planInstall(pluginList(document)),
  )
  return mode === 'plugin-only' ? withEntry : withModels(withEntry, mode)
}

/** The TUI configuration with our plugin entry. Pure. */
export function installedTui(document: JsonDocument): JsonDocument {
  return applyEntryPlan(
    withSchema(document, 'https://opencode.ai/tui.json'),
    planInstall(pluginList(document)),
  )
}

/** The configuration without our entries; the user's models stay, also those a template brought. Pure. */
export function uninstalled(document: JsonDocument): JsonDocument {
  return applyEntryPlan(document, planUninstall(pluginList(document)))
}

/** A new file gets the schema for its editor; an existing one is the user's. */
function withSchema(document: JsonDocument, url: string): JsonDocument {
  return document.text.replace('\uFEFF', '').trim() === '{}'
    ? document.set(['$schema'], url)
    : document
}

/**
 * Adds the template's models. An entry that the user changed or wrote wins over the template; models of another template
 * of ours are removed only while they are exactly what that template wrote.
 */
function withModels(document: JsonDocument, mode: TemplateName): JsonDocument {
  const wanted = templateModels(mode)
  const ours = templateModels('full')
  const present = document.value(MODELS)
  let result = document
  if (typeof present === 'object' && present !== null) {
    for (const [id, value] of Object.entries(present)) {
      const stale = templateModelIds().has(id) && !(id in wanted) && same(value, ours[id])
      if (stale) result = result.set([...MODELS, id], undefined)
    }
  }
  for (const [id, entry] of Object.entries(wanted)) {
    if (!result.has([...MODELS, id])) result = result.set([...MODELS, id], entry)
  }
  return result
}

function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}

/** One changed place of a document, without values: a dry run must not print what the user keeps in there. */
export interface ChangedPath {
  readonly kind: 'added' | 'removed' | 'changed'
  readonly path: string
}

/** The places in which two documents differ, as `$.a.b`. Pure. */
export function changedPaths(before: JsonDocument, after: JsonDocument): ChangedPath[] {
  return compare('$', before.value([]), after.value([]))
}

function compare(path: string, before: unknown, after: unknown): ChangedPath[] {
  if (same(before, after)) return []
  if (!isObject(before) || !isObject(after)) return [{ kind: 'changed', path }]
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return keys.flatMap((key): ChangedPath[] => {
    const inner = `${path}.${key}`
    if (!(key in before)) return [{ kind: 'added', path: inner }]
    if (!(key in after)) return [{ kind: 'removed', path: inner }]
    return compare(inner, before[key], after[key])
  })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
