import { describe, expect, it } from 'vitest'

import { ERROR_TABLE } from '../../lib/kernel/errors.js'
import { blockAccount } from '../../lib/request/failures/blocks.js'
import {
  classifyEvent,
  classifyResponse,
  classifyThrown,
} from '../../lib/request/failures/classify.js'
import type { FailureRow } from '../../lib/request/failures/failure-row.js'
import {
  decideNext,
  errorOf,
  type Failure,
  type FailureKind,
  FAILURES,
  type FailureTable,
  toastOf,
} from '../../lib/request/failures/failures.js'
import { isHostSafe } from '../../lib/request/failures/host-text.js'
import {
  createRetryBudget,
  NEXT_ACCOUNT,
  type Progress,
  RETRY_PROFILES,
} from '../../lib/request/failures/retry.js'
import { failureRows } from '../../scripts/generated-files.js'

const NOW = 1_800_000_000_000
const WHO = { label: 'Account 1', nowMs: NOW }
const asked = { model: 'gpt-5.5', limitId: 'codex', nowMs: NOW, headers: new Headers() }
const progress = (changes: Partial<Progress> = {}): Progress => ({
  budget: createRetryBudget(RETRY_PROFILES.balanced),
  refreshed: false,
  droppedReasoning: false,
  hasEncryptedReasoning: true,
  repairedHistory: false,
  hasAlternative: () => true,
  random: 0.5,
  emptyRetryDelayMs: 1_000,
  ...changes,
})

describe('a new failure is one row of the table', () => {
  const row: FailureRow = {
    summary: 'country without the service',
    codes: ['unsupported_country'],
    sentence: /your country is not supported/i,
    statuses: [451],
    thrown: (error) => error instanceof RangeError,
    block: blockAccount('forbidden', 3_600_000),
    next: NEXT_ACCOUNT,
    blame: 'account',
    error: 'account_not_allowed',
    says: (_failure, { label }) => `${label} cannot be used in this country.`,
    toast: 'cannot be used here',
  }
  const table: FailureTable = { unsupported_country: row, ...FAILURES }
  const answer = (status: number, body: unknown): Failure =>
    classifyResponse({ ...asked, status, bodyText: JSON.stringify(body) }, table)
  const seen: readonly (readonly [string, Failure])[] = [
    ['by its code', answer(400, { error: { code: 'unsupported_country' } })],
    ['by its sentence', answer(400, { detail: 'Your country is not supported.' })],
    ['by its status', answer(451, {})],
    ['by what was thrown', classifyThrown(new RangeError('x'), table)],
    [
      'by an event of the stream',
      classifyEvent({ ...asked, event: { type: 'error', code: 'unsupported_country' } }, table),
    ],
  ]

  it.each(seen)('recognised %s', (_how, { kind }) => {
    expect(kind).toBe('unsupported_country')
  })

  it('with its block, its next step, its sentence and its toast', () => {
    const [[, failure] = ['', answer(400, {})]] = seen
    expect(failure.block).toMatchObject({ scope: '*', untilMs: NOW + 3_600_000 })
    expect(decideNext(failure, progress(), table)).toEqual({ do: 'next_account' })
    const error = errorOf(failure, WHO, table)
    expect([error.code, error.message]).toEqual([
      'account_not_allowed',
      'Account 1 cannot be used in this country.',
    ])
    expect(toastOf(failure.kind, table)).toBe('cannot be used here')
  })

  it('with its line in the document', () => {
    expect(failureRows(table).split('\n')).toContain(
      '| `unsupported_country`: country without the service | code `unsupported_country`; its sentence; status 451; what `fetch` threw | the next account | the account for 1 h | account | `account_not_allowed`; the host shows it |',
    )
  })
})

describe.each(Object.entries(FAILURES) as [FailureKind, FailureRow][])(
  'the row of %s',
  (kind, row) => {
    it('is met again under each of its own codes', () => {
      for (const code of row.codes ?? [])
        expect(
          classifyResponse({ ...asked, status: 400, bodyText: JSON.stringify({ error: { code } }) })
            .kind,
        ).toBe(kind)
    })

    it('tells the user in a sentence that the host neither repeats nor compacts on', () => {
      const said = [{}, { status: 500, code: 'econnrefused', once: true }].map(
        (facts) => errorOf({ kind, ...facts }, WHO).message,
      )
      for (const sentence of said) {
        expect(sentence).toMatch(/^[A-Z].*\.$/)
        expect(
          isHostSafe(sentence.replace(' (HTTP status 500)', '').replace(' (econnrefused)', '')),
        ).toBe(true)
      }
    })

    it('has a status that the host does not repeat, and makes it compact for one reason alone', () => {
      const { status } = ERROR_TABLE[row.error]
      expect([400, 401, 403, 413]).toContain(status)
      expect(row.host === 'compacts').toBe(status === 413)
    })

    it('is never asked for twice once it was answered', () => {
      const next = decideNext({ kind, once: true }, progress()).do
      expect(['stop', 'next_account']).toContain(next)
      expect(decideNext({ kind, once: true }, progress({ hasAlternative: () => false })).do).toBe(
        'stop',
      )
    })
  },
)
