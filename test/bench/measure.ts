import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'

import { startSimulator } from '../../lib/simulator/index.js'

/** What one measurement says: ours, plain `fetch` in the same run where that makes sense, and the target. */
interface Row {
  readonly name: string
  readonly ours: number
  readonly plain?: number
  readonly unit: string
  /** Upper bound for `ours`, or for the ratio when `isRatio`. */
  readonly target?: number
  readonly isRatio?: boolean
}

interface Plugin {
  fetch(url: string, init: RequestInit): Promise<Response>
  dispose(): Promise<void>
}

const [dist = '', upstream = '', scale = '1'] = process.argv.slice(2)
const rounds = (count: number): number => Math.max(3, Math.round(count * Number(scale)))
const rows: Row[] = []
const URL_OF_HOST = 'https://api.openai.com/v1/responses'
const realFetch = globalThis.fetch
let current: typeof fetch = realFetch
globalThis.fetch = ((input: RequestInfo, init?: RequestInit) => current(input, init)) as typeof fetch

const median = (values: number[]): number => percentile(values, 0.5)
const percentile = (values: number[], share: number): number => [...values].sort((left, right) => left - right)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

interface StoredAccount {
  readonly [field: string]: unknown
}

let homes = 0
function newHome(accounts: readonly StoredAccount[]): string {
  homes += 1
  const home = path.join(process.env.BENCH_ROOT ?? '', `home-${homes}`)
  mkdirSync(path.join(home, '.opencode', 'node_modules'), { recursive: true })
  writeFileSync(path.join(home, '.opencode', 'package.json'), '{}')
  writeFileSync(path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json'), JSON.stringify({ version: 3, accounts, activeIndex: 0 }), { mode: 0o600 })
  return home
}

const goodAccount = (index = 0): StoredAccount => ({ refreshToken: `rt${index}`, accessToken: `at${index}`, expiresAt: Date.now() + 86_400_000, accountId: `w${index}`, accountUserId: `u${index}`, addedAt: 1, lastUsed: 0 })

async function plugin(home: string, issuer = upstream, backend = `${upstream}/backend-api`): Promise<Plugin & { loaderMs: number }> {
  Object.assign(process.env, { HOME: home, OC_CODEX_SIMULATOR_ISSUER: issuer, OC_CODEX_SIMULATOR_BACKEND: backend, CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS: '0' })
  const module = (await import(path.join(dist, 'index.js'))) as { default: { server(input: unknown): Promise<{ auth: { loader(get: () => Promise<unknown>, provider: unknown): Promise<{ fetch: Plugin['fetch'] }> }; dispose(): Promise<void> }> } }
  const client = { app: { log: async () => undefined }, tui: { showToast: async () => undefined }, auth: { set: async () => undefined } }
  const started = performance.now()
  const hooks = await module.default.server({ client, directory: home })
  const loaded = await hooks.auth.loader(async () => ({ type: 'oauth', refresh: 'managed-by-oc-codex-multi-auth', access: '', expires: 0 }), {})
  return { fetch: loaded.fetch, dispose: () => hooks.dispose(), loaderMs: performance.now() - started }
}

/** The host's own first turn, its history repeated up to a size. */
function bodyOf(bytes: number): string {
  const captured = JSON.parse(readFileSync(process.env.BENCH_CAPTURE ?? '', 'utf8')) as { body: { input: unknown[]; instructions: string; tools: unknown[] } }
  const body = bytes < 20_000 ? { ...captured.body, instructions: 'x'.repeat(200), tools: [] } : captured.body
  const turn = [
    { role: 'user', content: [{ type: 'input_text', text: 'Look at this file:\n'.padEnd(2_000, 'const line = "some \\"quoted\\" code"\n') }] },
    { type: 'reasoning', encrypted_content: 'A'.repeat(600), summary: [] },
    { type: 'function_call', call_id: 'c1', name: 'read', arguments: '{"filePath":"a.ts"}' },
    { type: 'function_call_output', call_id: 'c1', output: 'text of a file, line by line\n'.repeat(120) },
  ]
  const size = JSON.stringify(turn).length
  const count = Math.max(0, Math.floor((bytes - JSON.stringify(body).length) / size))
  return JSON.stringify({ ...body, input: [...Array.from({ length: count }, () => turn).flat(), ...body.input] })
}

const send = (target: Plugin['fetch'], body: string, headers: Record<string, string> = {}): Promise<Response> =>
  target(URL_OF_HOST, { method: 'POST', headers: { 'content-type': 'application/json', 'session-id': 'ses_bench', ...headers }, body })

async function drain(response: Response): Promise<number> {
  let bytes = 0
  for await (const chunk of response.body ?? []) bytes += (chunk as Uint8Array).byteLength
  return bytes
}

const CANNED = 'data: {"type":"response.output_text.delta","delta":"x"}\n\ndata: {"type":"response.completed","response":{"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'

async function untilUpstream(): Promise<void> {
  const { fetch, dispose } = await plugin(newHome([goodAccount()]))
  await drain(await send(fetch, bodyOf(2_000)))
  const sizes: [string, number, number, number][] = [['2 kB', 2_000, 4_000, 0.03], ['100 kB', 100_000, 400, 0.1], ['1 MB', 1_000_000, 100, 1], ['5 MB', 5_000_000, 30, 5], ['20 MB', 20_000_000, 12, 25]]
  for (const [name, bytes, count, target] of sizes) {
    const body = bodyOf(bytes)
    const times: number[] = []
    let called = 0
    current = async () => {
      called = performance.now()
      return new Response(CANNED, { headers: { 'content-type': 'text/event-stream' } })
    }
    for (let round = 0; round < rounds(count); round += 1) {
      const started = performance.now()
      const response = await send(fetch, body)
      times.push(called - started)
      await drain(response)
    }
    const parses = Array.from({ length: Math.min(rounds(count), 20) }, () => {
      const started = performance.now()
      JSON.parse(body)
      return performance.now() - started
    })
    rows.push({ name: `until upstream, ${name} p50 (beside: one JSON.parse)`, ours: median(times.slice(Math.floor(times.length / 4))), plain: median(parses), unit: 'ms', target })
    if (bytes === 2_000) rows.push({ name: `until upstream, ${name} p99`, ours: percentile(times.slice(Math.floor(times.length / 4)), 0.99), unit: 'ms', target: 0.3 })
  }
  current = realFetch
  await dispose()
}

async function streams(): Promise<void> {
  const { fetch, dispose } = await plugin(newHome([goodAccount()]))
  const plainFetch = (_url: string, init: RequestInit): Promise<Response> => realFetch(`${upstream}/backend-api/codex/responses`, init)
  const body = bodyOf(2_000)
  const megabytes = Number(scale) < 1 ? 16 : 64
  const once = async (target: Plugin['fetch']): Promise<{ ms: number; cpu: number; grown: number; first: number }> => {
    const memory = process.memoryUsage().rss
    const cpu = process.cpuUsage()
    const started = performance.now()
    const response = await send(target, body, { 'x-bench-mb': String(megabytes) })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    const first = performance.now() - started
    while (!(await reader.read()).done);
    const used = process.cpuUsage(cpu)
    return { ms: performance.now() - started, cpu: (used.user + used.system) / 1000, grown: Math.max(0, process.memoryUsage().rss - memory) / 1e6, first }
  }
  await once(fetch)
  await once(plainFetch)
  const ours: Awaited<ReturnType<typeof once>>[] = []
  const plain: Awaited<ReturnType<typeof once>>[] = []
  for (let round = 0; round < rounds(7); round += 1) {
    ours.push(await once(fetch))
    plain.push(await once(plainFetch))
  }
  const of = (list: typeof ours, key: keyof (typeof ours)[number]): number => median(list.map((one) => one[key]))
  rows.push({ name: `stream of ${megabytes} MB, time`, ours: of(ours, 'ms'), plain: of(plain, 'ms'), unit: 'ms', target: 1.1, isRatio: true })
  rows.push({ name: `stream of ${megabytes} MB, CPU`, ours: of(ours, 'cpu'), plain: of(plain, 'cpu'), unit: 'ms' })
  rows.push({ name: `stream of ${megabytes} MB, growth of memory`, ours: of(ours, 'grown'), plain: of(plain, 'grown'), unit: 'MB' })
  const firsts = async (target: Plugin['fetch']): Promise<number> => {
    const started = performance.now()
    const response = await send(target, body)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    const first = performance.now() - started
    while (!(await reader.read()).done);
    return first
  }
  const oursFirst: number[] = []
  const plainFirst: number[] = []
  for (let round = 0; round < rounds(300); round += 1) {
    oursFirst.push(await firsts(fetch))
    plainFirst.push(await firsts(plainFetch))
  }
  rows.push({ name: 'first byte, added', ours: median(oursFirst) - median(plainFirst), unit: 'ms', target: 0.3 })

  const parallel = async (target: Plugin['fetch'], large: string): Promise<{ ms: number; stall: number }> => {
    let last = performance.now()
    let stall = 0
    const timer = setInterval(() => {
      const now = performance.now()
      stall = Math.max(stall, now - last - 1)
      last = now
    }, 1)
    const started = performance.now()
    await Promise.all(Array.from({ length: 50 }, async () => drain(await send(target, large))))
    const ms = performance.now() - started
    clearInterval(timer)
    return { ms, stall }
  }
  const large = bodyOf(200_000)
  await parallel(fetch, large)
  await parallel(plainFetch, large)
  const together = { ours: [] as { ms: number; stall: number }[], plain: [] as { ms: number; stall: number }[] }
  for (let round = 0; round < rounds(9); round += 1) {
    together.ours.push(await parallel(fetch, large))
    together.plain.push(await parallel(plainFetch, large))
  }
  rows.push({ name: '50 parallel 200 kB requests', ours: median(together.ours.map(({ ms }) => ms)), plain: median(together.plain.map(({ ms }) => ms)), unit: 'ms', target: 1.25, isRatio: true })
  rows.push({ name: '50 parallel, longest stall', ours: median(together.ours.map(({ stall }) => stall)), plain: median(together.plain.map(({ stall }) => stall)), unit: 'ms' })
  await dispose()
}

async function failover(): Promise<void> {
  for (const [limited, target] of [[1, 5], [5, 5], [20, 15]] as const) {
    const names = Array.from({ length: limited + 1 }, (_, index) => `a${index}`)
    const simulator = await startSimulator({ accounts: names.map((name, index) => ({ name, windows: [{ minutes: 300, limit: 100, used: index < limited ? 100 : 0 }] })) })
    const stored = names.map((name): StoredAccount => {
      const tokens = simulator.login(name)
      const account = simulator.account(name)
      return { refreshToken: tokens.refresh_token, accessToken: tokens.access_token, expiresAt: Date.now() + 3_600_000, accountId: account.accountId, accountUserId: account.uid, addedAt: 1, lastUsed: 0 }
    })
    const { fetch, dispose } = await plugin(newHome(stored), simulator.url, simulator.backend)
    // The first request of a process loads the core; that is not what is measured here.
    current = async () => new Response(CANNED, { headers: { 'content-type': 'text/event-stream' } })
    await drain(await send(fetch, bodyOf(2_000), { 'session-id': 'ses_warm' }))
    let inUpstream = 0
    current = (async (input: RequestInfo, init?: RequestInit) => {
      const started = performance.now()
      try {
        return await realFetch(input, init)
      } finally {
        inUpstream += performance.now() - started
      }
    }) as typeof realFetch
    const started = performance.now()
    const bytes = await drain(await send(fetch, bodyOf(2_000)))
    const spent = performance.now() - started - inUpstream
    const calls = simulator.requests.length
    await drain(await send(fetch, bodyOf(2_000), { 'session-id': 'ses_other' }))
    rows.push({ name: `${limited} limited, then success: in the plugin`, ours: spent, unit: 'ms', target })
    rows.push({ name: `${limited} limited, then success: upstream calls, answered ${bytes > 0 ? 'yes' : 'no'}`, ours: calls, unit: 'calls', target: limited + 1 })
    rows.push({ name: `${limited} limited, known: wasted calls`, ours: simulator.requests.length - calls - 1, unit: 'calls', target: 0 })
    if (limited === 5) {
      simulator.patchAccount(`a${limited}`, { windows: [{ minutes: 300, limit: 100, used: 100 }] })
      await send(fetch, bodyOf(2_000), { 'session-id': 'ses_third' })
      const begun = performance.now()
      const refused = await send(fetch, bodyOf(2_000), { 'session-id': 'ses_fourth' })
      rows.push({ name: `all limited, no wait: a clear answer (status ${refused.status})`, ours: performance.now() - begun, unit: 'ms', target: 20 })
    }
    current = realFetch
    await dispose()
    await simulator.close()
  }
}

async function load(): Promise<void> {
  const simulator = await startSimulator({ accounts: [{ name: 'one', windows: [{ minutes: 300, limit: 100_000 }] }] })
  const tokens = simulator.login('one')
  const account = simulator.account('one')
  const record = { refreshToken: tokens.refresh_token, accessToken: tokens.access_token, expiresAt: Date.now() + 3_600_000, accountId: account.accountId, accountUserId: account.uid, addedAt: 1, lastUsed: 0 }
  const one = await plugin(newHome([record]), simulator.url, simulator.backend)
  const answers = await Promise.all(Array.from({ length: 120 }, async () => (await send(one.fetch, bodyOf(2_000))).status))
  rows.push({ name: '120 quick requests on one account: answered', ours: answers.filter((status) => status === 200).length, unit: 'of 120' })
  await one.dispose()

  simulator.changeSettings({ tokenLatencyMs: 100 })
  const expired = await plugin(newHome([{ ...record, refreshToken: simulator.login('one').refresh_token, expiresAt: Date.now() - 1000 }]), simulator.url, simulator.backend)
  const from = simulator.requests.length
  let tokenAnswered = 0
  let lastSent = 0
  current = (async (input: RequestInfo, init?: RequestInit) => {
    const isToken = typeof input === 'string' && input.endsWith('/oauth/token')
    if (!isToken) lastSent = performance.now()
    const response = await realFetch(input, init)
    if (isToken) tokenAnswered = performance.now()
    return response
  }) as typeof realFetch
  const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await send(expired.fetch, bodyOf(2_000))).status))
  current = realFetch
  const refreshes = simulator.requests.slice(from).filter((request) => request.path === '/oauth/token').length
  rows.push({ name: '20 parallel on an expired token: refreshes', ours: refreshes, unit: 'calls', target: 1 })
  rows.push({ name: `20 parallel on an expired token: last sent after the token came (${statuses.filter((status) => status === 200).length} answered)`, ours: lastSent - tokenAnswered, unit: 'ms', target: 50 })
  await expired.dispose()
  await simulator.close()

  const many = await plugin(newHome(Array.from({ length: 1_000 }, (_, index) => goodAccount(index))))
  const few = await plugin(newHome([goodAccount()]))
  current = async () => new Response(CANNED, { headers: { 'content-type': 'text/event-stream' } })
  const perRequest = async (target: Plugin): Promise<number> => {
    const body = bodyOf(2_000)
    for (let round = 0; round < rounds(200); round += 1) await drain(await send(target.fetch, body))
    const times: number[] = []
    for (let round = 0; round < rounds(1_000); round += 1) {
      const started = performance.now()
      await drain(await send(target.fetch, body))
      times.push(performance.now() - started)
    }
    return median(times)
  }
  const manyMs = await perRequest(many)
  const fewMs = await perRequest(few)
  current = realFetch
  rows.push({ name: 'one request with 1,000 accounts (beside: with one)', ours: manyMs, plain: fewMs, unit: 'ms', target: 1.2, isRatio: true })
  rows.push({ name: 'factory and loader with 1,000 accounts', ours: many.loaderMs, unit: 'ms', target: 15 })
  await many.dispose()
  await few.dispose()
}

await untilUpstream()
await streams()
await failover()
await load()
process.stdout.write(`${JSON.stringify(rows)}\n`)
process.exit(0)
