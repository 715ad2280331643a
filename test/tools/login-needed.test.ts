import { describe, expect, it, onTestFinished } from 'vitest'

import { startSimulator } from '../../simulator/index.js'
import { aHome } from '../support/home.js'
import { signedIn } from '../support/records.js'
import { runCli } from '../support/run-cli.js'

/** Exit code and error of one account that is marked to sign in again. */
async function asked(
  command: 'limits' | 'health',
  expiresInMs: number,
): Promise<{ readonly code: number; readonly error: string | null; readonly windows: number }> {
  const simulator = await startSimulator({ accounts: [{ name: 'out' }] })
  onTestFinished(() => simulator.close())
  const needsLogin = { since: 1, reason: 'invalid_grant' }
  const home = await aHome([{ ...signedIn(simulator, 'out', expiresInMs), needsLogin }])
  const env = {
    OC_CODEX_SIMULATOR_ISSUER: simulator.url,
    OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
  }
  const { code, stdout } = await runCli(home, [command, '--json'], { env })
  const { accounts } = JSON.parse(stdout) as {
    accounts: { error: string | null; windows: unknown[] }[]
  }
  return { code, error: accounts[0]?.error ?? null, windows: accounts[0]?.windows.length ?? 0 }
}

describe.each(['limits', 'health'] as const)(
  '%s of an account that must sign in again',
  (command) => {
    it('asks the backend while its access token is good', async () => {
      const { code, error, windows } = await asked(command, 3_600_000)
      expect({ code, error }).toEqual({ code: 0, error: null })
      expect(windows).toBeGreaterThan(0)
    })

    it('says why it cannot once the token has ended', async () => {
      const { code, error, windows } = await asked(command, -1_000)
      expect({ code, windows }).toEqual({ code: 1, windows: 0 })
      expect(error).toContain('invalid_grant')
    })
  },
)
