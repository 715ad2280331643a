import { createSignal } from 'solid-js'

import { lastSwitchOf, waitOf } from '../pool-events.js'
import { nameOf } from '../pool-view.js'
import { statusForms, type StatusFacts } from '../status-line.js'
import { paintedLine } from './painted.js'
import type { SlotContext, SlotDeps } from './slot.js'

/** A switch is news for so long, ms. */
const NEWS_MS = 60_000
/** How often a countdown moves on, ms. */
const SECOND_MS = 1_000

/** The line beside the prompt, of the session's account or, on the home screen, of the one that serves next. */
export function createPromptLine({ api, view, now, openAccounts }: SlotDeps) {
  const [second, setSecond] = createSignal(0)
  let [endMs, timer]: [number, NodeJS.Timeout | undefined] = [0, undefined]
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }
  api.lifecycle.onDispose(stop)

  /** The time to show, which runs by the second only while somebody waits. */
  function timeFor(waitsUntilMs: number | undefined): number {
    endMs = waitsUntilMs ?? 0
    if (waitsUntilMs === undefined) stop()
    else
      timer ??= setInterval(() => {
        setSecond(Date.now())
        if (Date.now() >= endMs) stop()
      }, SECOND_MS).unref()
    return waitsUntilMs === undefined ? now() : Math.max(now(), second(), Date.now())
  }

  function factsOf(session: string | undefined): StatusFacts {
    const current = view()
    const { events = [] } = current ?? {}
    const account = current?.serving(session)
    const last = session === undefined ? undefined : lastSwitchOf(events, session)
    const isNews = last?.to === account?.uid && now() - (last?.atMs ?? 0) < NEWS_MS
    return {
      account,
      waitsUntilMs: isIdle(api.state, session) ? undefined : waitOf(events, session, Date.now()),
      switched:
        isNews && current !== undefined && last !== undefined
          ? { from: nameOf(current, last.from), why: last.why }
          : undefined,
    }
  }

  return ({ theme }: SlotContext, session: () => string | undefined = () => undefined): unknown =>
    paintedLine({ theme, onClick: openAccounts }, () => {
      const facts = factsOf(session())
      return statusForms(facts, timeFor(facts.waitsUntilMs))
    })
}

/** A request that was given up waits for nothing any more. Where the host does not tell, nobody is idle. */
function isIdle(state: unknown, session: string | undefined): boolean {
  const { session: sessions } = (state ?? {}) as {
    session?: { status?(id: string): { readonly type?: string } | undefined }
  }
  return session !== undefined && sessions?.status?.(session)?.type === 'idle'
}
