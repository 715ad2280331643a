import { resolvePaths } from '../../kernel/files/paths.js'
import type { Runtime } from '../../runtime.js'
import { codexSetup } from '../../tools/setup/codex-setup.js'
import { askTool } from '../../tools/run-tool.js'
import { defineCommand, jsonText } from '../command.js'
import { carryOut, clearCache, INSTALL, planEdits } from '../install/edits.js'
import type { CommandIo } from '../io.js'
import { contextOf, withRuntime } from '../tool-command.js'

const HELP = `Usage: oc-codex-multi-auth setup [options]

Walks from nothing to the first answer: finds OpenCode, puts the plugin into its configuration, signs in, offers a second
account and sends a test prompt. It asks before each step, can be left at every question and run again at any time; what
is done is not done twice. Without a terminal, or with --json, it shows what is done and what is left.

  --yes      put the plugin into the configuration without asking; show the rest
  --json     print the steps as JSON
  --help     show this text

Exit code: 0 everything needed is there, or only shown; 1 something is left, 2 wrong usage, 130 left by Ctrl-C.
`

/** `setup`. */
export const setupCommand = defineCommand({
  name: 'setup',
  summary: 'Walk from nothing to the first answer; run it again at any time.',
  help: HELP,
  options: { yes: { type: 'boolean' } },
  async run({ yes: isYes = false, json = false }, io) {
    if (isYes) await writeConfiguration(io)
    return withRuntime(io, async (runtime) => {
      if (!io.isInteractive || json || isYes) return checklist(runtime, io, json)
      const [{ openPrompts }, { runWalk }] = await Promise.all([
        import('../menu/prompts.js'),
        import('../menu/setup-walk.js'),
      ])
      const prompts = await openPrompts(io)
      try {
        return await runWalk({ runtime, io, prompts })
      } finally {
        prompts.close()
      }
    })
  },
})

/** What was written is told beside the result: who asked for JSON reads that alone. */
async function writeConfiguration(io: CommandIo): Promise<void> {
  const paths = resolvePaths(io.env)
  const planned = await planEdits(paths, io.env, INSTALL)
  const isNew = planned.some(({ changes }) => changes.length > 0)
  for (const { file, changes, backup } of await carryOut(planned))
    if (changes.length > 0)
      io.stderr(`${file}: changed${backup === undefined ? '' : `; as it was: ${backup}`}\n`)
  if (isNew) await clearCache(paths, false)
}

async function checklist(runtime: Runtime, io: CommandIo, json: boolean): Promise<number> {
  const result = await askTool(codexSetup, runtime, { ...contextOf(io), args: {} })
  const { ready } = result.data as { readonly ready: boolean }
  if (json) {
    io.stdout(jsonText(result.data, 2))
    return 0
  }
  const text = result.toned(contextOf(io).width, runtime.clock.now())
  const next = ready
    ? 'Ready: start opencode and choose a model with /models.'
    : 'On a terminal, {setup} does the rest with you.'
  io.stdout(`${text}\n\n${next}\n`)
  return 0
}
