import { mkdir } from 'node:fs/promises'
import path from 'node:path'

import { onTestFinished } from 'vitest'

import { WINDOWS_PACKAGES } from '../../scripts/windows/pins.js'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../simulator/index.js'
import { METHODS } from '../e2e/setup.js'
import { DEFAULT_MODEL, OFFLINE } from '../support/host.js'
import { packPackage } from '../support/pack.js'
import { type Registry, startRegistry } from '../support/registry.js'
import type { Home, Windows, WindowsEnd } from './windows.js'

/** The real opencode.exe with a home, a registry that has the packed plugin, and a simulated backend. */
export class WindowsHost {
  readonly home: Home
  readonly simulator: Simulator
  readonly registry: Registry
  readonly #windows: Windows
  readonly #env: Record<string, string | null>

  private constructor(windows: Windows, home: Home, simulator: Simulator, registry: Registry) {
    this.#windows = windows
    this.home = home
    this.simulator = simulator
    this.registry = registry
    this.#env = {
      ...home.env,
      ...OFFLINE,
      OC_CODEX_SIMULATOR_ISSUER: simulator.url,
      OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
    }
  }

  /** Closed with the test. */
  static async start(
    windows: Windows,
    home: Home,
    options: SimulatorOptions = {},
  ): Promise<WindowsHost> {
    const registry = await startRegistry([await packPackage()])
    onTestFinished(() => registry.close())
    const simulator = await startSimulator({
      ...options,
      settings: { deviceIntervalSec: 1, ...options.settings },
    })
    onTestFinished(() => simulator.close())
    await mkdir(home.file('project'), { recursive: true })
    await home.write(home.file('.npmrc'), `registry=${registry.url}\nfetch-retries=0\n`)
    await seed(home, path.dirname(home.hostConfig))
    await seed(home, home.file('.opencode'))
    return new WindowsHost(windows, home, simulator, registry)
  }

  /** What its programs get beside what Wine sets. */
  get env(): Record<string, string | null> {
    return this.#env
  }

  opencode(args: readonly string[], env: Record<string, string | null> = {}): Promise<WindowsEnd> {
    return this.#windows.run('opencode', args, {
      cwd: this.home.file('project'),
      env: { ...this.#env, ...env },
    })
  }

  /** Signs an account in with a device code. */
  async signIn(account: string, env: Record<string, string | null> = {}): Promise<WindowsEnd> {
    this.simulator.changeSettings({ autoApprove: account, deviceApproveAfterPolls: 0 })
    const method = ['--provider', 'openai', '--method', METHODS.device]
    const end = await this.opencode(['auth', 'login', ...method], env)
    this.simulator.changeSettings({ autoApprove: null, deviceApproveAfterPolls: null })
    return end
  }

  prompt(text: string, env: Record<string, string | null> = {}): Promise<WindowsEnd> {
    return this.opencode(['run', '--model', DEFAULT_MODEL, '--title', 'named', text], env)
  }
}

/** What keeps OpenCode from looking for its own package in the registry. */
async function seed(home: Home, folder: string): Promise<void> {
  const name = '@opencode-ai/plugin'
  const version = WINDOWS_PACKAGES['opencode-windows-x64']
  const dependencies = { [name]: version }
  const files: Record<string, unknown> = {
    [path.join('node_modules', name, 'package.json')]: { name, version },
    'package.json': { dependencies },
    'package-lock.json': { lockfileVersion: 3, packages: { '': { dependencies } } },
  }
  for (const [file, content] of Object.entries(files))
    await home.write(path.join(folder, file), JSON.stringify(content))
}
