import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { OLDEST_HOST } from '../lib/host-setup/oldest-host.js'
import { ageOfHost } from '../lib/host-setup/tested-hosts.js'
import { startSimulator } from '../simulator/index.js'
import { createHost, type Host } from '../test/support/host.js'
import { packPackage } from '../test/support/pack.js'
import { startRegistry } from '../test/support/registry.js'
import { opencodeVersion } from './opencode-binary.mjs'
import { lacksOf } from './opencode-versions.mjs'

interface DemoOptions {
  /** One JSON summary instead of the story. */
  readonly json: boolean
  /** Leave the throw-away home in place. */
  readonly keep: boolean
}

interface Step {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

const LOGIN = 'ChatGPT account (device code, for SSH and containers)'
const BROWSER_LOGIN = 'ChatGPT account (browser)'
const ACCOUNTS = ['personal', 'work'] as const

/**
 * Plays the demo.
 * @returns the exit code: 0 when every step did what it should, 1 when one did not, 130 after Ctrl-C
 */
export async function playDemo({ json, keep }: DemoOptions): Promise<number> {
  const say = (text: string): void => {
    if (!json) process.stdout.write(`${text}\n`)
  }
  const version = opencodeVersion()
  if (ageOfHost(version) === 'too-old') {
    process.stderr.write(
      `OpenCode ${version} is too old: this plugin needs ${OLDEST_HOST} or newer.\n`,
    )
    return 1
  }
  const steps: Step[] = []
  const step = (name: string, ok: boolean, detail: string): void => {
    steps.push({ name, ok, detail })
    say(`   ${ok ? '✓' : '✗'} ${detail}\n`)
  }
  const cleanUp: (() => Promise<void>)[] = []
  const onInterrupt = (): void => {
    void clean().then(() => process.exit(130))
  }
  const clean = async (): Promise<void> => {
    for (const undo of cleanUp.splice(0).reverse()) await undo().catch(() => undefined)
  }
  process.once('SIGINT', onInterrupt)
  process.once('SIGTERM', onInterrupt)

  try {
    say(`\n${lacksOf(version)}`)
    say('\n1. Pack this plugin and serve it from a registry on this machine')
    const published = await packPackage()
    const registry = await startRegistry([published])
    cleanUp.push(() => registry.close())
    step('pack', true, `${published.manifest.name} ${published.manifest.version}`)

    say('2. Start a simulated login server and Codex backend, and a throw-away home for OpenCode')
    const simulator = await startSimulator({
      accounts: [...ACCOUNTS],
      settings: { deviceIntervalSec: 1, deltaMs: 40 },
    })
    cleanUp.push(() => simulator.close())
    const host = await createHost({
      plugins: [published.manifest.name],
      registry: registry.url,
      simulator: { issuer: simulator.url, backend: simulator.backend },
    })
    if (!keep) cleanUp.push(() => host.cleanup())
    step('simulator', true, `${simulator.url}, nothing here leaves this machine`)

    say('3. Sign in: "personal" in a browser, "work" with a device code')
    simulator.changeSettings({ autoApprove: 'personal' })
    const browser = await host.login(BROWSER_LOGIN)
    simulator.changeSettings({ autoApprove: 'work', deviceApproveAfterPolls: 0 })
    const device = await host.login(LOGIN)
    const names = await accountsOf(host)
    step(
      'login',
      browser.code === 0 && device.code === 0 && names.length === 2,
      `accounts in the pool: ${names.join(', ')}`,
    )

    say('4. A prompt: opencode run --model openai/gpt-5.5 …')
    const from = simulator.requests.length
    const first = await host.prompt(
      'SIM:say Hello! These words came one by one through the plugin.',
      { title: 'demo', onOutput: streamed(json) },
    )
    const served = answersFrom(simulator, from)
    step(
      'prompt',
      first.code === 0 && first.stdout.includes('Hello!'),
      `answered by ${served.at(-1)?.account ?? 'nobody'} in ${served.length} request`,
    )

    const before = served.at(-1)?.account ?? ACCOUNTS[0]
    say(`5. The weekly limit of "${before}" is used up; the same prompt again`)
    simulator.patchAccount(before, { windows: [{ minutes: 10_080, limit: 100, used: 100 }] })
    const limitFrom = simulator.requests.length
    const second = await host.prompt(
      'SIM:say The other account went on, and nobody had to do anything.',
      { continueSession: true, onOutput: streamed(json) },
    )
    const moved = answersFrom(simulator, limitFrom)
    const ok = second.code === 0 && moved.at(-1)?.status === 200 && moved.at(-1)?.account !== before
    step(
      'failover',
      ok,
      moved.map(({ account, status }) => `${account ?? '?'} answered ${status}`).join(', then '),
    )

    say('6. Both are used up now')
    for (const name of ACCOUNTS)
      simulator.patchAccount(name, { windows: [{ minutes: 10_080, limit: 100, used: 100 }] })
    const third = await host.prompt('SIM:say nobody', {
      continueSession: true,
      onOutput: streamed(json),
    })
    const told = /accounts are at a limit; the first is free again [^\n]*/.exec(
      third.stderr + third.stdout,
    )?.[0]
    step(
      'all limited',
      told !== undefined,
      told === undefined
        ? 'the error does not say so'
        : 'one clear sentence with the time, no endless retries',
    )

    if (json)
      process.stdout.write(
        `${JSON.stringify({ ok: steps.every((one) => one.ok), steps }, undefined, 2)}\n`,
      )
    else say(summary(steps, keep ? host.home : undefined))
    return steps.every((one) => one.ok) ? 0 : 1
  } finally {
    process.off('SIGINT', onInterrupt)
    process.off('SIGTERM', onInterrupt)
    await clean()
  }
}

/** Shows what OpenCode prints as it arrives, indented and without its colours. */
function streamed(json: boolean): (text: string) => void {
  let isLineStart = true
  return (text) => {
    if (json) return
    for (const part of text.replace(/\u001b\[[\d;]*m/g, '').split(/(\n)/)) {
      if (part === '' || (isLineStart && part === '\n')) continue
      process.stdout.write(isLineStart ? `   | ${part}` : part)
      isLineStart = part === '\n'
    }
  }
}

function answersFrom(
  simulator: {
    readonly requests: readonly { path: string; account: string | undefined; status: number }[]
  },
  from: number,
): { account: string | undefined; status: number }[] {
  return simulator.requests
    .slice(from)
    .filter((request) => request.path.endsWith('/codex/responses'))
}

async function accountsOf(host: Host): Promise<string[]> {
  const text = await readFile(
    path.join(host.home, '.opencode', 'oc-codex-multi-auth-accounts.json'),
    'utf8',
  ).catch(() => '{"accounts":[]}')
  return (JSON.parse(text) as { accounts: { email?: string }[] }).accounts.map(
    ({ email }) => email ?? 'without address',
  )
}

function summary(steps: readonly Step[], home: string | undefined): string {
  const good = steps.filter((one) => one.ok).length
  const lines = [`${good} of ${steps.length} steps did what they should.`]
  lines.push(
    home === undefined
      ? 'The throw-away home is gone; nothing is left behind.'
      : `The throw-away home is kept at ${home}`,
  )
  return lines.join('\n')
}
