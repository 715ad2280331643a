import { codexList } from '../tools/daily/codex-list.js'
import { askTool } from '../tools/run-tool.js'
import { defineCommand, jsonText } from './command.js'
import { contextOf, withRuntime } from './tool-command.js'

const HELP = `Usage: oc-codex-multi-auth accounts [options]

A menu of the accounts: see what is left, switch, pin, enable, label, sign in, remove and undo. Without a terminal it
prints the list.

  --json     print the list as JSON, without the menu
  --help     show this text

Exit code: 0 done, 1 failed, 2 wrong usage, 130 left by Ctrl-C.
`

const HINT =
  'In a terminal, {accounts} is a menu; each of its actions is a command too: {help --help}'

/** `accounts`. */
export const accountsCommand = defineCommand({
  name: 'accounts',
  summary: 'Manage the accounts in a menu.',
  help: HELP,
  options: {},
  async run({ json = false }, io) {
    return withRuntime(io, async (runtime) => {
      if (io.isInteractive && !json) {
        const [{ openPrompts }, { runMenu }] = await Promise.all([
          import('./menu/prompts.js'),
          import('./menu/menu.js'),
        ])
        const prompts = await openPrompts(io)
        try {
          return await runMenu({ runtime, io, prompts })
        } finally {
          prompts.close()
        }
      }
      const result = await askTool(codexList, runtime, { ...contextOf(io), args: {} })
      const text = result.toned(contextOf(io).width, runtime.clock.now())
      io.stdout(json ? jsonText(result.data, 2) : `${text}\n\n${HINT}\n`)
      return 0
    })
  },
})
