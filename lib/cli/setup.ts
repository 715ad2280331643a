import { codexSetup, type SetupStep } from '../tools/setup/codex-setup.js'
import { installCommand } from './install/command.js'
import type { Command } from './io.js'
import type { MenuContext } from './menu/menu-context.js'
import { contextOf, toolCommand, withRuntime } from './tool-command.js'

const checklist = toolCommand(codexSetup)

/** What a step that is not done asks, and what a yes does. */
type Offer = { readonly question: string; readonly take: (menu: MenuContext) => Promise<void> }

/** `setup`: the checklist; on a terminal it also offers to do what is still to do. */
export const setupCommand: Command = {
  name: 'setup',
  summary: 'See what is set up and finish the rest.',
  takes: checklist.takes,
  async run(argv, io) {
    if (argv.length > 0 || !io.isInteractive) return checklist.run(argv, io)
    return withRuntime(io, async (runtime) => {
      const { openPrompts } = await import('./menu/prompts.js')
      const { sayError } = await import('./menu/menu-context.js')
      const prompts = await openPrompts(io)
      const refused = new Set<SetupStep['id']>()
      try {
        for (;;) {
          const data = await codexSetup.run(runtime, {}, contextOf(io))
          const view = { ...contextOf(io), nowMs: runtime.clock.now() }
          prompts.plain(`\n${codexSetup.render(data, view)}\n`)
          const open = data.steps.find(
            ({ id, done }) => !done && !refused.has(id) && OFFERS[id] !== undefined,
          )
          const offer = open === undefined ? undefined : OFFERS[open.id]
          if (open === undefined || offer === undefined) {
            prompts.say(
              data.ready ? 'done' : 'info',
              data.ready
                ? 'Ready: start opencode and choose a model with /models.'
                : 'The steps above show what is missing.',
            )
            return data.ready ? 0 : 1
          }
          const isWanted = await prompts.confirm(offer.question)
          if (prompts.hasLeft()) return 130
          // A step is offered once: what did not help would be asked for again and again.
          refused.add(open.id)
          if (isWanted === undefined) return data.ready ? 0 : 1
          if (isWanted)
            await offer
              .take({ runtime, io, prompts })
              .catch((error: unknown) => sayError(prompts, error))
          if (prompts.hasLeft()) return 130
        }
      } finally {
        prompts.close()
      }
    })
  },
}

async function signIn(menu: MenuContext): Promise<void> {
  const { signInByMenu } = await import('./menu/sign-in-menu.js')
  await signInByMenu(menu)
}

const OFFERS: Readonly<Partial<Record<SetupStep['id'], Offer>>> = {
  plugin: {
    question: 'Put the plugin into OpenCode’s configuration now?',
    take: async ({ io }) => {
      await installCommand.run([], io)
    },
  },
  account: { question: 'Sign in to a ChatGPT account now?', take: signIn },
  usable: {
    question: 'Open the accounts, to sign in again or to enable one?',
    take: async (menu) => {
      const { runMenu } = await import('./menu/menu.js')
      await runMenu(menu)
    },
  },
  spare: { question: 'Sign in to a second account, which takes over at a limit?', take: signIn },
}
