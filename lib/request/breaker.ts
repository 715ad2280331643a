/** Failures in a row that open it. Far above what one request may cause alone. */
export const BREAKER_THRESHOLD = 20
/** How long it stays open, ms. */
export const BREAKER_OPEN_MS = 10_000
/** Failures further apart than this are not "in a row", ms. */
export const BREAKER_WINDOW_MS = 60_000

/** A breaker for each host that answers requests: what one endpoint fails at says nothing about another. */
export type Breakers = ReturnType<typeof createBreakers>

/** Creates breakers, each closed, as hosts are named. */
export function createBreakers() {
  const byHost = new Map<string, Breaker>()
  /** Reading an address costs more than the rest, and there are few. */
  const byAddress = new Map<string, Breaker>()
  return {
    /** @param address of an endpoint; all of one host and port share a breaker */
    of(address: string): Breaker {
      const known = byAddress.get(address)
      if (known !== undefined) return known
      const host = URL.canParse(address) ? new URL(address).host : ''
      const breaker = byHost.get(host) ?? createBreaker()
      byHost.set(host, breaker)
      byAddress.set(address, breaker)
      return breaker
    },
    /** As `Breaker.abandoned`, wherever the request was to find out. */
    abandoned(request: object): void {
      for (const breaker of byHost.values()) breaker.abandoned(request)
    },
  }
}

/**
 * A circuit breaker over one host, the ChatGPT backend or the endpoint of a key: after several failures in a row that no
 * account is to blame for, requests are answered at once for a short while instead of each spending its whole retry budget.
 */
export type Breaker = ReturnType<typeof createBreaker>

/** Creates a closed breaker. */
export function createBreaker() {
  let failures = 0
  let lastFailureMs = 0
  let openedAtMs: number | undefined
  /** The request that finds out. */
  let probe: object | undefined
  return {
    /**
     * When requests may go through again, epoch ms; undefined when this one may now. One request is let through to find
     * out, as often as it asks.
     * @param request stands for the request, the same object each time
     */
    openUntil(nowMs: number, request: object): number | undefined {
      if (openedAtMs === undefined || request === probe) return undefined
      const until = openedAtMs + BREAKER_OPEN_MS
      // A clock that went back must not keep it open for ever.
      if (nowMs < until && nowMs >= openedAtMs) return until
      if (probe !== undefined && nowMs >= openedAtMs && nowMs < until + BREAKER_OPEN_MS)
        return until + BREAKER_OPEN_MS
      probe = request
      return undefined
    },
    failed(nowMs: number): void {
      if (nowMs - lastFailureMs > BREAKER_WINDOW_MS) failures = 0
      failures += 1
      lastFailureMs = nowMs
      if (failures >= BREAKER_THRESHOLD || probe !== undefined) {
        openedAtMs = nowMs
        probe = undefined
      }
    },
    /** The backend has answered, well or with a refusal: it can be reached. */
    reached(): void {
      failures = 0
      openedAtMs = undefined
      probe = undefined
    },
    /** A request ended without a verdict (aborted, no token): if it was to find out, the next one may. */
    abandoned(request: object): void {
      if (probe === request) probe = undefined
    },
  }
}
