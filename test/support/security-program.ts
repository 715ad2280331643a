import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { temporaryFolder } from './temporary.js'

/** How the keychain and its owner are, for the stand-in of `security`. */
interface KeychainState {
  /** By `service/account`; `trusted` are the programs that may read it unasked. */
  items: Record<string, { secret: string; trusted: string[] }>
  isLocked: boolean
  /** A session at the screen; over SSH there is none. */
  hasWindows: boolean
  answer: 'allow' | 'always' | 'deny' | 'wrong password' | 'never'
  answerAfterMs: number
  password: string
  /** For a `security -i` that hides how its command went. */
  interactiveEndsWithZero: boolean
}

const USUAL: KeychainState = {
  items: {},
  isLocked: false,
  hasWindows: true,
  answer: 'allow',
  answerAfterMs: 0,
  password: 'secret',
  interactiveEndsWithZero: false,
}

/** A stand-in for `security` of macOS in a folder of its own. */
export async function securityProgram(state: Partial<KeychainState> = {}) {
  const folder = await temporaryFolder()
  const script = path.join(folder, 'security.mjs')
  await copyFile(new URL('./security-program.mjs', import.meta.url), script)
  const program = path.join(folder, 'security')
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`)
  await chmod(program, 0o755)
  const file = path.join(folder, 'state.json')
  await writeFile(file, JSON.stringify({ ...USUAL, ...state }))
  const lines = async (name: string): Promise<string[]> => {
    const text = await readFile(path.join(folder, name), 'utf8').catch(() => '')
    return text.split('\n').filter((line) => line !== '')
  }
  const now = async () => JSON.parse(await readFile(file, 'utf8')) as KeychainState
  return {
    folder,
    program,
    env: { PATH: `${folder}:/usr/bin:/bin` },
    state: now,
    change: async (more: Partial<KeychainState>) =>
      writeFile(file, JSON.stringify({ ...(await now()), ...more })),
    /** Command lines it was started with. */
    argv: () => lines('argv'),
    /** What was asked on the screen, in windows. */
    questions: () => lines('questions'),
  }
}
