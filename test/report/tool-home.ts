import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { onTestFinished } from 'vitest'

import type { HistoryEntry } from '../../lib/history/entries.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { openRuntime } from '../../lib/open-runtime.js'
import { type Runtime } from '../../lib/runtime.js'
import { temporaryFolder } from '../support/temporary.js'
import { NOW } from './entries.js'
import { anAccount, writePool } from '../support/records.js'
import { homeIn } from '../support/home.js'

/** A runtime over a home with two accounts, readings of both and this history. The clock stands at `NOW`. */
export async function runtimeWith(
  entries: readonly HistoryEntry[],
  extraLines: readonly string[] = [],
): Promise<Runtime> {
  const home = await temporaryFolder()
  const paths = resolvePaths(homeIn(home))
  const accounts = ['u1', 'u2'].map((uid) => ({
    ...anAccount(uid, { accountUserId: uid, email: `${uid}.person@example.com` }),
    refreshToken: `rt_${uid}secretsecret`,
    accountId: `acc-${uid}`,
    accessToken: undefined,
    expiresAt: undefined,
  }))
  await writePool(paths.accountsFile, accounts)
  await mkdir(paths.stateDir, { recursive: true })
  await writeFile(
    path.join(paths.stateDir, 'oc-codex-multi-auth-history.jsonl'),
    [...entries.map((entry) => JSON.stringify(entry)), ...extraLines].join('\n'),
  )
  const runtime = openRuntime({
    env: homeIn(home),
    directory: home,
    paths,
    host: { log: () => undefined, toast: () => undefined },
    watch: false,
    clock: { now: () => NOW, sleep: async () => undefined },
  })
  onTestFinished(() => runtime.close())
  const pool = await runtime.store.read()
  for (const { uid } of pool.accounts) {
    runtime.ledger.observe(
      uid,
      {
        limits: [
          {
            limitId: 'codex',
            windows: [
              {
                kind: 'five_hour',
                usedPercent: 38,
                resetsAtMs: NOW + 3_600_000,
                observedAtMs: NOW,
                source: 'usage',
              },
            ],
          },
        ],
      },
      NOW,
    )
  }
  return runtime
}
