/** Runs named steps one after the other, shows how long each took, and stops at the first that fails. */
import { spawn } from 'node:child_process'
import path from 'node:path'

export const root = path.resolve(import.meta.dirname, '..')

/** Path of a development tool's entry; started with our own Node so that no shell or PATH is involved. */
export const bin = (file) => path.join(root, 'node_modules', file)

/**
 * How npm is started: its own entry with our Node, as Windows starts no `npm.cmd` without a shell. Outside of `npm run` the
 * program on PATH.
 * @param {string[]} args
 * @returns {[command: string, args: string[]]}
 */
export function npm(args) {
  const entry = process.env.npm_execpath
  return entry?.endsWith('.js') ? [process.execPath, [entry, ...args]] : ['npm', args]
}

/**
 * @param {string} title
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, quiet?: boolean }} [options] quiet: show the output only when the step fails
 * @returns {Promise<void>} rejects with the title when the exit code is not 0
 */
export async function step(title, command, args, options = {}) {
  const started = Date.now()
  process.stdout.write(`\n> ${title}\n`)
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...options.env },
    stdio: options.quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
  })
  let output = ''
  child.stdout?.on('data', (chunk) => (output += chunk))
  child.stderr?.on('data', (chunk) => (output += chunk))
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) {
    process.stdout.write(output)
    throw new Error(`${title} failed`)
  }
  process.stdout.write(`  ok, ${((Date.now() - started) / 1000).toFixed(1)} s\n`)
}
