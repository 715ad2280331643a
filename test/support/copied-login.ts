import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, onTestFinished } from 'vitest'

import type { Account } from '../../lib/accounts/account.js'
import { projectKeyOf } from '../../lib/accounts/project/project.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { openRuntime } from '../../lib/open-runtime.js'
import { type Runtime } from '../../lib/runtime.js'
import { type Simulator, startSimulator } from '../../simulator/index.js'
import { type RecordOnDisk, signedIn, writePool } from './records.js'
import { temporaryFolder } from './temporary.js'
import { homeIn } from './home.js'

const FILE = 'oc-codex-multi-auth-accounts.json'

/** A home with one login in the global pool, and pools of projects that an earlier version copied from it. */
export class CopiedLogin {
  readonly simulator: Simulator
  readonly home: string
  private constructor(simulator: Simulator, home: string) {
    this.simulator = simulator
    this.home = home
  }

  static async make(): Promise<CopiedLogin> {
    const simulator = await startSimulator({
      accounts: ['work'],
      settings: { reuseRevokesFamily: true },
    })
    onTestFinished(() => simulator.close())
    const home = await temporaryFolder()
    await mkdir(path.join(home, '.opencode', 'projects'), { recursive: true })
    return new CopiedLogin(simulator, home)
  }

  /** A login at the simulator as the earlier version stores it: no name of its own. */
  login(
    tokens = this.simulator.login('work', { accessSeconds: 1 }),
    more: RecordOnDisk = {},
  ): RecordOnDisk {
    return { ...signedIn(this.simulator, 'work', -1_000, tokens), ...more }
  }

  fileOf(project: string | undefined): string {
    const root = path.join(this.home, '.opencode')
    return project === undefined
      ? path.join(root, FILE)
      : path.join(root, 'projects', projectKeyOf(this.folderOf(project)), FILE)
  }

  folderOf(project: string): string {
    return path.join(this.home, 'src', project)
  }

  async put(project: string | undefined, ...accounts: readonly RecordOnDisk[]): Promise<void> {
    const file = this.fileOf(project)
    if (project !== undefined)
      await mkdir(path.join(this.folderOf(project), '.git'), { recursive: true })
    await writePool(file, accounts)
  }

  async in(project: string | undefined): Promise<Account> {
    const { accounts } = JSON.parse(await readFile(this.fileOf(project), 'utf8')) as {
      accounts: Account[]
    }
    return accounts[0]!
  }

  get env(): Record<string, string> {
    return {
      ...homeIn(this.home),
      OC_CODEX_SIMULATOR_ISSUER: this.simulator.url,
      OC_CODEX_SIMULATOR_BACKEND: this.simulator.backend,
    }
  }

  open(project: string | undefined): Runtime {
    const { env } = this
    const runtime = openRuntime({
      env,
      paths: resolvePaths(env),
      directory: project === undefined ? this.home : this.folderOf(project),
      host: { log: () => undefined, toast: () => undefined },
      watch: false,
    })
    onTestFinished(() => runtime.close())
    return runtime
  }

  /** Renews the first account of a pool, as its window would. */
  async refresh(project: string | undefined): Promise<string> {
    const runtime = this.open(project)
    expect(runtime.store.path).toBe(this.fileOf(project))
    const [account] = (await runtime.store.read()).accounts
    return (await runtime.tokens.refreshNow(account!)).token
  }

  /** Another program with a copy of the login spends its token and tells nobody. */
  async spendElsewhere(refreshToken: string): Promise<ReturnType<Simulator['login']>> {
    const answer = await fetch(`${this.simulator.url}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ grant_type: 'refresh_token', refresh_token: refreshToken }),
    })
    return (await answer.json()) as ReturnType<Simulator['login']>
  }

  /** Requests with a token that was dead. */
  reused(): number {
    return this.simulator.requests.filter(
      ({ path: asked, status }) => asked === '/oauth/token' && status !== 200,
    ).length
  }

  /** Tokens spent with success. */
  spent(): number {
    return this.simulator.requests.filter(
      ({ path: asked, status }) => asked === '/oauth/token' && status === 200,
    ).length
  }
}
