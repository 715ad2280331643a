import { execFile, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { startProcess } from './child-process.js'

const PROGRAMS = ['dbus-run-session', 'gnome-keyring-daemon', 'secret-tool']
const missing = PROGRAMS.filter(
  (program) => spawnSync('which', [program], { stdio: 'ignore' }).status !== 0,
)

/** Why tests with a real keychain cannot run here, or nothing. */
export const noSecretService: string | undefined =
  missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`

/** A desktop session without a desktop: a message bus of its own with an unlocked keyring on it. */
export interface SecretService {
  /** What a program needs in its environment to find the session. */
  readonly env: Readonly<Record<string, string>>
  /** Names of the items of this plugin, by `secret-tool`. */
  items(): Promise<string[]>
  close(): Promise<void>
}

const SCRIPT =
  'printf "password\\n" | gnome-keyring-daemon --unlock --components=secrets > /dev/null; echo "bus=$DBUS_SESSION_BUS_ADDRESS"; exec sleep 600'

/** Starts a session; its keyring lies in a folder of its own. */
export async function startSecretService(): Promise<SecretService> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-keyring-'))
  await mkdir(path.join(home, 'run'), { mode: 0o700 })
  const base = { HOME: home, XDG_RUNTIME_DIR: path.join(home, 'run'), PATH: process.env.PATH ?? '' }
  const running = startProcess({
    file: 'dbus-run-session',
    args: ['--', 'sh', '-c', SCRIPT],
    cwd: home,
    env: base,
  })
  const output = await running.waitFor(/bus=\S+\n/)
  const env = { DBUS_SESSION_BUS_ADDRESS: /bus=(\S+)\n/.exec(output)?.[1] ?? '' }
  return {
    env,
    async items() {
      const { stdout, stderr } = await promisify(execFile)(
        'secret-tool',
        ['search', '--all', 'service', 'oc-codex-multi-auth'],
        { env: { ...base, ...env } },
      )
      return [...`${stdout}${stderr}`.matchAll(/^attribute\.account = (.+)$/gm)].map(
        (match) => match[1] ?? '',
      )
    },
    async close() {
      running.kill()
      await running.ended
      await rm(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
