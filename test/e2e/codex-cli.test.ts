import { describe, expect, it, onTestFinished } from 'vitest'

import { startSimulator } from '../../simulator/index.js'
import { codexCli, codexExec, testCertificate } from '../support/codex-cli.js'
import { temporaryFolder } from '../support/temporary.js'

/** The model of its choice has one tool for everything: scripts that call the others. */
const SCRIPT =
  'text(JSON.stringify(await tools.exec_command({ cmd: "echo the-tool-$((40 + 2))" })))'
const PROMPT = `SIM:tool exec ${JSON.stringify({ input: SCRIPT })}`
const RESPONSES = '/backend-api/codex/responses'

describe('the real Codex CLI against the simulator', () => {
  it('completes a turn with a tool over HTTPS with its defaults: packed bodies, and HTTP after one refused WebSocket', async ({
    skip,
  }) => {
    const cli = await codexCli()
    if ('missing' in cli) return skip(cli.missing)
    const folder = await temporaryFolder()
    const certificate = await testCertificate(folder)
    if (certificate === undefined)
      return skip('openssl is not installed: no certificate can be made for the simulator')
    const { key, cert, caFile } = certificate
    const simulator = await startSimulator({ accounts: ['cli'], tls: { key, cert } })
    onTestFinished(() => simulator.close())

    const { code, stdout, stderr } = await codexExec(cli.file, simulator, {
      folder,
      caFile,
      account: 'cli',
      prompt: PROMPT,
    })

    const asked = simulator.requests.map(
      ({ method, path, status }) => `${method} ${path} ${status}`,
    )
    expect(code, `${stdout}${stderr}\n${asked.join('\n')}`).toBe(0)
    expect(stdout).toContain('The tool has answered')
    const turns = simulator.requests.filter(
      ({ method, path }) => method === 'POST' && path === RESPONSES,
    )
    expect(turns.map(({ status }) => status)).toEqual([200, 200])
    expect(turns.map(({ headers }) => headers['content-encoding'])).toEqual(['zstd', 'zstd'])
    expect(turns[1]?.body).toContain('the-tool-42')
    expect(asked.filter((line) => line === `GET ${RESPONSES} 426`)).toHaveLength(1)
    expect(
      asked.filter((line) => / (?:4(?!26)|5)\d\d$/.test(line)),
      'nothing it asks for is missing',
    ).toEqual([])
  }, 240_000)
})
