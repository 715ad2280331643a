/** The events of an answer, as text. */
export const event = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`

export const HEAD =
  event('response.created', { response: { id: 'r' } }) +
  event('response.output_item.added', {
    output_index: 0,
    item: { type: 'message', id: 'm', role: 'assistant', content: [] },
  })

/** A few words of the answer. */
export const DELTA = event('response.output_text.delta', {
  item_id: 'm',
  output_index: 0,
  content_index: 0,
  delta: 'a few words of an answer, as they come one after the other ',
})

/** The last event, with this text in its copy of the whole answer. */
export const tailOf = (text = ''): string =>
  event('response.completed', {
    response: {
      id: 'r',
      output:
        text === ''
          ? []
          : [
              {
                type: 'message',
                id: 'm',
                content: [{ type: 'output_text', text, annotations: [] }],
              },
            ],
      usage: { input_tokens: 1, output_tokens: 1 },
    },
  })
