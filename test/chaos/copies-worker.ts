import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/**
 * One window of a project: renews the first account of its pool, so many times. Arguments: folder, times, and the number
 * of the file operation after the answer of the login server before which the process is killed; 0 for never.
 */
const [directory = '', times = '1', killAt = '0'] = process.argv.slice(2)
setInterval(() => undefined, 60_000)
const KILLED = new Set(['open', 'rename', 'rm', 'stat', 'readdir', 'mkdir'])
let operations = -1

function countdown(): void {
  if (operations < 0 || Number(killAt) === 0) return
  operations += 1
  if (operations === Number(killAt)) process.kill(process.pid, 'SIGKILL')
}

const promises = fs.promises as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
for (const name of KILLED) {
  const real = promises[name]
  if (real === undefined) continue
  promises[name] = (...args) => {
    countdown()
    return real.apply(fs.promises, args)
  }
}
syncBuiltinESMExports()

const { resolvePaths } = await import('../../lib/kernel/files/paths.js')
const { openRuntime } = await import('../../lib/open-runtime.js')
const runtime = openRuntime({
  env: process.env,
  paths: resolvePaths(process.env),
  directory,
  host: { log: () => undefined, toast: () => undefined },
  watch: false,
  fetch: async (input, init) => {
    const response = await fetch(input, init)
    const text = await response.text()
    operations = 0
    return new Response(text, { status: response.status, headers: response.headers })
  },
})
for (let turn = 0; turn < Number(times); turn += 1) {
  const [account] = (await runtime.store.read()).accounts
  if (account === undefined) throw new Error('no account')
  const { token } = await runtime.tokens.refreshNow(account)
  process.stdout.write(`${token.slice(-12)}\n`)
}
await runtime.close()
process.exit(0)
