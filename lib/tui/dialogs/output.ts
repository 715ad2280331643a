import { plainLines } from '../../kernel/text/plain-text.js'
import { type FrameContent, type Hint, openFrame } from './frame.js'
import { type FollowUp, followUps } from './follow-ups.js'
import { copy, errorText, say } from './say.js'
import { outputLines } from './spans.js'
import type { Call, DialogDeps, Outcome } from './work.js'

type State =
  | { readonly kind: 'running'; readonly progress: string }
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'failed'; readonly text: string }

/** Runs a command and shows what it comes to; leaving the dialog cancels it. */
export function openOutput(
  deps: DialogDeps,
  call: Call,
  onFollowUp: (followUp: FollowUp, call: Call) => void,
): void {
  const { ui, work } = deps
  const facts = work.facts(call.name)
  const [state, setState] = ui.createSignal<State>({ kind: 'running', progress: '' })
  const canRepeat = facts.isLook(call.args)
  let abort = new AbortController()
  let isOpen = true

  const start = (): void => {
    abort.abort()
    abort = new AbortController()
    const { signal } = abort
    setState({ kind: 'running', progress: '' })
    const isPresent = (): boolean => isOpen && !signal.aborted
    work
      .run(call, signal, (progress) => {
        if (isPresent() && state().kind === 'running') setState({ kind: 'running', progress })
      })
      .then(
        (outcome) => {
          if (isPresent()) setState({ kind: 'done', outcome })
          // What was changed is told, although nobody waited for it.
          else if (!canRepeat) say(deps, 'info', firstLine(plainLines(outcome.tonedAt(Infinity))))
        },
        (error: unknown) => {
          if (isPresent()) setState({ kind: 'failed', text: errorText(error) })
        },
      )
  }
  const keysNow = (): readonly FollowUp[] => {
    const now = state()
    return now.kind === 'done' ? followUps(call.name, call.args, now.outcome.data) : []
  }
  const tonedNow = (columns: number): string => {
    const now = state()
    switch (now.kind) {
      case 'running':
        return ''
      case 'failed':
        return now.text
      case 'done':
        return now.outcome.tonedAt(columns)
    }
  }

  const content = (columns: number): FrameContent => {
    const now = state()
    const hints: Hint[] =
      now.kind === 'running'
        ? []
        : [
            ...keysNow().map(({ key, does }): Hint => [key, does]),
            ...(canRepeat || now.kind === 'failed' ? [['r', 'refresh'] as const] : []),
            ['c', 'copy'],
          ]
    return {
      title: `codex-${call.name}`,
      head: [],
      body:
        now.kind === 'running'
          ? [
              { spans: [{ text: `${waitText(call.name)} …`, tone: 'muted' }] },
              ...(now.progress === ''
                ? []
                : [{ spans: [{ text: now.progress, tone: 'muted' }] } as const]),
            ]
          : outputLines(tonedNow(columns), columns, now.kind === 'failed' ? 'error' : 'text'),
      keys: hints,
    }
  }

  openFrame(ui, {
    content,
    onKey: ({ name }) => {
      if (state().kind === 'running') return false
      const followUp = keysNow().find(({ key }) => key === name)
      if (followUp !== undefined) onFollowUp(followUp, call)
      else if (name === 'r' && (canRepeat || state().kind === 'failed')) start()
      else if (name === 'c') copy(deps, plainLines(tonedNow(Infinity)))
      else return false
      return true
    },
    onClose() {
      isOpen = false
      abort.abort()
    },
  })
  start()
}

/** What is waited for while a command runs. */
function waitText(name: string): string {
  switch (name) {
    case 'limits':
      return 'Asking the backend what is left'
    case 'health':
    case 'reset':
    case 'warm':
      return 'Asking the backend'
    case 'refresh':
      return 'Refreshing the access tokens'
    case 'doctor':
      return 'Checking storage, logins, permissions, configuration, ports and the network'
    case 'import':
      return 'Looking for accounts'
    case 'keychain':
      return 'Asking the keychain'
    case 'export':
      return 'Writing the accounts'
    default:
      return 'Reading the files'
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}
