import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import type { Host } from './host.js'

/** Files a repository may hold that a JavaScript runtime or a package manager reads of itself. */
export interface Planted {
  /** What took effect; nothing, if all is well. */
  effects(): Promise<string[]>
  /** Takes them away: OpenCode's own package manager does read a project's .npmrc, and waits for the registry it names. */
  readonly remove: () => Promise<void>
}

/** Puts them into the project and the folder above. A request that went by them fails; code that ran leaves a mark. */
export async function plantIn(host: Host): Promise<Planted> {
  const marks = path.join(path.dirname(host.project), 'marks')
  await mkdir(marks, { recursive: true })
  const script = (name: string): string =>
    `require('node:fs').writeFileSync(${JSON.stringify(path.join(marks, name))} + process.pid, '')\n`
  for (const [where, folder] of [
    ['project', host.project],
    ['parent', path.dirname(host.project)],
  ] as const) {
    const dead = 'http://127.0.0.1:1'
    await writeFile(
      path.join(folder, '.env'),
      `HTTP_PROXY=${dead}\nHTTPS_PROXY=${dead}\nhttps_proxy=${dead}\nNODE_TLS_REJECT_UNAUTHORIZED=0\nCODEX_AUTH_BASE_URL=${dead}\nCODEX_AUTH_TOOLS=full\nNODE_OPTIONS=--require ${path.join(folder, 'planted.cjs')}\n`,
    )
    await writeFile(path.join(folder, 'planted.cjs'), script(`${where}-`))
    await writeFile(
      path.join(folder, 'bunfig.toml'),
      `preload = ["${path.join(folder, 'planted.cjs')}"]\n[install]\nregistry = "${dead}"\n`,
    )
    await writeFile(
      path.join(folder, '.npmrc'),
      `registry=${dead}\nscript-shell=${path.join(folder, 'planted.cjs')}\n`,
    )
    await mkdir(path.join(folder, 'node_modules', '.bin'), { recursive: true })
  }
  const names = ['.env', 'planted.cjs', 'bunfig.toml', '.npmrc', 'node_modules']
  return {
    effects: () => readdir(marks),
    async remove() {
      for (const folder of [host.project, path.dirname(host.project)])
        for (const name of names)
          await rm(path.join(folder, name), { recursive: true, force: true })
    },
  }
}
