import { describe, expect, it } from 'vitest'

import { errorResponse } from '../../lib/request/failures/host-error.js'
import { hostSafeText } from '../../lib/request/failures/host-text.js'
import { classifyEvent, classifyResponse } from '../../lib/request/failures/classify.js'
import { CodexError } from '../../lib/kernel/errors.js'
import { ALPHABETS, growth, repeated, SQUARE_GROWTH } from '../support/growth.js'

const asked = { model: 'gpt-5.5', limitId: 'codex', nowMs: 1_000, headers: new Headers() }

describe('judging an error of any size', () => {
  it.each(ALPHABETS)(
    'takes a time that grows with the answer, also for a megabyte of %j (a hostile error stood still for minutes)',
    (unit) => {
      const text = (chars: number): string => repeated(unit, chars)
      const works: readonly ((long: string) => unknown)[] = [
        (long) => classifyResponse({ ...asked, status: 500, bodyText: long }),
        (long) =>
          classifyEvent({
            ...asked,
            event: { type: 'error', error: { message: long, code: long } },
          }),
        (long) =>
          classifyEvent({
            ...asked,
            event: {
              type: 'response.failed',
              response: { error: { code: 'x' }, detail: [{ msg: long }] },
            },
          }),
        (long) => hostSafeText(long),
        (long) => errorResponse(new CodexError('backend_failed', long)),
      ]
      for (const work of works) expect(growth(work, text)).toBeLessThan(SQUARE_GROWTH)
    },
  )

  it('never shows half of a token that the backend has put behind a long text', () => {
    const { message } = classifyEvent({
      ...asked,
      event: {
        type: 'error',
        error: { message: `refused ${'x '.repeat(100)}sk-proj-0123456789abcdef0123456789` },
      },
    })
    expect(message).not.toMatch(/sk-proj-0/)
  })
})
