import { WrongUsage } from '../../kernel/errors.js'
import { resolvePaths } from '../../kernel/files/paths.js'
import { defineCommand, type OptionValues, jsonText } from '../command.js'
import type { CommandIo } from '../io.js'

import { uninstallSkill } from '../personality/skill-commands.js'
import type { FileChange } from '../../host-setup/file-change.js'
import { carryOut, clearCache, type Edits, planEdits } from './edits.js'
import { type InstallMode, installed, installedTui, uninstalled } from './plan.js'

const COMMON_OPTIONS = {
  'dry-run': { type: 'boolean' },
  'no-cache-clear': { type: 'boolean' },
  'config-path': { type: 'string', of: { kind: 'file' } },
} as const

const COMMON_HELP = `  --dry-run           show what would change, without values; write nothing
  --json              print the result as JSON
  --no-cache-clear    keep the copy OpenCode has installed
  --config-path FILE  edit this OpenCode configuration instead of the usual one
  -h, --help          this text
`

/** `install`: puts the plugin into OpenCode's configuration. */
export const installCommand = defineCommand({
  name: 'install',
  summary: 'Put the plugin into the OpenCode configuration (the default command).',
  help: `Usage: oc-codex-multi-auth install [options]

Adds the plugin to opencode.json and tui.json. Your comments, order and entries are kept.

  --plugin-only       the plugin entries only (the default)
  --modern            and one model entry per model, efforts as variants
  --legacy            and one model entry per model and effort, for old hosts and scripts
  --full              both kinds of model entries
${COMMON_HELP}`,
  options: {
    ...COMMON_OPTIONS,
    'plugin-only': { type: 'boolean' },
    modern: { type: 'boolean' },
    full: { type: 'boolean' },
    legacy: { type: 'boolean' },
  },
  async run(values, io) {
    const modes = (['plugin-only', 'modern', 'full', 'legacy'] as const).filter(
      (mode) => values[mode] === true,
    )
    if (modes.length > 1)
      throw new WrongUsage(`Choose one of ${modes.map((mode) => `--${mode}`).join(', ')}.`)
    const mode: InstallMode = modes[0] ?? 'plugin-only'
    return runOnConfig(io, values, {
      action: 'install',
      server: (document) => installed(document, mode),
      tui: installedTui,
      next: 'Next: {setup}',
    })
  },
})

/** `uninstall`: takes the plugin out of OpenCode's configuration; accounts and models stay. */
export const uninstallCommand = defineCommand({
  name: 'uninstall',
  summary: 'Take the plugin out of the OpenCode configuration; accounts stay.',
  help: `Usage: oc-codex-multi-auth uninstall [options]

Removes the plugin entries. Your accounts in ~/.opencode stay; so do model entries.

${COMMON_HELP}`,
  options: COMMON_OPTIONS,
  run: (values, io) =>
    runOnConfig(io, values, {
      action: 'uninstall',
      server: uninstalled,
      tui: uninstalled,
      next: 'Your accounts are still in ~/.opencode.',
    }),
})

/** `update`: lets OpenCode fetch the newest version at its next start. */
export const updateCommand = defineCommand({
  name: 'update',
  summary: 'Let OpenCode fetch the newest version at its next start.',
  help: 'Usage: oc-codex-multi-auth update [--dry-run] [--json]\n\nRemoves the copy OpenCode has installed: it never looks for a newer one.\n',
  options: { 'dry-run': { type: 'boolean' } },
  async run({ 'dry-run': dryRun = false, json }, io) {
    const copies = await clearCache(resolvePaths(io.env), dryRun)
    if (json) io.stdout(jsonText({ action: 'update', dryRun, removed: copies }, 2))
    else
      io.stdout(
        copies.length === 0
          ? 'OpenCode has no copy of the plugin: it fetches the newest at its next start.\n'
          : `${describeCopies(copies, dryRun)}OpenCode fetches the newest version at its next start.\n`,
      )
    return 0
  },
})

async function runOnConfig(
  io: CommandIo,
  values: OptionValues<typeof COMMON_OPTIONS>,
  plan: Edits & { readonly action: 'install' | 'uninstall'; readonly next: string },
): Promise<number> {
  const dryRun = values['dry-run'] === true
  const paths = resolvePaths(io.env)
  const planned = await planEdits(paths, io.env, plan, values['config-path'])
  const changes = dryRun
    ? planned.map(({ file, changes: places }) => ({ file, changes: places }))
    : await carryOut(planned)
  const removed = values['no-cache-clear'] === true ? [] : await clearCache(paths, dryRun)
  const skill = plan.action === 'uninstall' ? await uninstallSkill(paths, io.env, dryRun) : ''
  const told = skill === '' ? {} : { skill: skill.trim() }
  if (values.json)
    io.stdout(jsonText({ action: plan.action, dryRun, files: changes, removed, ...told }, 2))
  else io.stdout(`${skill}${describe(changes, removed, dryRun, plan.next)}`)
  return 0
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const

function describe(
  changes: readonly FileChange[],
  removed: readonly string[],
  dryRun: boolean,
  next: string,
): string {
  const lines = changes.flatMap(({ file, changes: places, backup }) => {
    if (places.length === 0) return [`${file}: nothing to change`]
    return [
      `${file}: ${dryRun ? 'would change' : 'changed'}`,
      ...places.map(({ kind, path }) => `  ${SIGNS[kind]} ${path}`),
      ...(backup === undefined ? [] : [`  as it was: ${backup}`]),
    ]
  })
  return `${lines.join('\n')}\n${describeCopies(removed, dryRun)}${next}\n`
}

function describeCopies(copies: readonly string[], dryRun: boolean): string {
  return copies.map((copy) => `${dryRun ? 'would remove' : 'removed'} ${copy}\n`).join('')
}
