import os from 'node:os'

import { EMPTY_POOL } from '../../accounts/account.js'
import { pseudonymOf } from '../../request/trace/trace.js'
import { messageOf } from '../../kernel/errors.js'
import { redact } from '../../kernel/text/redact.js'
import { packageVersion } from '../../kernel/version.js'
import { defineTool } from '../definition.js'

export const codexDiag = defineTool({
  name: 'diag',
  group: 'Diagnostics',
  summary: 'Make a report for a bug, without tokens, addresses, prompts or answers.',
  risk: 'read',
  args: {},
  async run(runtime) {
    // A report is wanted most when the account file cannot be read.
    let storageProblem: string | null = null
    const { accounts } = await runtime.store.read().catch((error: unknown) => {
      storageProblem = messageOf(error).replaceAll(runtime.paths.home, '~')
      return EMPTY_POOL
    })
    const nowMs = runtime.clock.now()
    const { config, sources, problems } = runtime.loaded
    const changed = Object.fromEntries(
      Object.entries(config).filter(
        ([name]) => sources[name as keyof typeof sources] !== 'default',
      ),
    )
    return redact({
      plugin: { name: 'oc-codex-multi-auth', version: packageVersion() },
      runtime: {
        engine:
          process.versions.bun === undefined
            ? `node ${process.version}`
            : `bun ${process.versions.bun}`,
        platform: process.platform,
        arch: process.arch,
        release: os.release(),
      },
      storage: {
        path: runtime.store.path.replace(runtime.paths.home, '~'),
        scope: runtime.scope.kind,
        problem: storageProblem,
      },
      config: { changed, problems: problems.length },
      accounts: accounts.map((account) => ({
        account: pseudonymOf(account.uid),
        kind: account.kind ?? 'oauth',
        plan: account.planType ?? null,
        enabled: account.enabled !== false,
        needsLogin: account.needsLogin !== undefined,
        blocks: runtime.ledger
          .activeBlocks(account.uid, nowMs)
          .map(
            (block) =>
              `${block.scope} ${block.reason} for ${Math.round((block.untilMs - nowMs) / 1000)} s`,
          ),
      })),
      metrics: runtime.metrics.snapshot().counters,
      requests: runtime.trace
        .recent()
        .slice(-20)
        .map(({ session: _session, ...record }) => record),
      redactionApplied: true,
    })
  },
  render: (data) => JSON.stringify(data, undefined, 2),
})
