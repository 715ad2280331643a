import * as z from 'zod'

import { accountName } from '../../accounts/labels.js'
import { spelledOut } from '../../account-view/words.js'
import { CodexError, isCodexError } from '../../kernel/errors.js'
import { sha256Hex } from '../../kernel/hash.js'
import { counted } from '../../kernel/text/plural.js'
import { listResetCredits, type Redeemed, redeemResetCredit } from '../../quota/reset-credits.js'
import { findAccount } from '../../account-view/find-account.js'
import { accountArg } from '../accounts/account-edit.js'
import { agreeing, defineTool } from '../definition.js'
import { readLimits } from '../read-limits.js'

export const codexReset = defineTool({
  name: 'reset',
  group: 'Daily use',
  summary: 'List banked resets of the limits of an account; redeem one only with confirm.',
  risk: 'spend',
  args: {
    account: accountArg.describe('default: the active account').optional(),
    action: z.enum(['status', 'consume']).optional(),
    creditId: z.string().describe('default: the one that expires first').optional(),
    confirm: z.boolean().describe('true redeems; a banked reset cannot be given back').optional(),
  },
  positional: ['account'],
  riskOf: ({ action }) => (action === 'consume' ? 'spend' : 'read'),
  userOnly: ['confirm'],
  async run(runtime, { account, action = 'status', creditId, confirm }, context) {
    const { signal } = context
    context.progress('asking the backend for banked resets')
    const pool = await runtime.store.read()
    const target = findAccount(pool, account ?? pool.activeIndex + 1, runtime.config.maskEmail)
    const name = accountName(target.account, target.position, runtime.config)
    const grant = await runtime.tokens.access(target.account, signal)
    const deps = {
      fetch: runtime.fetch,
      backend: runtime.endpoints.backend,
      userAgent: runtime.userAgent,
      now: () => runtime.clock.now(),
    }
    const caller = { token: grant.token, accountId: target.account.accountId }
    const listed = await listResetCredits(deps, caller, signal)
    const credits = listed.filter((credit) => credit.status === 'available')
    const base = {
      account: name,
      action,
      availableCount: credits.length,
      credits,
      /** True only when the backend carried it out; null when that is not known. */
      redeemed: false as boolean | null,
      result: null as Redeemed | null,
    }
    if (action === 'status')
      return { ...base, message: `${name} has ${counted(credits.length, 'banked reset')}.` }
    const credit =
      creditId === undefined
        ? [...credits].sort((left, right) =>
            (left.expiresAt ?? '~').localeCompare(right.expiresAt ?? '~'),
          )[0]
        : credits.find(({ id }) => id === creditId)
    if (credit === undefined && listed.some(({ id }) => id === creditId))
      throw new CodexError(
        'invalid_input',
        `The banked reset ${JSON.stringify(creditId)} of ${name} is used up already.`,
        { hint: 'Nothing was changed.' },
      )
    if (credit === undefined)
      throw new CodexError(
        'invalid_input',
        creditId === undefined
          ? `${name} has no banked reset.`
          : `${name} has no banked reset ${JSON.stringify(creditId)}.`,
      )
    if (confirm !== true)
      return {
        ...base,
        message: `One banked reset of ${name} would be redeemed. Nothing was changed; ${agreeing(context)} to redeem it.`,
      }
    const requestId = requestIdOf(target.account.uid, credit.id)
    const result = await redeemResetCredit(
      deps,
      caller,
      { requestId, creditId: credit.id },
      signal,
    ).catch((error: unknown) => {
      if (!isCodexError(error) || error.code !== 'backend_unreachable') throw error
      throw new CodexError(
        'backend_unreachable',
        `${error.message} Whether the reset was redeemed is not known.`,
        {
          cause: error,
          hint: `Repeat it with creditId ${credit.id}: the same one is never redeemed twice`,
        },
      )
    })
    const done = result.code === 'reset'
    if (done) {
      runtime.ledger.clear(target.account.uid, runtime.clock.now())
      await readLimits(runtime, target.account, signal).catch(() => undefined)
      await runtime.ledger.flush()
    }
    return {
      ...base,
      redeemed: result.code === 'unknown' ? null : done,
      result,
      message: done
        ? `${name}: ${counted(result.windowsReset, 'window was', 'windows were')} reset.`
        : `${name}: nothing was redeemed (${spelledOut(result.code)}).`,
    }
  },
  render: (data) =>
    [
      data.message,
      ...data.credits.map(
        (credit) =>
          `  ${credit.id}${credit.expiresAt === undefined ? '' : `, expires ${credit.expiresAt.slice(0, 10)}`}`,
      ),
    ].join('\n'),
  failed: (data) => data.action === 'consume' && data.redeemed !== true && data.result !== null,
})

/** The same for a credit in every version: a repetition after a lost answer or an update redeems nothing twice. */
function requestIdOf(uid: string, creditId: string): string {
  const hex = sha256Hex(`${uid} ${creditId}`)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
