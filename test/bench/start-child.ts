/**
 * One start in a fresh process, used as the host uses the plugin, with `fetch` replaced before anything is loaded. Imports
 * nothing but the way to use it: what it loaded would be missing from the plugin's bill. Prints one JSON line.
 */
import { type Fetch, send, startPlugin } from './host.js'

const [, , entry = '', kind = '', isInHost = ''] = process.argv
/** Some of what OpenCode itself has loaded before any plugin. */
const HOST_MODULES = [
  'child_process',
  'crypto',
  'events',
  'fs',
  'fs/promises',
  'http',
  'https',
  'net',
  'os',
  'stream',
  'tls',
  'url',
  'util',
  'zlib',
]
if (isInHost !== '') for (const name of HOST_MODULES) await import(`node:${name}`)

// In place of the keychain of the system, whose own time is its own affair.
const secrets = JSON.parse(process.env.BENCH_SECRETS ?? 'null') as Record<string, string> | null
if (secrets !== null)
  Object.assign(((globalThis as { Bun?: object }).Bun ??= {}), {
    secrets: { get: async ({ name }: { name: string }) => secrets[name] ?? null },
  })

const startedMb = process.memoryUsage().rss / 1e6
const startedCpu = process.cpuUsage()
const started = performance.now()
const env = process.env

const TOKEN = 'https://auth.openai.com/oauth/token'
const TOKEN_ANSWER_MS = 100
const PARALLEL = 20
const ANSWER =
  'data: {"type":"response.output_text.delta","delta":"x"}\n\ndata: {"type":"response.completed","response":{"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
const USED_UP = {
  error: {
    type: 'usage_limit_reached',
    message: 'The usage limit has been reached',
    plan_type: 'plus',
    resets_at: Math.ceil(Date.now() / 1000) + 7200,
    resets_in_seconds: 7200,
  },
}
const RENEWED = { access_token: 'at-new', refresh_token: 'rt-new', expires_in: 86_400 }

let firstSentMs = 0
let firstSentCpuMs = 0
let calls = 0

globalThis.fetch = async (input: RequestInfo | URL) => {
  // No look at `Request`: Node loads its whole HTTP client for the name alone.
  const url = typeof input === 'string' ? input : 'url' in input ? input.url : input.href
  if (url.endsWith('/oauth/token')) {
    await new Promise((resolve) => setTimeout(resolve, TOKEN_ANSWER_MS))
    return Response.json(RENEWED)
  }
  if (!url.endsWith('/responses')) return Response.json({ models: [] })
  if (calls === 0) {
    firstSentMs = performance.now() - started
    const { user, system } = process.cpuUsage(startedCpu)
    firstSentCpuMs = (user + system) / 1_000
  }
  calls += 1
  if (kind.endsWith('failover') && calls <= Number(env.BENCH_LIMITED))
    return Response.json(USED_UP, { status: 429 })
  return new Response(ANSWER, { headers: { 'content-type': 'text/event-stream' } })
}

async function ask(target: Fetch, session = 'ses_bench'): Promise<boolean> {
  const response = await send(target, env.BENCH_BODY ?? '', { 'session-id': session })
  return (await response.text()).includes('response.completed')
}

const askTwenty = async (target: Fetch): Promise<boolean> => {
  const answers = Array.from({ length: PARALLEL }, (_, index) => ask(target, `ses_${index}`))
  return (await Promise.all(answers)).every(Boolean)
}

async function measured(): Promise<{ answered: boolean; startMs: number; dispose?(): unknown }> {
  const plain: Fetch = (url, init) => globalThis.fetch(url, init)
  switch (kind) {
    case 'nothing':
      return { answered: true, startMs: performance.now() - started }
    case 'read':
      await (await import('node:fs/promises')).readFile(env.BENCH_CAPTURE ?? '', 'utf8')
      return { answered: true, startMs: performance.now() - started }
    case 'fetch':
      return { startMs: 0, answered: await ask(plain) }
    case 'fetch-failover': {
      for (let call = 0; call < Number(env.BENCH_LIMITED); call += 1) await ask(plain)
      return { startMs: 0, answered: await ask(plain) }
    }
    case 'fetch-expired':
      await plain(TOKEN, {})
      return { startMs: 0, answered: await askTwenty(plain) }
    default: {
      const { fetch, dispose } = await startPlugin(entry, {
        home: env.HOME,
        auth: JSON.parse(env.BENCH_AUTH ?? '') as unknown,
      })
      const startMs = performance.now() - started
      if (kind === 'boot') return { answered: true, startMs }
      const answered = await (kind === 'expired' ? askTwenty(fetch) : ask(fetch))
      return { answered, startMs, dispose }
    }
  }
}

const { answered, startMs, dispose } = await measured()
const answerMs = performance.now() - started - startMs
const mb = process.memoryUsage().rss / 1e6
const ending = performance.now()
// Also so that the next start finds on the disk what a user's would.
await dispose?.()
const endMs = performance.now() - ending
const grownMb = mb - startedMb
process.stdout.write(
  `${JSON.stringify({ startMs, firstSentMs, firstSentCpuMs, answerMs, endMs, answered, calls, mb, grownMb })}\n`,
)
process.exit(0)
