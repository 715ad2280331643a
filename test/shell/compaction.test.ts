import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  compactionPrompt,
  OWN_COMPACTION,
  OWN_SUMMARY_PREFIX,
  withoutPrefix,
  withPrefix,
} from '../../lib/collaboration/compaction.js'
import { createCompaction } from '../../lib/shell/compaction.js'

const user = (providerID: string, type = 'compaction') => ({
  info: { role: 'user', model: { providerID, modelID: 'm' } },
  parts: [{ type }],
})
const answer = (text: string, summary = false) => ({
  info: { role: 'assistant', ...(summary && { summary: true, agent: 'compaction' }) },
  parts: [
    { type: 'reasoning', text: 'thought' },
    { type: 'text', text },
  ],
})

/** A host with one session of these messages, in its SDK's own shape of calls. */
function aHost(messages: unknown[], answering: unknown = answer('s', true)) {
  const limits: (number | undefined)[] = []
  const session = {
    messages: async (asked: { path: { id: string }; query?: { limit?: number } }) => {
      expect(asked.path.id).toBe('ses_1')
      limits.push(asked.query?.limit)
      return { data: messages.slice(-(asked.query?.limit ?? messages.length)) }
    },
    message: async (asked: { path: { id: string; messageID: string } }) => {
      expect(asked.path).toEqual({ id: 'ses_1', messageID: 'msg_1' })
      return { data: answering }
    },
  }
  return {
    client: { session } as unknown as Parameters<typeof createCompaction>[0]['client'],
    limits,
  }
}

const hooksOver = (
  host: ReturnType<typeof aHost>,
  options: { texts?: Record<string, string>; model?: string } = {},
) =>
  createCompaction({
    client: host.client,
    prompts: { current: (name) => options.texts?.[name] },
    model: options.model,
  })

async function promptFrom(
  host: ReturnType<typeof aHost>,
  options: Parameters<typeof hooksOver>[1] & { context?: string[]; prompt?: string } = {},
): Promise<string | undefined> {
  const output = {
    context: options.context ?? [],
    ...(options.prompt !== undefined && { prompt: options.prompt }),
  }
  await hooksOver(host, options).hooks['experimental.session.compacting'](
    { sessionID: 'ses_1' },
    output,
  )
  return output.prompt
}

describe('the prompt of a compaction', () => {
  it('is ours, or the Codex CLI’s where it is at hand', async () => {
    const host = aHost([user('openai', 'text'), answer('hi'), user('openai')])
    expect(await promptFrom(host)).toBe(OWN_COMPACTION)
    expect(await promptFrom(host, { texts: { compaction: 'CODEX\n' } })).toBe('CODEX')
  })

  it('stays the host’s where the conversation, or the agent that compacts, has a model of another provider', async () => {
    const foreign = aHost([user('openai', 'text'), user('anthropic')])
    expect(await promptFrom(foreign)).toBeUndefined()
    const ours = aHost([user('openai')])
    expect(await promptFrom(ours, { model: 'anthropic/claude' })).toBeUndefined()
    expect(await promptFrom(foreign, { model: 'openai/gpt-5.5' })).toBe(OWN_COMPACTION)
    expect(await promptFrom(aHost([]))).toBeUndefined()
  })

  it('stays that of another plugin which has set one', async () => {
    expect(await promptFrom(aHost([user('openai')]), { prompt: 'theirs' })).toBe('theirs')
  })

  it('carries over the summary before and what other plugins add, which the host leaves out with its own prompt', async () => {
    const before = withPrefix('old notes', OWN_SUMMARY_PREFIX)
    const host = aHost([
      user('openai'),
      answer(before, true),
      user('openai', 'text'),
      user('openai'),
    ])
    const prompt = await promptFrom(host, { context: ['and the weather'] })
    expect(prompt).toContain('<previous-notes>\nold notes\n</previous-notes>')
    expect(prompt).not.toContain(OWN_SUMMARY_PREFIX)
    expect(prompt?.endsWith('and the weather')).toBe(true)
  })

  it('finds that summary however far back it is', async () => {
    const long = Array.from({ length: 500 }, () => answer('x'))
    const host = aHost([answer('old notes', true), ...long, user('openai')])
    expect(await promptFrom(host)).toContain('old notes')
    expect(host.limits).toEqual([200, undefined])
  })
})

describe('the summary', () => {
  const finish = async (answering: unknown, isCompaction = true): Promise<string> => {
    const host = aHost([user('openai')], answering)
    const { hooks } = hooksOver(host)
    if (isCompaction)
      await hooks['experimental.session.compacting']({ sessionID: 'ses_1' }, { context: [] })
    const output = { text: 'notes' }
    const asked = { sessionID: 'ses_1', messageID: 'msg_1', partID: 'p' }
    await hooks['experimental.text.complete'](asked, output)
    const again = { text: 'next answer' }
    await hooks['experimental.text.complete'](asked, again)
    expect(again.text).toBe('next answer')
    return output.text
  }

  it('gets the words before it, once, and no other answer does', async () => {
    expect(await finish(answer('', true))).toBe(`${OWN_SUMMARY_PREFIX}\nnotes`)
    expect(await finish(answer(''))).toBe('notes')
    expect(await finish(null)).toBe('notes')
    expect(await finish(answer('', true), false)).toBe('notes')
  })

  it('loses them again when it is carried over', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (summary, prefix) => {
        const whole = withPrefix(summary, prefix)
        expect(withPrefix(whole, prefix)).toBe(whole)
        if (!summary.startsWith(prefix)) expect(withoutPrefix(whole, [prefix])).toBe(summary)
        expect(withoutPrefix(summary, [])).toBe(summary)
      }),
    )
  })

  it('and every word of the context stand in the prompt', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (previousSummary, context) => {
        const prompt = compactionPrompt({ prompt: 'P', previousSummary, context })
        expect(prompt.startsWith('P')).toBe(true)
        for (const text of [previousSummary, ...context]) expect(prompt).toContain(text)
      }),
    )
  })
})
