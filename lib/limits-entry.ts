import { CodexError, messageOf } from './kernel/errors.js'
import { resolvePaths } from './kernel/paths.js'
import { redactText } from './kernel/redact.js'
import { createRuntime } from './runtime.js'
import { refreshReading } from './tools/codex-limits.js'
import type { LimitsChunk } from './tui/read-limits.js'

const TIMEOUT_MS = 60_000

/** A chunk of its own, so that the TUI loads schemas and network only when somebody asks for a reading. */
export const readLimitsNow: LimitsChunk['readLimitsNow'] = async (uid, { env, directory }) => {
  const runtime = createRuntime({
    env,
    directory,
    paths: resolvePaths(env),
    host: { log: () => undefined, toast: () => undefined },
    watch: false,
  })
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const account = (await runtime.store.read()).accounts.find((one) => one.uid === uid)
    if (account === undefined)
      throw new CodexError('invalid_input', 'The account is gone.', { hint: '' })
    await runtime.ledger.load()
    await refreshReading(runtime, account, signal)
    await runtime.ledger.flush()
  } catch (error) {
    throw new Error(
      signal.aborted ? 'The backend did not answer in time.' : redactText(messageOf(error)),
      { cause: error },
    )
  } finally {
    await runtime.close()
  }
}
