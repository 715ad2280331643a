import { existsSync } from 'node:fs'
import { open, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, it, onTestFinished, vi } from 'vitest'

import { parseAffinity } from '../../lib/accounts/session-affinity.js'
import { createCore } from '../../lib/core.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { parseLedger } from '../../lib/quota/ledger-state.js'
import { ask, coreOver, firstTurn, FULL } from '../support/core-over.js'
import { failFiles } from '../support/faulty-files.js'
import { type FileOperation, recordFileOperations } from '../support/file-operations.js'
import { aHome, homeIn } from '../support/home.js'

const TURNS = 100
const ACCOUNTS = 12
const OPENS = /^(open|readFile|writeFile|appendFile|mkdtemp|cp|copyFile|truncate)(Sync)?$/

const resetsAt = Math.floor(Date.now() / 1000) + 9_000
const message = { type: 'message', id: 'm', role: 'assistant', content: [] }
const usage = { input_tokens: 5, output_tokens: 2, total_tokens: 7 }

/** An answer as the backend gives it: what is used is in its headers and in an event. */
function answer(used: number): Response {
  const primary = { used_percent: used, window_minutes: 300, reset_at: resetsAt }
  const events = [
    { type: 'response.created', response: { id: 'r' } },
    { type: 'codex.rate_limits', plan_type: 'plus', rate_limits: { allowed: true, primary } },
    { type: 'response.output_item.added', output_index: 0, item: message },
    { type: 'response.output_text.delta', item_id: 'm', output_index: 0, delta: 'hi' },
    { type: 'response.completed', response: { id: 'r', status: 'completed', output: [], usage } },
  ]
  const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
  const headers = {
    'content-type': 'text/event-stream',
    'x-codex-primary-used-percent': String(used),
    'x-codex-primary-window-minutes': '300',
    'x-codex-primary-reset-at': String(resetsAt),
  }
  return new Response(text, { headers })
}

/** What is written and forced to the disk through open files, to the end of the test. */
async function recordWrites(): Promise<{ bytes: number; syncs: number }> {
  const written = { bytes: 0, syncs: 0 }
  const handle = await open(process.execPath)
  const methods = Object.getPrototypeOf(handle) as Record<
    'writeFile' | 'appendFile' | 'write' | 'sync' | 'datasync',
    (...args: unknown[]) => unknown
  >
  await handle.close()
  for (const name of ['writeFile', 'appendFile', 'write', 'sync', 'datasync'] as const) {
    const original = methods[name]
    methods[name] = function (this: unknown, ...args) {
      if (name === 'sync' || name === 'datasync') written.syncs += 1
      else written.bytes += String(args[0]).length
      return original.apply(this, args)
    }
    onTestFinished(() => void (methods[name] = original))
  }
  return written
}

it(`${TURNS} turns a second apart, with quota in every answer, leave the disk and the backend in peace`, async () => {
  const day = 86_400_000
  const home = await aHome(
    Array.from({ length: ACCOUNTS }, (_, index) => ({
      refreshToken: `rt-${index}`,
      accessToken: `at-${index}`,
      expiresAt: Date.now() + 9 * day,
      accountId: `w-${index}`,
      addedAt: 1,
      lastUsed: 0,
    })),
  )
  const asked: string[] = []
  const env = homeIn(home)
  const pause = globalThis.setTimeout
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  onTestFinished(() => void vi.useRealTimers())
  const core = await createCore({
    host: { log: () => undefined, toast: () => undefined },
    paths: resolvePaths(env),
    env,
    directory: home,
    fetch: ((url: string) => {
      asked.push(new URL(url).pathname)
      return Promise.resolve(
        url.includes('/models?')
          ? Response.json({ models: [{ slug: 'gpt-5.5' }] })
          : answer(10 + (asked.length % 50)),
      )
    }) as unknown as typeof globalThis.fetch,
  })
  onTestFinished(() => core.close())
  const body = await firstTurn()
  const turn = async (): Promise<void> => {
    expect((await ask(core, body)).text).toContain('response.completed')
    await vi.advanceTimersByTimeAsync(1_000)
    // What became due is on its way through the real file system.
    await new Promise((resolve) => pause(resolve, 10))
  }

  // The first ones settle: the choice of an account, a first reading, the list of models.
  for (let count = 0; count < 3; count += 1) await turn()
  const { affinityFile, catalogueFile, quotaFile, root } = core.runtime.paths
  const settled = [affinityFile, catalogueFile, quotaFile, path.join(root, 'package.json')]
  for (const file of settled)
    await expect.poll(() => existsSync(file), { timeout: 15_000 }).toBe(true)
  await expect
    .poll(async () =>
      (await readdir(path.dirname(quotaFile))).filter((name) => /\.lock/.test(name)),
    )
    .toEqual([])
  expect(asked.filter((one) => one.endsWith('/models'))).toHaveLength(1)
  const before = asked.length

  const operations: readonly FileOperation[] = recordFileOperations()
  const written = await recordWrites()
  const own = operations.length
  for (let count = 0; count < TURNS; count += 1) await turn()

  // What a lock asks of `/proc` is no disk.
  const done = operations
    .slice(own)
    .filter(({ target }) => target.startsWith(home))
    .map(({ name, target }) => `${name} ${path.basename(target)}`)
  const opens = done.filter((one) => OPENS.test(one.split(' ')[0] ?? ''))
  expect(opens.length, opens.join('\n')).toBeLessThanOrEqual(TURNS / 10)
  expect(done.filter((one) => /^rename(Sync)? /.test(one)).length).toBeLessThanOrEqual(TURNS / 10)
  expect(written.syncs).toBe(0)
  // Some 300 bytes of history a turn; the small file of readings a few times.
  expect(written.bytes).toBeGreaterThan(1_000)
  expect(written.bytes).toBeLessThan(600 * TURNS)
  // One call a turn, and nobody else was asked for anything.
  expect(asked.slice(before).every((one) => one.endsWith('/responses'))).toBe(true)
  expect(asked).toHaveLength(before + TURNS)
})

it.each(['ENOSPC', 'EROFS'])(
  'a disk that takes nothing (%s) is no matter of a request: each file is spoken of once in the log and written later',
  async (code) => {
    const { core, said } = await coreOver([{ name: 'full', windows: FULL }, 'free'])
    const { quotaFile, affinityFile } = core.runtime.paths
    const restore = failFiles('open', (target) =>
      target.startsWith(path.dirname(quotaFile)) ? code : undefined,
    )
    const body = await firstTurn()
    for (let turn = 0; turn < 3; turn += 1) {
      expect((await ask(core, body, `ses_${turn}`)).status).toBe(200)
      await core.runtime.ledger.flush()
    }
    const complaints = said.filter((one) => one.includes('could not be written'))
    expect(complaints.length).toBeGreaterThan(0)
    expect(new Set(complaints).size).toBe(complaints.length)
    expect(existsSync(quotaFile)).toBe(false)
    restore()
    await core.close()
    const quota = parseLedger(await readFile(quotaFile, 'utf8'))
    expect(Object.values(quota).some(({ blocks }) => blocks.length > 0)).toBe(true)
    expect(parseAffinity(await readFile(affinityFile, 'utf8')).size).toBe(3)
  },
)
