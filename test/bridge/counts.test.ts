import { readFileSync } from 'node:fs'
import fsPromises, { mkdir, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { createCore } from '../../lib/core.js'
import { stampOf } from '../../lib/kernel/json-file.js'
import { resolvePaths } from '../../lib/kernel/paths.js'
import { temporaryFolder } from '../support/temporary.js'

const ANSWER = 'data: {"type":"response.output_text.delta","delta":"x"}\n\ndata: {"type":"response.completed","response":{"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'

describe('a steady request', () => {
  it('costs one upstream call with the very body of the host, and no file operation', async () => {
    const home = await temporaryFolder()
    await mkdir(path.join(home, '.opencode'))
    const account = { refreshToken: 'rt', accessToken: 'at', expiresAt: Date.now() + 86_400_000, accountId: 'w', accountUserId: 'u', addedAt: 1, lastUsed: 0 }
    await writeFile(path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json'), JSON.stringify({ version: 3, accounts: [account], activeIndex: 0 }))
    const calls: RequestInit[] = []
    const upstream = vi.spyOn(globalThis, 'fetch').mockImplementation(async (_url, init) => {
      calls.push(init ?? {})
      return new Response(ANSWER, { headers: { 'content-type': 'text/event-stream' } })
    })
    onTestFinished(() => upstream.mockRestore())
    const core = await createCore({ host: { log: () => undefined, toast: () => undefined }, paths: resolvePaths({ HOME: home }), env: { HOME: home }, directory: home })
    onTestFinished(() => core.close())
    const captured = JSON.parse(readFileSync(new URL('../fixtures/opencode/02-first-turn.json', import.meta.url), 'utf8'))
    const body = JSON.stringify(captured.body)
    const send = async (): Promise<string> => (await core.fetch('https://api.openai.com/v1/responses', { method: 'POST', headers: { 'session-id': 's' }, body })).text()
    await send()
    await new Promise((resolve) => setTimeout(resolve, 200))

    const operations: string[] = []
    for (const name of ['open', 'stat', 'readFile', 'writeFile', 'rename', 'mkdir'] as const) {
      const spy = vi.spyOn(fsPromises, name).mockImplementation((() => {
        operations.push(name)
        throw new Error('no file operation is due')
      }) as never)
      onTestFinished(() => spy.mockRestore())
    }
    syncBuiltinESMExports()
    onTestFinished(() => syncBuiltinESMExports())
    const before = calls.length
    for (let count = 0; count < 20; count += 1) expect(await send()).toContain('response.completed')
    expect(calls.length - before).toBe(20)
    expect(operations).toEqual([])
    // The count counts: a look at the disk is seen.
    await stampOf(home).catch(() => undefined)
    expect(operations).toEqual(['stat'])
    expect(calls.at(-1)?.body).toBe(body)
  })
})
