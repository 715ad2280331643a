import { spawn } from 'node:child_process'
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'

import type { Launch } from './windows.js'

/**
 * Runs below Wine and starts one Windows program: with its environment whole, which Wine does not hand through as it is, and
 * with its output in files, because a pipe to the other side cannot be written to.
 */
const LOOK_EVERY_MS = 200

const { file, args, cwd, env, stdin, files } = JSON.parse(
  readFileSync(process.argv[2] ?? '', 'utf8'),
) as Launch
// Names of variables have no case on Windows; null takes one away.
const whole = new Map<string, readonly [name: string, value: string | null]>()
for (const [name, value] of [...Object.entries(process.env), ...Object.entries(env)])
  whole.set(name.toUpperCase(), [name, value ?? null])
const child = spawn(file, args, {
  cwd,
  env: Object.fromEntries(
    [...whole.values()].filter(([, value]) => value !== null),
  ) as NodeJS.ProcessEnv,
  stdio: ['pipe', openSync(files.stdout, 'w'), openSync(files.stderr, 'w')],
})
child.stdin?.on('error', () => undefined)
child.stdin?.end(stdin)
const look = setInterval(() => {
  if (existsSync(files.stop)) child.kill()
}, LOOK_EVERY_MS)
const end = (result: unknown): void => {
  clearInterval(look)
  writeFileSync(files.end, JSON.stringify(result))
}
child.once('error', (error) => end({ code: null, error: String(error) }))
child.once('exit', (code) => end({ code }))
