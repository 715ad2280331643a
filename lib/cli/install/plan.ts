import { type TemplateName, templateModelIds, templateModels } from '../../models/templates.js'

import type { JsonDocument } from '../../host-setup/json-document.js'
import { type EntryPlan, planInstall, planUninstall } from '../../host-setup/plugin-entries.js'

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

/**
 * Applies a plan to the `plugin` list of a document; creates the list when it is missing.
 * @throws CodexError `config_invalid` when `plugin` is something else than a list
 */
function applyEntryPlan(document: JsonDocument, plan: EntryPlan): JsonDocument {
  let result = document
  for (const { index, value } of plan.replace) result = result.set(['plugin', index], value)
  for (const index of plan.remove) result = result.set(['plugin', index], undefined)
  if (plan.append === undefined) return result
  const list = pluginList(result)
  return list.length === 0 && !result.has(['plugin'])
    ? result.set(['plugin'], [plan.append])
    : result.set(['plugin', list.length], plan.append)
}

/**
 * The `plugin` list of a document; empty when there is none.
 * @throws CodexError `config_invalid` when it is not a list
 */
export function pluginList(document: JsonDocument): readonly unknown[] {
  const value = document.value(['plugin'])
  if (value === undefined) return []
  if (Array.isArray(value)) return value
  throw document.problemAt(['plugin'], 'the key "plugin" must hold a list')
}
