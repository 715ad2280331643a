import { describe, expect, it, onTestFinished } from 'vitest'

import { type Simulator, startSimulator } from '../../simulator/index.js'
import type { SettingsPatch } from '../../simulator/settings.js'
import { codexCli, codexExec, testCertificate } from '../support/codex-cli.js'
import { temporaryFolder } from '../support/temporary.js'

/** The model of its choice has one tool for everything: scripts that call the others. */
const SCRIPT =
  'text(JSON.stringify(await tools.exec_command({ cmd: "echo the-tool-$((40 + 2))" })))'
const PROMPT = `SIM:tool*2 exec ${JSON.stringify({ input: SCRIPT })}`
const RESPONSES = '/backend-api/codex/responses'

/** A simulator for the real CLI, and a run of it; `undefined` with the test skipped where the CLI cannot be had. */
async function turnWithTools(
  skip: (why: string) => never,
  settings: SettingsPatch,
): Promise<{ simulator: Simulator; asked: string[] }> {
  const cli = await codexCli()
  if ('missing' in cli) return skip(cli.missing)
  const folder = await temporaryFolder()
  const certificate = await testCertificate(folder)
  if (certificate === undefined)
    return skip('openssl is not installed: no certificate can be made for the simulator')
  const { key, cert, caFile } = certificate
  const simulator = await startSimulator({ accounts: ['cli'], tls: { key, cert }, settings })
  onTestFinished(() => simulator.close())

  const { code, stdout, stderr } = await codexExec(cli.file, simulator, {
    folder,
    caFile,
    account: 'cli',
    prompt: PROMPT,
  })

  const asked = simulator.requests.map(({ method, path, status }) => `${method} ${path} ${status}`)
  expect(code, `${stdout}${stderr}\n${asked.join('\n')}`).toBe(0)
  expect(stdout).toContain('The tool has answered')
  expect(
    asked.filter((line) => / (?:4(?!26)|5)\d\d$/.test(line)),
    'nothing it asks for is missing',
  ).toEqual([])
  return { simulator, asked }
}

describe('the real Codex CLI against the simulator, over HTTPS with its defaults', () => {
  it('completes a turn with tools over one WebSocket: warmed up, deflated, and only what is new in each frame', async ({
    skip,
  }) => {
    const { simulator, asked } = await turnWithTools(skip, {})

    expect(asked.filter((line) => line.startsWith(`POST ${RESPONSES}`))).toEqual([])
    const frames = simulator.requests.filter(({ method }) => method === 'FRAME')
    expect(new Set(frames.map(({ connection }) => connection)).size).toBe(1)
    expect(frames.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(frames.map(({ incremental }) => incremental)).toEqual([false, true, true, true])
    expect(JSON.parse(frames[0]?.body ?? '')).toMatchObject({ generate: false })
    for (const { body } of frames.slice(2)) {
      expect(body).toContain('the-tool-42')
      expect((JSON.parse(body) as { input: unknown[] }).input).toHaveLength(1)
    }
    for (const { body, bytesUp } of frames) expect(bytesUp).toBeLessThan(body.length)
  }, 240_000)

  it('completes a turn with tools over HTTP after one refused WebSocket, with packed bodies', async ({
    skip,
  }) => {
    const { simulator, asked } = await turnWithTools(skip, { webSocket: false })

    const turns = simulator.requests.filter(
      ({ method, path }) => method === 'POST' && path === RESPONSES,
    )
    expect(turns.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(turns.map(({ headers }) => headers['content-encoding'])).toEqual([
      'zstd',
      'zstd',
      'zstd',
    ])
    expect(turns[1]?.body).toContain('the-tool-42')
    for (const { body, bytesUp } of turns) expect(bytesUp).toBeLessThan(body.length)
    expect(asked.filter((line) => line === `GET ${RESPONSES} 426`)).toHaveLength(1)
  }, 240_000)
})
