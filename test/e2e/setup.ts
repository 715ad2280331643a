import path from 'node:path'

import { onTestFinished } from 'vitest'

import { type Simulator, type SimulatorOptions, startSimulator } from '../../lib/simulator/index.js'
import { createHost, type Host, type HostOptions } from '../support/host.js'
import { packPackage } from '../support/pack.js'
import { startRegistry } from '../support/registry.js'

/** A throw-away OpenCode that installs the packed plugin from a loopback registry, and a simulator for it. */
export interface Stage {
  readonly host: Host
  readonly simulator: Simulator
  /** Path of the plugin's account file. */
  readonly accountsFile: string
}

export interface StageOptions {
  readonly simulator?: SimulatorOptions
  readonly host?: Partial<HostOptions>
  /** Accounts that sign in before the test begins, by device code. */
  readonly signedIn?: readonly string[]
}


/** Sets the stage for one test and clears it afterwards. */
export async function setStage(options: StageOptions = {}): Promise<Stage> {
  const published = await packPackage()
  const registry = await startRegistry([published])
  onTestFinished(() => registry.close())
  const simulator = await startSimulator({ ...options.simulator, settings: { deviceIntervalSec: 1, ...options.simulator?.settings } })
  onTestFinished(() => simulator.close())
  const host = await createHost({
    plugins: [published.manifest.name],
    registry: registry.url,
    simulator: { issuer: simulator.url, backend: simulator.backend },
    ...options.host,
  })
  onTestFinished(() => host.cleanup())
  const stage = { host, simulator, accountsFile: path.join(host.home, '.opencode', 'oc-codex-multi-auth-accounts.json') }
  for (const account of options.signedIn ?? []) await signIn(stage, account)
  return stage
}

/** Signs an account in with a device code, as over SSH. */
export async function signIn({ host, simulator }: Stage, account: string): Promise<void> {
  simulator.changeSettings({ autoApprove: account, deviceApproveAfterPolls: 0 })
  const login = await host.login('ChatGPT account (device code, for SSH and containers)')
  simulator.changeSettings({ autoApprove: null, deviceApproveAfterPolls: null })
  if (login.code !== 0 || !/success/i.test(login.stdout + login.stderr)) throw new Error(`the login of ${account} did not work:\n${login.stdout}\n${login.stderr}`)
}

