/** From when to when a process surely held a lock, ns. */
interface Turn {
  readonly key: string
  readonly from: bigint
  readonly until: bigint
}

/** What the workers wrote down: turns in the order of their beginnings, and how many were told that they had lost the lock. */
export function readTurns(log: string): {
  readonly turns: readonly Turn[]
  readonly lost: number
} {
  const turns = [...log.matchAll(/^held (\S+) (\d+) (\d+)$/gm)].map(([, key, from, until]) => ({
    key: key!,
    from: BigInt(from!),
    until: BigInt(until!),
  }))
  turns.sort((left, right) => (left.from < right.from ? -1 : 1))
  return { turns, lost: [...log.matchAll(/^lost /gm)].length }
}
