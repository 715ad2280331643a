import type { Account } from '../accounts/account.js'
import { CodexError, messageOf } from '../kernel/errors.js'
import { counted } from '../kernel/text/plural.js'
import { redactText } from '../kernel/text/redact.js'
import { readUsage } from '../quota/usage-client.js'
import type { Runtime } from '../runtime.js'
import type { ToolContext } from './definition.js'

/** Readings asked for at the same time. */
const PARALLEL = 4

/**
 * Asks the backend what is left of an account; a failed reading changes nothing.
 * @throws CodexError when the account may not be asked, or there is no answer
 */
export async function readLimits(
  runtime: Runtime,
  account: Account,
  signal: AbortSignal,
): Promise<void> {
  const { clock, fetch, endpoints, userAgent, ledger, tokens } = runtime
  if (account.enabled === false)
    throw new CodexError('account_not_allowed', 'Disabled; not asked.', { hint: '' })
  const grant = await tokens.access(account, signal)
  const reading = await readUsage(
    { fetch, backend: endpoints.backend, userAgent, now: () => clock.now() },
    { token: grant.token, accountId: account.accountId },
    signal,
  )
  ledger.observe(account.uid, reading, clock.now())
}

/**
 * Asks for several accounts; an API key has no limits to read and is passed over.
 * @returns why there is no reading, by uid
 */
export async function readAllLimits(
  runtime: Runtime,
  accounts: readonly Account[],
  { signal, progress }: Pick<ToolContext, 'signal' | 'progress'>,
): Promise<ReadonlyMap<string, string>> {
  const errors = new Map<string, string>()
  const waiting = accounts.filter(({ kind }) => kind !== 'api-key')
  const total = waiting.length
  let done = 0
  const work = async (): Promise<void> => {
    for (let account = waiting.shift(); account !== undefined; account = waiting.shift()) {
      const { uid } = account
      await readLimits(runtime, account, signal).catch((error: unknown) => {
        if (signal.aborted) throw error
        errors.set(uid, redactText(messageOf(error)))
      })
      done += 1
      progress(`${done} of ${total} accounts read`)
    }
  }
  progress(`reading the limits of ${counted(total, 'account')}`)
  await Promise.all(Array.from({ length: PARALLEL }, work))
  await runtime.ledger.flush()
  return errors
}
