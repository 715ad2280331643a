import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { parsePool } from '../../../lib/accounts/store/pool-format.js'
import type { Account, StoredAccount } from '../../../lib/accounts/account.js'
import { type Paths, resolvePaths } from '../../../lib/kernel/files/paths.js'
import { type Simulator, startSimulator } from '../../../simulator/index.js'
import { signedIn, writePool } from '../../support/records.js'

/** A throw-away home with a backend of its own. */
export interface FaultHome {
  /** The home: everything below it counts. */
  readonly home: string
  /** Beside it: what no program may touch counts not. */
  readonly outside: string
  readonly paths: Paths
  readonly simulator: Simulator
  readonly env: Readonly<Record<string, string>>
  close(): Promise<void>
}

const SIMULATED = ['a', 'b', 'c'] as const
export const FOREIGN_ENTRY = { anthropic: { type: 'api', key: 'sk-of-somebody-else' } }
/** Each of its comments is looked for after every fault. */
export const HOST_CONFIG = `{
  // first: mine
  "$schema": "https://opencode.ai/config.json",
  "theme": "system", /* second: mine too */
  "provider": {
    "openai": {
      "options": { "timeout": 600000 } // third: on a line of its own
    }
  },
  "plugin": [
    // fourth: inside the list
    "another-plugin@1.2.3",
  ],
}
// fifth: at the end
`
const CONFIG = `{
  // a comment of the user
  "retryProfile": "aggressive",
  "toastDurationMs": 7000
}
`

/** Makes one; its accounts are written by the operation. */
export async function newHome(seed: number): Promise<FaultHome> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-fault-'))
  const home = path.join(folder, 'home')
  const outside = path.join(folder, 'outside')
  const bin = path.join(outside, 'bin')
  const paths = resolvePaths({ HOME: home })
  for (const one of [
    paths.root,
    paths.hostConfigDir,
    path.dirname(paths.hostAuthFile),
    paths.stateDir,
    bin,
    path.join(outside, 'keyring'),
  ])
    await mkdir(one, { recursive: true, mode: 0o700 })
  await writeFile(path.join(paths.hostConfigDir, 'opencode.jsonc'), HOST_CONFIG)
  await writeFile(paths.hostAuthFile, JSON.stringify(FOREIGN_ENTRY), { mode: 0o600 })
  await writeFile(paths.configFile, CONFIG, { mode: 0o600 })
  await writeSecretTool(path.join(bin, 'secret-tool'), path.join(outside, 'keyring'))
  const simulator = await startSimulator({
    accounts: SIMULATED.map((name) => ({
      name,
      windows: [
        { minutes: 300, limit: 1_000 },
        { minutes: 10_080, limit: 10_000 },
      ],
    })),
    seed,
    settings: { deviceIntervalSec: 0, deviceApproveAfterPolls: 0 },
  })
  return {
    home,
    outside,
    paths,
    simulator,
    env: {
      HOME: home,
      PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}`,
      OC_CODEX_SIMULATOR_ISSUER: simulator.url,
      OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
    },
    async close() {
      await simulator.close()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** A keychain for programs that look for `secret-tool`: one file per item. */
async function writeSecretTool(file: string, keyring: string): Promise<void> {
  const script = `#!/bin/sh
for name; do :; done
case "$1" in
  store) cat > '${keyring}'/"$name" ;;
  lookup) [ -f '${keyring}'/"$name" ] && cat '${keyring}'/"$name" ;;
  clear) rm '${keyring}'/"$name" 2> /dev/null ;;
esac
`
  await writeFile(file, script)
  await chmod(file, 0o755)
}

/** The record of a simulated account that has just signed in. */
export function justSignedIn(
  { simulator }: FaultHome,
  name: string,
  life: { readonly accessSeconds?: number } = {},
): StoredAccount {
  const tokens = simulator.login(name, life)
  return signedIn(simulator, name, (life.accessSeconds ?? 3_600) * 1_000, tokens)
}

/** Signs accounts in by writing the file. */
export async function seed(
  home: FaultHome,
  names: readonly string[],
  life: { readonly accessSeconds?: number } = {},
): Promise<void> {
  await writePool(
    home.paths.accountsFile,
    names.map((name) => justSignedIn(home, name, life)),
  )
}

/** The accounts on the disk; `unreadable` when the file is none. */
export async function accountsOf({ paths }: FaultHome): Promise<readonly Account[] | 'unreadable'> {
  const text = await readFile(paths.accountsFile, 'utf8').catch(() => undefined)
  if (text === undefined) return []
  const parsed = parsePool(text)
  return parsed.kind === 'pool' ? parsed.pool.accounts : 'unreadable'
}

/** Who an account is, in the names of the simulator; an API key by its endpoint. */
export function nameOf({ simulator }: FaultHome, account: StoredAccount): string {
  return (
    SIMULATED.find((name) => simulator.account(name).accountId === account.accountId) ??
    account.baseUrl ??
    'unknown'
  )
}
