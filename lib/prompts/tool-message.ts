/**
 * A message that tells the model which tools it really has, made from the list of the request itself, so that it is never
 * wrong; undefined without tools. The same list gives the same text, which keeps the prompt cache. Pure.
 * @param names names of the tools, in their order
 */
export function toolMessage(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined
  return `The tools of this session are: ${names.join(', ')}. Call them by exactly these names. Where instructions speak of another tool, it does not exist here: use the one of this list that does the same work.`
}
