import { actionChoices } from '../../account-view/choices.js'
import type { AccountView } from '../../account-view/view.js'
import { commandsIn } from '../../kernel/text/command-words.js'
import { plainLines } from '../../kernel/text/plain-text.js'
import { openFrame } from './frame.js'
import type { AccountKey, FollowUp } from './follow-ups.js'
import { openOutput } from './output.js'
import { pickAccount, pickWord } from './pick-account.js'
import { askText, copy, errorText, say, sayResult } from './say.js'
import { outputLines } from './spans.js'
import type { Arguments, Call, DialogDeps } from './work.js'

/** Runs a command as it was typed or chosen, and shows its result; what it needs and was not given is asked for. */
export async function openCommand(deps: DialogDeps, name: string, line: string): Promise<void> {
  try {
    const call = deps.work.parse(name, line)
    if ('help' in call) {
      showText(deps, name, call.help)
      return
    }
    const full = await completed(deps, call, line.trim() === '')
    if (full !== undefined) runAndShow(deps, full)
  } catch (error) {
    showText(deps, name, errorText(error), true)
  }
}

function runAndShow(deps: DialogDeps, call: Call): void {
  const before = deps.view()?.accounts ?? []
  openOutput(deps, call, (followUp, done) => {
    follow(deps, followUp, done, before).catch((error: unknown) =>
      say(deps, 'error', errorText(error)),
    )
  })
}

async function follow(
  deps: DialogDeps,
  { then }: FollowUp,
  call: Call,
  before: readonly AccountView[],
): Promise<void> {
  const again = (args: Arguments): void => runAndShow(deps, { ...call, args })
  switch (then.kind) {
    case 'run':
      again(then.args)
      return
    case 'ask': {
      const text = await askText(deps, { title: then.title, placeholder: then.placeholder })
      again(text === undefined || text.trim() === '' ? call.args : then.argsOf(text.trim()))
      return
    }
    case 'sources': {
      const from = await pickWord(
        deps,
        'Import from',
        [...then.names, ...(then.names.length > 1 ? ['all'] : [])].map((value) => ({
          value,
          title: value,
          hint: value === 'all' ? 'everything that was found' : '',
        })),
      )
      again(from === undefined ? call.args : { from, dryRun: true })
      return
    }
    case 'account':
      await accountAct(deps, then.act)
      again(call.args)
      return
    case 'undo': {
      const uid = before[then.index - 1]?.uid
      if (uid === undefined) return
      deps.ui.api.ui.dialog.clear()
      await sayResult(deps, deps.work.undo({ uid, name: then.name, backup: then.backup }))
    }
  }
}

/** Chooses an account for a key and does it; what changes nothing is not offered. */
async function accountAct(deps: DialogDeps, act: AccountKey): Promise<void> {
  const { work } = deps
  switch (act) {
    case 'switch':
    case 'toggle': {
      const choiceOf = (account: AccountView, all: readonly AccountView[]) =>
        actionChoices(account, all).find(({ value }) => value === act)
      const account = await pickAccount(
        deps,
        act === 'switch' ? 'Switch to' : 'Enable or disable',
        (one, all) => choiceOf(one, all) !== undefined,
      )
      const choice =
        account === undefined ? undefined : choiceOf(account, deps.view()?.accounts ?? [])
      if (choice !== undefined) await sayResult(deps, work.act(choice.action))
      return
    }
    case 'pin': {
      const account = await pickAccount(deps, 'Pin, or lift a pin', ({ enabled, pin }) =>
        pin === undefined ? enabled : true,
      )
      if (account === undefined) return
      const choices = actionChoices(account, deps.view()?.accounts ?? []).filter(({ value }) =>
        ['pin', 'pin-hard', 'unpin'].includes(value),
      )
      const value = await pickWord(deps, `${account.index} ${account.name}`, choices)
      const chosen = choices.find((one) => one.value === value)
      if (chosen !== undefined) await sayResult(deps, work.act(chosen.action))
      return
    }
    case 'label': {
      const account = await pickAccount(deps, 'Name an account')
      if (account !== undefined) await nameAccount(deps, account)
      return
    }
    case 'read': {
      const account = await pickAccount(deps, 'Read the limits of', ({ kind }) => kind === 'oauth')
      if (account !== undefined) await readLimits(deps, account)
    }
  }
}

/** Asks for the name of an account, and sets it. */
export async function nameAccount(deps: DialogDeps, account: AccountView): Promise<void> {
  const text = await askText(deps, {
    title: `Name of ${account.index} ${account.name}`,
    placeholder: 'empty: no name of its own',
    value: await deps.work.noted(account.uid, 'label'),
  })
  if (text === undefined) return
  await sayResult(deps, deps.work.act({ do: 'label', account: account.uid, text }))
}

/** Asks the backend for the limits of an account. */
export async function readLimits(deps: DialogDeps, account: AccountView): Promise<void> {
  const { uid, index, name } = account
  const which = `limits of account ${index} (${name})`
  say(deps, 'info', `Reading the ${which}.`)
  await sayResult(
    deps,
    deps.work.readLimits(uid).then(() => `The ${which} are up to date.`),
  )
}

/** What a call cannot do without, asked for. @returns undefined when the user leaves a question */
async function completed(deps: DialogDeps, call: Call, isBare: boolean): Promise<Call | undefined> {
  const { name } = call
  const args: Record<string, unknown> = { ...call.args }
  if (name === 'switch' && isBare) {
    const choice = await pickSwitch(deps)
    if (choice === undefined) return undefined
    return { ...call, args: choice }
  }
  if (name === 'export' && isBare) {
    const path = await askText(deps, {
      title: 'Write the accounts with their tokens to a file',
      placeholder: 'empty: a new file in the backups folder',
    })
    if (path === undefined) return undefined
    return { ...call, args: path.trim() === '' ? {} : { path: path.trim() } }
  }
  let account: AccountView | undefined
  for (const wanted of deps.work.facts(name).required) {
    if (args[wanted] !== undefined) continue
    // Somebody who gave arguments is told which one is missing.
    if (!isBare) return call
    if (wanted === 'account') {
      account = await pickAccount(deps, titleOf(name))
      if (account === undefined) return undefined
      args.account = account.uid
      continue
    }
    const what = { label: 'label', tags: 'tag', note: 'note' } as const
    const noted = wanted in what ? what[wanted as keyof typeof what] : undefined
    const text = await askText(deps, {
      title: account === undefined ? titleOf(name) : `${titleOf(name)}: ${account.name}`,
      placeholder: noted === undefined ? wanted : `${wanted}; empty removes it`,
      ...(noted === undefined || account === undefined
        ? {}
        : { value: await deps.work.noted(account.uid, noted) }),
    })
    if (text === undefined) return undefined
    args[wanted] = text
  }
  return { ...call, args }
}

async function pickSwitch(deps: DialogDeps): Promise<Arguments | undefined> {
  const all = deps.view()?.accounts ?? []
  const word = all.some(({ pin }) => pin !== undefined)
    ? await pickWord(deps, 'Switch', [
        { value: 'account', title: 'To another account', hint: 'new sessions go there' },
        { value: 'unpin', title: 'Lift the pin', hint: 'the strategy chooses again' },
      ])
    : 'account'
  if (word === 'unpin') return {}
  const account =
    word === undefined
      ? undefined
      : await pickAccount(deps, 'Switch to', (one, others) =>
          actionChoices(one, others).some(({ value }) => value === 'switch'),
        )
  return account === undefined ? undefined : { account: account.uid }
}

function titleOf(name: string): string {
  switch (name) {
    case 'label':
      return 'Name an account'
    case 'tag':
      return 'Tag an account'
    case 'note':
      return 'Write a note to an account'
    case 'remove':
      return 'Remove an account'
    case 'toggle':
      return 'Enable or disable an account'
    case 'diff':
      return 'Compare two files'
    default:
      return `codex-${name}`
  }
}

/** Shows a text that is there already. */
function showText(deps: DialogDeps, name: string, text: string, isError = false): void {
  const plain = plainLines(commandsIn(text, 'tui')).trimEnd()
  openFrame(deps.ui, {
    content: (columns) => ({
      title: `codex-${name}`,
      head: [],
      body: outputLines(plain, columns, isError ? 'error' : 'text'),
      keys: [['c', 'copy']],
    }),
    onKey: (key) => {
      if (key.name !== 'c') return false
      copy(deps, plain)
      return true
    },
  })
}
