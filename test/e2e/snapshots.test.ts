import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'

import { expect, it } from 'vitest'

import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { listSnapshots } from '../../lib/request/trace/snapshot-folder.js'
import type { Snapshot } from '../../lib/request/trace/snapshot.js'
import { type CapturedRequest, differences } from '../support/captured-request.js'
import { runCli } from '../support/run-cli.js'
import { useStage } from './setup.js'

const PROMPT = 'SIM:say hi to the planted words of a prompt'
const stage = useStage({ signedIn: ['personal'] })

/** The request for an answer that one prompt makes. */
async function asked(env: Record<string, string>): Promise<CapturedRequest> {
  const { host, simulator } = stage()
  const from = simulator.requests.length
  const { stdout } = await host.prompt(PROMPT, { env, title: 'named' })
  expect(stdout).toContain('hi to the planted words')
  const [request, ...others] = simulator.requests
    .slice(from)
    .filter(({ method, path: to }) => method === 'POST' && to.endsWith('/codex/responses'))
  expect(others).toEqual([])
  const { method = '', path: url = '', headers = {}, body = '{}' } = request ?? {}
  return { method, url, headers, body: JSON.parse(body) }
}

it('the real host sends the same request with snapshots and without, takes one with them alone, and it can be replayed', async () => {
  const { host } = stage()
  const { logsDir } = resolvePaths({ ...host.env })
  const without = await asked({})
  expect(await readdir(logsDir).catch(() => [])).toEqual([])
  const withThem = await asked({ ENABLE_PLUGIN_REQUEST_LOGGING: 'snapshots' })
  expect(differences(withThem, without)).toEqual([])

  const files = await listSnapshots(path.join(logsDir, 'snapshots'))
  expect(files).toHaveLength(1)
  const [file = ''] = files
  const text = await readFile(file, 'utf8')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(text).not.toContain('planted words')
  expect(JSON.parse(text) as Snapshot).toMatchObject({
    engine: expect.stringMatching(/^bun /),
    reason: 'initial_attempt',
    outcome: 'ok',
    requestOutcome: 'completed',
    sent: { bodyChars: JSON.stringify(withThem.body).length },
    answer: { status: 200 },
  })
  const replayed = await runCli(host.home, ['replay', file])
  expect([replayed.code, replayed.stdout]).toEqual([
    0,
    expect.stringContaining('Status: the same (200).'),
  ])
})
