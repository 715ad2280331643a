import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { createPrng } from '../../simulator/prng.js'
import { type Simulator, startSimulator } from '../../simulator/index.js'
import { bundledWorker } from '../support/bundled-worker.js'
import { itemsOf, user } from '../support/conversation.js'
import { ROOMY } from '../support/core-over.js'
import { aHome } from '../support/home.js'
import { signedIn } from '../support/records.js'

const ACCOUNTS = ['a', 'b', 'c', 'd']
const WINDOWS = 4
const TURNS = 60
const MANY_WINDOWS = 12
const ROUNDS = process.env.CHAOS_SOAK === undefined ? 6 : 60
const SEED = Number(process.env.CHAOS_SEED ?? 5)
const FULL = [{ minutes: 300, limit: 100, used: 100, resetsInMs: 400 }]

interface Turn {
  readonly status: number
  readonly text: string
}

interface Window {
  turn(session: string, input: readonly unknown[]): Promise<Turn>
  end(): Promise<void>
}

describe('a session that hops from window to window while accounts run dry', () => {
  const worker = bundledWorker('test/chaos/hop-worker.ts')

  async function windowOver(home: string, simulator: Simulator): Promise<Window> {
    const env = {
      HOME: home,
      PATH: process.env.PATH ?? '',
      OC_CODEX_SIMULATOR_ISSUER: simulator.url,
      OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
      CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '10000',
      CODEX_AUTH_RETRY_PROFILE: 'aggressive',
    }
    const child = spawn(process.execPath, [worker()], {
      cwd: home,
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const next = async (): Promise<string> => String((await lines.next()).value)
    await next()
    return {
      async turn(session, input) {
        child.stdin.write(`${JSON.stringify({ session, input })}\n`)
        return JSON.parse(await next()) as Turn
      },
      end: () =>
        new Promise((resolve) => {
          child.once('exit', () => resolve())
          child.stdin.end()
        }),
    }
  }

  it('never sends an account the reasoning of another one: none of its requests is refused for that', async () => {
    const random = createPrng(SEED)
    const simulator = await startSimulator({
      accounts: ACCOUNTS.map((name) => ({ name, windows: ROOMY })),
      seed: SEED,
    })
    onTestFinished(() => simulator.close())
    const home = await aHome(ACCOUNTS.map((name) => signedIn(simulator, name)))
    const windows = await Promise.all(
      Array.from({ length: WINDOWS }, () => windowOver(home, simulator)),
    )
    const histories = new Map<string, unknown[]>([
      ['ses_0', []],
      ['ses_1', []],
      ['ses_2', []],
    ])
    let sealed = 0
    for (let turn = 0; turn < TURNS; turn += 1) {
      // One account dry, the others with room; which one changes.
      const dry = ACCOUNTS[random.int(0, ACCOUNTS.length - 1)]
      for (const name of ACCOUNTS)
        simulator.patchAccount(name, { windows: name === dry ? FULL : ROOMY })
      const names = [...histories.keys()]
      const session = names[random.int(0, names.length - 1)] ?? 'ses_0'
      let history = histories.get(session) ?? []
      const fate = random.int(0, 19)
      if (fate === 0) history = history.slice(Math.floor(history.length / 2))
      if (fate === 1) history = history.slice(0, Math.floor(history.length / 2))
      if (fate === 2) histories.set(`ses_fork_${turn}`, [...history])
      const at = random.int(0, WINDOWS - 1)
      if (fate === 3) {
        await windows[at]?.end()
        windows[at] = await windowOver(home, simulator)
      }
      history = [...history, user(`SIM:say turn ${turn}`)]
      const answer = await windows[at]?.turn(session, history)
      expect(answer?.status, answer?.text).toBe(200)
      const items = answer === undefined ? [] : itemsOf(answer.text)
      sealed += items.filter(({ type }) => type === 'reasoning').length
      histories.set(session, [...history, ...items])
    }
    const asked = simulator.requests.filter(
      ({ path: where }) => path.posix.basename(where) === 'responses',
    )
    const refused = asked.filter(({ status }) => status === 400)
    const served = new Set(
      asked.filter(({ status }) => status === 200).map(({ account }) => account),
    )
    expect(sealed).toBeGreaterThan(TURNS / 2)
    expect(served.size).toBeGreaterThan(2)
    const carried = asked.filter(
      ({ status, body }) => status === 200 && body.includes('"encrypted_content"'),
    )
    console.log(
      `hop: ${TURNS} turns in ${histories.size} sessions by ${WINDOWS} windows, ${carried.length} carried reasoning, ${refused.length} refused, seed ${SEED}`,
    )
    expect(carried.length).toBeGreaterThan(0)
    expect(refused).toEqual([])
    await Promise.all(windows.map((window) => window.end()))
  })

  it('is answered in every one of 12 windows at once while two accounts run dry, and none of their requests is refused for foreign reasoning', async () => {
    const random = createPrng(SEED)
    const simulator = await startSimulator({
      accounts: ACCOUNTS.map((name) => ({ name, windows: ROOMY })),
      seed: SEED,
    })
    onTestFinished(() => simulator.close())
    const home = await aHome(ACCOUNTS.map((name) => signedIn(simulator, name)))
    const windows = await Promise.all(
      Array.from({ length: MANY_WINDOWS }, () => windowOver(home, simulator)),
    )
    const histories: unknown[][] = windows.map(() => [])
    for (let round = 0; round < ROUNDS; round += 1) {
      const firstDry = random.int(0, ACCOUNTS.length - 1)
      ACCOUNTS.forEach((name, index) =>
        simulator.patchAccount(name, {
          windows: [0, 1].includes((index - firstDry + ACCOUNTS.length) % ACCOUNTS.length)
            ? FULL
            : ROOMY,
        }),
      )
      const shift = random.int(0, MANY_WINDOWS - 1)
      await Promise.all(
        windows.map(async (window, at) => {
          const session = (at + shift) % MANY_WINDOWS
          const history = [...(histories[session] ?? []), user(`SIM:say round ${round}`)]
          const answer = await window.turn(`ses_${session}`, history)
          expect(answer.status, answer.text).toBe(200)
          histories[session] = [...history, ...itemsOf(answer.text)]
        }),
      )
    }
    const asked = simulator.requests.filter(
      ({ path: where }) => path.posix.basename(where) === 'responses',
    )
    const carried = asked.filter(
      ({ status, body }) => status === 200 && body.includes('"encrypted_content"'),
    )
    const dry = asked.filter(({ status }) => status === 429)
    const refused = asked.filter(({ status }) => status === 400)
    console.log(
      `hop: ${ROUNDS * MANY_WINDOWS} turns by ${MANY_WINDOWS} windows at once, ${dry.length} met a dry account, ${carried.length} carried reasoning, ${refused.length} refused, seed ${SEED}`,
    )
    expect(dry.length).toBeGreaterThan(0)
    expect(carried.length).toBeGreaterThan(0)
    expect(refused).toEqual([])
    await Promise.all(windows.map((window) => window.end()))
  })
})
