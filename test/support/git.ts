import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { realPathOf } from '../../lib/kernel/files/real-path.js'
import { temporaryFolder } from './temporary.js'

const SETTINGS = ['user.name=t', 'user.email=t@x', 'protocol.file.allow=always']

/** Runs git as it comes, without anybody's settings. */
export function git(folder: string, ...args: string[]): void {
  const settings = SETTINGS.flatMap((setting) => ['-c', setting])
  execFileSync('git', ['-C', folder, ...settings, ...args], {
    env: { PATH: process.env.PATH ?? '', GIT_CONFIG_NOSYSTEM: '1', HOME: '/nonexistent' },
    stdio: 'ignore',
  })
}

/** A home with a repository of one commit in it. */
export async function homeWithRepository(name = 'repo'): Promise<{ home: string; repo: string }> {
  const home = await temporaryFolder()
  const repo = path.join(home, name)
  await mkdir(path.join(repo, 'src'), { recursive: true })
  git(repo, 'init', '-q')
  await writeFile(path.join(repo, 'src', 'a.txt'), 'a')
  git(repo, 'add', '.')
  git(repo, 'commit', '-qm', 'a')
  return { home, repo: realPathOf(repo) }
}
