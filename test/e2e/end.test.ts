import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { beforeAll, describe, expect, it } from 'vitest'

import { startHostServer } from '../support/host-server.js'
import { turns, useStage } from './setup.js'

describe('the end of a host process', () => {
  const stage = useStage({ signedIn: ['personal'] })
  // What the host installs at its first start catches signals while it runs.
  beforeAll(async () => {
    await stage().host.prompt('SIM:say warm', { title: 'named' })
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s comes in the middle of an answer and is not held up',
    async (signal) => {
      const { host, simulator } = stage()
      simulator.addRules({ when: { endpoint: 'responses' }, do: { type: 'slow', ms: 100 } })
      const server = await startHostServer(host)
      const from = simulator.requests.length
      void server.send(await server.newSession('named'), 'SIM:long 1000').catch(() => undefined)
      await expect.poll(() => turns(stage(), from).length, { timeout: 20_000 }).toBe(1)
      const ended = await server.stop(signal)
      simulator.clearRules()
      expect(
        ended.code === 0 || ended.signal === signal || ended.code === 130 || ended.code === 143,
      ).toBe(true)
      await expect.poll(() => simulator.requests.at(-1)?.end, { timeout: 5_000 }).toBe('gone')
    },
  )

  it.skipIf(process.platform !== 'linux')(
    'is the host’s own affair: the plugin catches no signal, also after it has written its files',
    async () => {
      const { host } = stage()
      const server = await startHostServer(host)
      const caught = (): string =>
        /SigCgt:\s*(\w+)/.exec(readFileSync(`/proc/${server.process.pid}/status`, 'utf8'))?.[1] ??
        ''
      const before = caught()
      const session = await server.newSession('named')
      await server.send(session, 'SIM:say written')
      const file = path.join(
        host.home,
        '.local',
        'state',
        'opencode',
        'oc-codex-multi-auth-affinity.json',
      )
      await expect
        .poll(() => readFile(file, 'utf8').catch(() => ''), { timeout: 10_000 })
        .toContain(session)
      // SIGINT, SIGTERM and SIGHUP are bits 1, 14 and 0.
      const bits = [0n, 1n, 14n].map((bit) =>
        [before, caught()].map((mask) => (BigInt(`0x${mask}`) >> bit) & 1n),
      )
      for (const [first, second] of bits) expect(second).toBe(first)
      await server.stop()
    },
  )

  it('of an instance writes what was still unwritten', async () => {
    const { host } = stage()
    const server = await startHostServer(host)
    const session = await server.newSession('named')
    await server.send(session, 'SIM:say kept')
    await server.request('POST', '/instance/dispose')
    const file = path.join(
      host.home,
      '.local',
      'state',
      'opencode',
      'oc-codex-multi-auth-affinity.json',
    )
    // Without the flush it would be written 2 s after the answer.
    await expect
      .poll(() => readFile(file, 'utf8').catch(() => ''), { timeout: 1_000, interval: 20 })
      .toContain(session)
    await server.stop()
  })
})
