import os from 'node:os'
import path from 'node:path'

import * as z from 'zod'

import { timestamp } from '../../accounts/store/backups.js'
import { EMPTY_POOL } from '../../accounts/account.js'
import { MAX_SNAPSHOTS } from '../../request/trace/snapshot-folder.js'
import { aboutHere } from '../../login/surroundings.js'
import { pseudonymOf } from '../../request/trace/trace.js'
import { CodexError, messageOf } from '../../kernel/errors.js'
import { givenPath } from '../../kernel/files/given-path.js'
import { isRecord } from '../../kernel/text/json.js'
import { redact } from '../../kernel/text/redact.js'
import { packageVersion } from '../../kernel/version.js'
import type { Runtime } from '../../runtime.js'
import { defineTool } from '../definition.js'
import { type Packed, packSnapshots, packText } from './snapshot-pack.js'

/** Enough for what went wrong last, and small enough to be looked through. */
const PACKED_BY_DEFAULT = 20

export const codexDiag = defineTool({
  name: 'diag',
  group: 'Diagnostics',
  summary: 'Make a report for a bug, without tokens, addresses, prompts or answers.',
  risk: 'read',
  args: {
    snapshots: z
      .boolean()
      .describe('pack the newest snapshots of requests and this report into one file')
      .optional(),
    last: z.int().min(1).max(MAX_SNAPSHOTS).describe('how many snapshots; default 20').optional(),
    out: z
      .string()
      .min(1)
      .describe('the file; default: a new one in ~/.opencode/logs/codex-plugin')
      .optional(),
    withTexts: z
      .boolean()
      .describe('keep the texts of requests where the snapshots have them (snapshotTexts)')
      .optional(),
    dryRun: z.boolean().describe('show what would be packed and write nothing').optional(),
    force: z.boolean().describe('replace a file that is no pack').optional(),
  },
  positional: ['last'],
  userOnly: ['snapshots', 'last', 'out', 'withTexts', 'dryRun', 'force'],
  async run(runtime, { snapshots = false, ...order }, { directory }) {
    const [given] = Object.keys(order)
    if (!snapshots && given !== undefined)
      throw new CodexError('invalid_input', `Argument ${given} needs snapshots.`)
    const { report, accounts } = await diagnose(runtime)
    if (!snapshots) return report
    const { last = PACKED_BY_DEFAULT, withTexts = false, dryRun = false, force = false } = order
    const name = `snapshots-${timestamp(runtime.clock.now())}.json`
    const file =
      order.out === undefined
        ? path.join(runtime.paths.logsDir, name)
        : givenPath(order.out, { directory, home: runtime.paths.home })
    const pack: Packed = await packSnapshots(runtime, {
      most: last,
      withTexts,
      file: dryRun ? undefined : file,
      force,
      report,
      accounts,
    })
    return { pack }
  },
  render: (data, view) =>
    'pack' in data ? packText(data.pack, view) : JSON.stringify(data, undefined, 2),
})

/** An address, a path, and what holds one: it tells where somebody works and whom they ask. */
const PLACE = /^[/~]|^[A-Za-z]:[\\/]|\\|:\/\/|@/

/** Settings for the eyes of strangers: no endpoint of the user's own and no folder is in them, be it the name of a member. Pure. */
function withoutPlaces(value: unknown): unknown {
  if (typeof value === 'string') return PLACE.test(value) ? '[hidden]' : value
  if (Array.isArray(value)) return value.map(withoutPlaces)
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner], index) => [
      PLACE.test(name) ? `[hidden ${index + 1}]` : name,
      withoutPlaces(inner),
    ]),
  )
}

/** The report, and the accounts whose secrets must be in no file that goes with it. */
async function diagnose(runtime: Runtime) {
  // A report is wanted most when the account file cannot be read.
  let storageProblem: string | null = null
  const { accounts } = await runtime.store.read().catch((error: unknown) => {
    storageProblem = messageOf(error).replaceAll(runtime.paths.home, '~')
    return EMPTY_POOL
  })
  const nowMs = runtime.clock.now()
  const { config, sources, problems } = runtime.loaded
  const changed = Object.fromEntries(
    Object.entries(config).filter(([name]) => sources[name as keyof typeof sources] !== 'default'),
  )
  const report = redact({
    plugin: { name: 'oc-codex-multi-auth', version: packageVersion() },
    runtime: {
      engine:
        process.versions.bun === undefined
          ? `node ${process.version}`
          : `bun ${process.versions.bun}`,
      platform: process.platform,
      arch: process.arch,
      release: os.release(),
      surroundings: aboutHere(runtime.env).name,
    },
    storage: {
      path: runtime.store.path.replace(runtime.paths.home, '~'),
      scope: runtime.scope.kind,
      problem: storageProblem,
    },
    config: { changed: withoutPlaces(changed), problems: problems.length },
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
  return { report, accounts }
}
