import type { Config } from '../config/settings.js'
import type { PoolEvent } from '../history/pool-events.js'
import type { HostPort, Toast } from '../kernel/host-port.js'
import type { SharedGate } from './shared-gate.js'
import type { Notice, Passed } from './notice-words.js'

/** A block that ends is waited for a little longer: the backend's clock is not ours, ms. */
export const WAIT_MARGIN_MS = 250
/** How often a waiting request looks at the clock, ms. */
export const COUNTDOWN_MS = 5_000
/** What belongs to one answer comes within this time and is one toast, ms. */
const GATHER_MS = 300
/** A request that moves on and on keeps other news back for no longer than this, ms. */
const LONGEST_HOLD_MS = 10_000
const MAX_SENTENCES = 3
const RANK = { info: 0, success: 0, warning: 1, error: 2 } as const

/** The few things worth a toast: one for a request, and one for an event in all windows. */
export type Notices = ReturnType<typeof createNotices>

/** Creates the notices of one plugin instance. Nothing here is waited for, and no request writes a file. */
export function createNotices(deps: {
  host: HostPort
  config: Config
  gate: Pick<SharedGate, 'claim' | 'note'>
}) {
  const { host, config, gate } = deps
  const gathered: Notice[] = []
  const showing = new Set<Promise<void>>()
  /** Requests that have left an account and know not yet who serves. */
  let moving = 0
  /** Accounts of which an error or a switch has told, and when: what was found out of them comes a little later. */
  const toldAtMs = new Map<string, number>()
  let firstAtMs = 0
  let timer: NodeJS.Timeout | undefined

  function add(notice: Notice): void {
    const toldMs = notice.uid === undefined ? undefined : toldAtMs.get(notice.uid)
    if (toldMs !== undefined && performance.now() - toldMs < LONGEST_HOLD_MS) return
    if (gathered.length === 0) firstAtMs = performance.now()
    gathered.push(notice)
    clearTimeout(timer)
    timer = setTimeout(tell, GATHER_MS)
    timer.unref()
  }

  function tell(): void {
    clearTimeout(timer)
    if (moving > 0 && performance.now() - firstAtMs < LONGEST_HOLD_MS) {
      timer = setTimeout(tell, GATHER_MS)
      timer.unref()
      return
    }
    const notices = gathered.splice(0)
    if (notices.length === 0) return
    const shown = show(notices).finally(() => showing.delete(shown))
    showing.add(shown)
  }

  /** What no window has told yet, in one toast. */
  async function show(notices: readonly Notice[]): Promise<void> {
    const news: Notice[] = []
    for (const notice of notices) {
      const withinMs = Math.max(config.rateLimitToastDebounceMs, notice.withinMs ?? 0)
      const claims = await Promise.all(notice.keys.map((key) => gate.claim(key, withinMs)))
      if (claims.includes(true)) news.push(notice)
    }
    if (news.length === 0) return
    const variants = news.map(({ variant }) => variant)
    host.toast({
      title: 'Codex accounts',
      message: news
        .slice(0, MAX_SENTENCES)
        .map(({ message }) => message)
        .join(' '),
      variant: variants.sort((left, right) => RANK[right] - RANK[left])[0] ?? 'info',
      durationMs: config.toastDurationMs,
    } satisfies Toast)
  }

  /** An error or a switch tells of these accounts: their alerts would say it a second time. */
  function forget(passed: ReadonlyMap<string, Passed>): void {
    if (passed.size === 0) return
    moving -= 1
    for (const uid of passed.keys()) toldAtMs.set(uid, performance.now())
    const kept = gathered.filter(({ uid }) => uid === undefined || !passed.has(uid))
    gathered.splice(0, Infinity, ...kept)
  }

  return {
    /** A request has left its first account and looks for another one. `served` or `refused` ends it. */
    moves(): void {
      moving += 1
    },
    /**
     * The request is answered.
     * @param passed accounts it has left
     * @param event who took over from whom, if anybody
     */
    served(
      passed: ReadonlyMap<string, Passed>,
      news: readonly Notice[],
      event: PoolEvent | undefined,
    ): void {
      forget(passed)
      if (event !== undefined) gate.note(event)
      for (const notice of news)
        if (config.accountToasts || notice.withinMs !== undefined) add(notice)
    },
    /** The request waits, takes another model or failed, and the user reads why. @param news what that does not tell */
    refused(passed: ReadonlyMap<string, Passed>, news: readonly Notice[]): void {
      forget(passed)
      news.forEach(add)
    },
    /** The request waits for a limit. @returns says that it waits no longer */
    waits(notice: Notice, event: PoolEvent): () => void {
      add(notice)
      return gate.note(event)
    },
    /** Something of no request, a window that runs out say. */
    tell: add,
    /** Tells what is gathered. */
    async close(): Promise<void> {
      moving = 0
      tell()
      await Promise.all(showing)
    },
  }
}
