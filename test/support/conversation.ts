/** A message of the user in a history. */
export const user = (text: string) => ({ role: 'user', content: [{ type: 'input_text', text }] })

/** The body of a request as the host sends one. */
export function turnBody(
  input: readonly unknown[] = [user('hi')],
  more: Record<string, unknown> = {},
): string {
  return JSON.stringify({
    model: 'gpt-5.5',
    instructions: 'x',
    input,
    store: false,
    stream: true,
    include: ['reasoning.encrypted_content'],
    ...more,
  })
}

/** The items of an answer's event stream, as the host puts them into the history. */
export function itemsOf(stream: string): Record<string, unknown>[] {
  return stream
    .split('\n')
    .filter((line) => line.startsWith('data: {"type":"response.output_item.done"'))
    .map((line) => (JSON.parse(line.slice(6)) as { item: Record<string, unknown> }).item)
    .map(({ id: _id, status: _status, ...item }) => item)
}
