import { canServe } from '../../account-view/state.js'
import { MANAGED_MARKER } from '../../login/managed-entry.js'
import { readTextFile } from '../../kernel/files/json-file.js'
import { viewsOf } from '../account-rows.js'
import { defineTool } from '../definition.js'
import { pluginEntry } from '../diagnostics/doctor-host.js'

export interface SetupStep {
  readonly id: 'plugin' | 'account' | 'usable' | 'spare' | 'host-login' | 'config'
  readonly step: string
  readonly done: boolean
  /** What to do when it is not. */
  readonly action: string
}

export const codexSetup = defineTool({
  name: 'setup',
  group: 'Setup and help',
  summary: 'Show what is set up and what is still to do.',
  risk: 'read',
  args: {},
  async run(runtime) {
    const pool = await runtime.store.read()
    const auth = (await readTextFile(runtime.paths.hostAuthFile).catch(() => undefined))?.text ?? ''
    // A limit passes by itself and is nothing to set up.
    const usable = viewsOf(runtime, pool).filter(
      ({ state }) => canServe(state) || 'untilMs' in state,
    )
    const isNamed = (await pluginEntry(runtime)).every(
      ({ id, severity }) => id !== 'plugin-entry' || severity === 'ok',
    )
    const steps: SetupStep[] = [
      {
        id: 'plugin',
        step: 'OpenCode’s configuration names this plugin',
        done: isNamed,
        action: 'Run: {install}',
      },
      {
        id: 'account',
        step: 'An account is signed in',
        done: pool.accounts.length > 0,
        action: 'Run: {login}',
      },
      {
        id: 'usable',
        step: 'An account can be used',
        done: usable.length > 0,
        action: 'See what to do: {next}',
      },
      {
        id: 'spare',
        step: 'A second account is there to take over',
        done: usable.length > 1,
        action: 'Optional: run {login} once more',
      },
      {
        id: 'host-login',
        step: 'OpenCode hands openai to this plugin',
        done: auth.includes(MANAGED_MARKER),
        action: 'Start OpenCode once, or run: {login}',
      },
      {
        id: 'config',
        step: 'The configuration is valid',
        done: runtime.loaded.problems.length === 0,
        action: 'See: {config}',
      },
    ]
    return {
      steps,
      ready: steps.every(({ done, action }) => done || action.startsWith('Optional')),
    }
  },
  render: (data) =>
    data.steps
      .map(
        ({ step, done, action }) =>
          `${done ? '[x]' : '[ ]'} ${step}${done ? '' : `\n    ${action}`}`,
      )
      .join('\n'),
})
