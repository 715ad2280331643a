/** A count with its noun: `1 account`, `2 accounts`. An irregular plural is given as `many`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${String(count)} ${count === 1 ? one : many}`
}
