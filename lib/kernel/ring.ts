/** The newest entries, oldest first, up to a fixed number. */
export interface Ring<T> {
  push(entry: T): void
  toArray(): T[]
}

/** Creates a ring that keeps the newest `capacity` entries. */
export function createRing<T>(capacity: number): Ring<T> {
  const slots: T[] = []
  let next = 0
  return {
    push(entry) {
      slots[next % capacity] = entry
      next += 1
    },
    toArray() {
      if (next <= capacity) return slots.slice()
      const start = next % capacity
      return [...slots.slice(start), ...slots.slice(0, start)]
    },
  }
}
