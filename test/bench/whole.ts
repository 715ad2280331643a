import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import http from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { MANAGED_AUTH } from '../../lib/login/managed-entry.js'
import { startSimulator, type Simulator } from '../../simulator/index.js'
import { testCertificate } from '../support/codex-cli.js'
import { createHost, type Host } from '../support/host.js'
import { accountsFileOf, signedIn, writePool } from '../support/records.js'
import type { Outside } from './processes.js'
import { figuresOf, inTurns, median } from './support.js'

const ACCOUNT = 'one'
const PAIRS = 8
const BACKEND_HOST = 'chatgpt.com'

/** One `opencode run`, ms. */
interface Run {
  readonly wall: number
  readonly firstRequest: number
  readonly end: number
}

/**
 * OpenCode itself, in interleaved whole runs with its builtin login and with this plugin. The builtin knows one address, so
 * both reach the simulator by that, through a proxy and with a certificate that only these processes trust.
 */
export async function whole(outside: Outside): Promise<void> {
  if (outside.runtime !== 'bun') return
  const folder = await mkdtemp(path.join(outside.folder, 'whole-'))
  const certificate = await testCertificate(folder, `DNS:${BACKEND_HOST}`)
  if (certificate === undefined) {
    process.stderr.write('Whole runs need openssl for a certificate: left out.\n')
    return
  }
  const { key, cert, caFile } = certificate
  const simulator = await startSimulator({ accounts: [ACCOUNT], tls: { key, cert } })
  const proxy = await startProxy(Number(new URL(simulator.url).port))
  const env = { HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: caFile }
  const builtin = await createHost({ plugins: [], env })
  const entry = pathToFileURL(path.join(outside.dist, 'index.js')).href
  const ours = await createHost({ plugins: [entry], env })
  const { access_token, refresh_token } = simulator.login(ACCOUNT)
  await signIn(builtin, {
    type: 'oauth',
    access: access_token,
    refresh: refresh_token,
    expires: Date.now() + 3_600_000,
    accountId: simulator.account(ACCOUNT).accountId,
  })
  await signIn(ours, MANAGED_AUTH)
  await writePool(accountsFileOf(ours.home), [signedIn(simulator, ACCOUNT)])
  try {
    const runs = await inTurns(
      outside.rounds(PAIRS),
      () => runOnce(ours, simulator),
      () => runOnce(builtin, simulator),
    )
    const row = (key: keyof Run) => ({
      ...figuresOf(runs.ours.map((run) => run[key])),
      plain: median(runs.beside.map((run) => run[key])),
      unit: 'ms',
    })
    outside.rows.push(
      { name: 'opencode run (beside: builtin login): in all', ...row('wall') },
      { name: 'opencode run: until its first request arrives', ...row('firstRequest') },
      {
        name: 'opencode run: from its first request to its end',
        ...row('end'),
        target: 10,
        of: 'added',
      },
    )
  } finally {
    await Promise.all([builtin.cleanup(), ours.cleanup(), simulator.close()])
    proxy.close()
  }
}

async function signIn(host: Host, auth: object): Promise<void> {
  await mkdir(path.dirname(host.authFile), { recursive: true })
  await writeFile(host.authFile, JSON.stringify({ openai: auth }), { mode: 0o600 })
}

async function runOnce(host: Host, simulator: Simulator): Promise<Run> {
  const before = simulator.requests.length
  const started = Date.now()
  const { code, stdout, stderr } = await host.prompt('SIM:say hello', { title: 'named' })
  const ended = Date.now()
  const first = simulator.requests.slice(before).find(({ path }) => path.endsWith('/responses'))
  if (code !== 0 || first === undefined || !stdout.includes('hello'))
    throw new Error(`opencode run ended with code ${code}, unanswered:\n${stdout}\n${stderr}`)
  return {
    wall: ended - started,
    firstRequest: first.atMs - started,
    end: ended - first.atMs,
  }
}

/** A proxy that knows one host and leads to a local port; everything else is refused. */
async function startProxy(port: number): Promise<{ readonly url: string; close(): void }> {
  const sockets = new Set<Socket>()
  const server = http.createServer((_request, response) => response.writeHead(403).end())
  // A program that ends cuts its connections, also those that were refused.
  const keep = (one: Socket): void => {
    sockets.add(one)
    one.on('error', () => one.destroy()).once('close', () => sockets.delete(one))
  }
  server.on('connect', (request, socket: Socket) => {
    keep(socket)
    if (request.url !== `${BACKEND_HOST}:443`) {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
      return
    }
    const upstream = net.connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      socket.pipe(upstream).pipe(socket)
    })
    keep(upstream)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
