import { hostProgram, hostVersion, runHost } from '../../host-setup/run-host.js'
import { OLDEST_HOST, UPGRADE_HOST } from '../../host-setup/oldest-host.js'
import { ageOfHost } from '../../host-setup/tested-hosts.js'
import { CodexError } from '../../kernel/errors.js'
import { commandsIn } from '../../kernel/text/command-words.js'
import { plainText } from '../../kernel/text/plain-text.js'
import { wrapped } from '../../kernel/text/wrap.js'
import { viewsOf } from '../../tools/account-rows.js'
import { codexImport } from '../../tools/backup/codex-import.js'
import { codexSetup, INSTALL_HOST, type SetupStep } from '../../tools/setup/codex-setup.js'
import { titleOf } from '../../transfer/sources.js'
import { carryOut, clearCache, INSTALL, planEdits } from '../install/edits.js'
import { previewOf } from '../install/preview.js'
import { contextOf } from '../tool-command.js'
import { importAccounts, runMenu } from './menu.js'
import { type MenuContext, sayError } from './menu-context.js'
import type { Choice } from './prompts.js'
import { signInByMenu } from './sign-in-menu.js'

/** How a step went: the user goes on, with or without it, or leaves. */
type Outcome = 'on' | 'left'
type Step = (menu: MenuContext) => Promise<Outcome>

/** Of a terminal that does not say how wide it is. */
const USUAL_COLUMNS = 80

const GO_ON = 'Go on at any time, from where you are now: {setup}'

/**
 * Walks from nothing to the first answer, and says what is done already. What goes wrong in a step is said in it.
 * @returns the exit code: 0 everything needed is there, 1 something is left, 130 after Ctrl-C
 */
export async function runWalk(menu: MenuContext): Promise<number> {
  const { prompts } = menu
  const say = (text: string): void =>
    prompts.plain(wrapped(commandsIn(text, 'terminal'), menu.io.columns ?? USUAL_COLUMNS))
  say(
    '\nSetup in five steps: OpenCode, its configuration, an account, a second one, a test prompt.\nEsc or Ctrl-C leaves at any question; what is done stays done.\n',
  )
  for (const step of [host, configuration, account, secondAccount, testPrompt]) {
    const outcome = await step(menu).catch((error: unknown): Outcome => {
      if (!prompts.hasLeft()) sayError(prompts, error)
      return 'on'
    })
    if (outcome === 'left' || prompts.hasLeft()) break
  }
  const data = await stateOf(menu)
  const view = { ...contextOf(menu.io), nowMs: menu.runtime.clock.now() }
  say(`\n${codexSetup.render(data, view)}\n`)
  say(data.ready ? 'Ready: start opencode and choose a model with /models.' : GO_ON)
  if (prompts.hasLeft()) return 130
  return data.ready ? 0 : 1
}

function stateOf({ runtime, io }: MenuContext): ReturnType<typeof codexSetup.run> {
  return codexSetup.run(runtime, {}, contextOf(io))
}

async function isDone(menu: MenuContext, id: SetupStep['id']): Promise<boolean> {
  const { steps } = await stateOf(menu)
  return steps.some((step) => step.id === id && step.done)
}

const host: Step = async ({ runtime, io, prompts }) => {
  const { env, paths } = runtime
  for (;;) {
    const program = hostProgram(env, paths)
    if (program !== undefined) {
      const version = await prompts.waitFor('Asking OpenCode for its version', (signal) =>
        hostVersion({ env, paths }, signal),
      )
      if (version === undefined)
        prompts.say('warning', `OpenCode is at ${program} and did not tell its version.`)
      else if (ageOfHost(version) === 'too-old')
        prompts.say(
          'warning',
          `OpenCode ${version} cannot load this plugin, which needs ${OLDEST_HOST} or newer. Run: ${UPGRADE_HOST}`,
        )
      else prompts.say('done', `OpenCode ${version} is installed.`)
      return 'on'
    }
    prompts.say('warning', `OpenCode was not found. In another terminal:\n${INSTALL_HOST}`)
    const next = await prompts.choose('What now?', [
      { value: 'again', label: () => 'Look again, it is installed now' },
      { value: 'without', label: () => 'Go on without it' },
    ])
    if (next === undefined || io.signal.aborted) return 'left'
    if (next === 'without') return 'on'
  }
}

const configuration: Step = async ({ runtime, prompts }) => {
  const { env, paths } = runtime
  const planned = (await planEdits(paths, env, INSTALL)).filter(({ changes }) => changes.length > 0)
  if (planned.length === 0) {
    prompts.say('done', 'OpenCode’s configuration names this plugin.')
    return 'on'
  }
  prompts.plain(`\n${planned.map(previewOf).join('\n')}\n`)
  const isWanted = await prompts.confirm('Write this into OpenCode’s configuration?', true)
  if (isWanted === undefined) return 'left'
  if (!isWanted) {
    prompts.say('info', 'Nothing was written. Without it OpenCode does not load the plugin.')
    return 'on'
  }
  const backups = (await carryOut(planned)).flatMap(({ backup }) =>
    backup === undefined ? [] : [`\nAs it was: ${backup}`],
  )
  await clearCache(paths, false)
  prompts.say('done', `Written. To undo it: {uninstall}${backups.join('')}`)
  return 'on'
}

const account: Step = async (menu) => {
  const { prompts } = menu
  if (!(await isDone(menu, 'account')))
    return oneMore(menu, 'account', 'An account is needed. How?')
  if (await isDone(menu, 'usable')) {
    prompts.say('done', 'An account is signed in.')
    return 'on'
  }
  const isWanted = await prompts.confirm(
    'No account can be used. Open the accounts, to sign in again or to enable one?',
  )
  if (isWanted === undefined) return 'left'
  if (isWanted) await runMenu(menu)
  return 'on'
}

const secondAccount: Step = async (menu) => {
  const { prompts } = menu
  if (!(await isDone(menu, 'usable'))) return 'on'
  if (await isDone(menu, 'spare')) {
    prompts.say('done', 'A second account is there to take over.')
    return 'on'
  }
  return oneMore(menu, 'spare', 'Add a second account, which takes over at a limit?')
}

/** Asks how an account is to come here until it is here, or the user goes on without. */
async function oneMore(menu: MenuContext, id: SetupStep['id'], question: string): Promise<Outcome> {
  const { prompts } = menu
  while (!(await isDone(menu, id))) {
    const found = await foundHere(menu)
    const choices: Choice<'sign-in' | 'import' | 'later'>[] = [
      { value: 'sign-in', label: () => 'Sign in to ChatGPT' },
      ...(found === ''
        ? []
        : [{ value: 'import' as const, label: () => `Take over what is here: ${found}` }]),
      { value: 'later', label: () => 'Not now' },
    ]
    const chosen = await prompts.choose(question, choices)
    if (chosen === undefined) return 'left'
    if (chosen === 'later') return 'on'
    try {
      if (chosen === 'import') await importAccounts(menu)
      else await signInByMenu(menu)
    } catch (error) {
      if (prompts.hasLeft()) return 'left'
      sayError(prompts, error)
    }
    if (prompts.hasLeft()) return 'left'
  }
  return 'on'
}

/** The programs on this machine whose logins are not in the pool. */
async function foundHere({ runtime, io }: MenuContext): Promise<string> {
  const { found } = await codexImport.run(runtime, { dryRun: true }, contextOf(io))
  const titles = found.flatMap(({ source, here }) =>
    source === 'file' || here !== 'new' ? [] : [titleOf(source)],
  )
  return [...new Set(titles)].join(', ')
}

const TEST_MODEL = 'openai/gpt-5.5'
const TEST_PROMPT = 'Say hello in one short sentence.'
/** The first start of OpenCode fetches the plugin. */
const TEST_TIMEOUT_MS = 180_000

const testPrompt: Step = async (menu) => {
  const { runtime, prompts } = menu
  const { env, paths, clock, history } = runtime
  const { steps } = await stateOf(menu)
  const isReady = steps.every(
    ({ id, done }) => done || !['host', 'plugin', 'account', 'usable'].includes(id),
  )
  if (!isReady) return 'on'
  const entries = await history.read()
  if (entries.some(({ type }) => type === 'turn')) {
    prompts.say('done', 'OpenCode has had answers through this plugin.')
    return 'on'
  }
  const isWanted = await prompts.confirm(
    'Send one short test prompt through OpenCode? It uses a little of a limit.',
  )
  if (isWanted === undefined) return 'left'
  if (!isWanted) return 'on'
  const sinceMs = clock.now()
  const answer = await prompts.waitFor(
    'OpenCode fetches the plugin at its first start, then asks',
    (signal) =>
      runHost({ env, paths }, ['run', '--model', TEST_MODEL, '--title', 'Setup', TEST_PROMPT], {
        signal,
        timeout: TEST_TIMEOUT_MS,
      }),
  )
  const text = plainText((answer?.stdout ?? '').trim())
  if (answer?.code !== 0 || text === '')
    throw new CodexError('internal', failureOf(answer?.output), {
      hint: 'Look for the reason: {doctor}',
    })
  const name = await servedSince(menu, sinceMs)
  prompts.say('done', `The answer: ${text}${name === undefined ? '' : `\n${name} has served it.`}`)
  return 'on'
}

/** The name of the account behind the last answer. */
async function servedSince({ runtime }: MenuContext, sinceMs: number): Promise<string | undefined> {
  const turn = (await runtime.history.read()).findLast(
    ({ type, atMs }) => type === 'turn' && atMs >= sinceMs,
  )
  const uid = turn?.type === 'turn' ? turn.uid : undefined
  const pool = await runtime.store.read()
  const view = viewsOf(runtime, pool).find((one) => one.uid === uid)
  return view === undefined ? undefined : `Account ${view.index} (${view.name})`
}

function failureOf(output = ''): string {
  const last = plainText(output.trim().split('\n').slice(-3).join(' ').trim())
  return last === ''
    ? 'OpenCode could not be started, or did not answer in time.'
    : `OpenCode gave no answer. It says: ${last}`
}
