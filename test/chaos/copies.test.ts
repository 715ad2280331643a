import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { bundledWorker } from '../support/bundled-worker.js'
import { startProcess } from '../support/child-process.js'
import { CopiedLogin } from '../support/copied-login.js'
import { SOAK } from './soak.js'

const PLACES = [undefined, 'a', 'b', 'c']
/** File operations after an answer of the login server, more than there are: the last rounds are not killed. */
const POINTS = 60

describe('one login in the global pool and in three copies of it, on a server that ends the login at the first reuse', () => {
  const worker = bundledWorker('test/chaos/copies-worker.ts')

  async function copies(): Promise<CopiedLogin> {
    const home = await CopiedLogin.make()
    const login = home.login()
    for (const project of PLACES) await home.put(project, login)
    return home
  }

  const start = (home: CopiedLogin, project: string | undefined, times: number, killAt: number) =>
    startProcess({
      file: process.execPath,
      args: [
        worker(),
        project === undefined ? home.home : home.folderOf(project),
        String(times),
        String(killAt),
      ],
      cwd: home.home,
      env: { ...home.env, PATH: process.env.PATH ?? '' },
    })

  it(
    'serves eight processes at once that renew from everywhere, without a token spent twice',
    async () => {
      const home = await copies()
      const ends = await Promise.all(
        [...PLACES, ...PLACES].map((project) => start(home, project, 3 * SOAK, 0).ended),
      )
      expect(ends.map(({ code, stderr }) => [code, stderr])).toEqual(ends.map(() => [0, '']))
      expect(home.reused()).toBe(0)
      const tokens = await Promise.all(
        PLACES.map(async (project) => (await home.in(project)).refreshToken),
      )
      expect(new Set(tokens).size).toBe(1)
      console.log(`copies: 8 processes, ${home.spent()} tokens spent, ${home.reused()} twice`)
    },
    120_000 * SOAK,
  )

  it('survives a kill at every file operation after the answer: nobody spends a dead token, everybody serves afterwards', async () => {
    let kills = 0
    for (let point = 1; point <= POINTS; point += 1) {
      const home = await copies()
      const end = await start(home, 'a', 1, point).ended
      if (end.signal === 'SIGKILL') kills += 1
      // What the killed held goes stale by itself; the test does not wait for it.
      const root = path.join(home.home, '.opencode')
      for (const name of await readdir(root, { recursive: true }))
        if (name.endsWith('.lock'))
          await rm(path.join(root, name), { recursive: true, force: true })
      for (const project of ['b', undefined, 'c', 'a']) await home.refresh(project)
      expect(home.reused(), `killed before operation ${point}`).toBe(0)
      for (const project of PLACES)
        expect(await home.in(project), `killed before operation ${point}`).not.toHaveProperty(
          'needsLogin',
        )
      if (end.code === 0) break
    }
    expect(kills).toBeGreaterThan(10)
    console.log(`copies: ${kills} kills after the answer, no token spent twice`)
  }, 240_000)
})
