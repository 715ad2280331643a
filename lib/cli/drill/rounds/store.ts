import { readFile } from 'node:fs/promises'

import { parsePool } from '../../../accounts/store/pool-format.js'
import { counted } from '../../../kernel/text/plural.js'
import { accountOf } from '../../../tokens/token-rules.js'
import type { Helper } from '../helper.js'
import type { Home, Stage } from '../stage.js'
import { broken, held, type Round, type Verdict } from '../verdict.js'

const SHARE = 0.2
const KILLS = 6

/** One account file, many writers, and kills in the middle. */
export const store: Round = {
  fault: 'store',
  what: (processes) => `${processes} processes change one account file and are killed`,
  async run(stage) {
    const home = await stage.newHome(stage.processes)
    const last = new Map<string, number>()
    const write = async (uid: string): Promise<Helper> => {
      const helper = await stage.start({ kind: 'write', home: home.folder, uid })
      helper.go()
      return helper
    }
    const writers = await Promise.all(home.uids.map(write))
    for (let kill = 0; kill < KILLS; kill += 1) {
      await stage.pause((stage.timeMs * SHARE) / KILLS)
      const at = kill % writers.length
      const victim = writers[at]
      const uid = home.uids[at]
      if (victim === undefined || uid === undefined) continue
      await victim.kill()
      note(last, uid, victim)
      writers[at] = await write(uid)
    }
    for (const writer of writers) writer.stop()
    await Promise.all(writers.map(({ ended }) => ended))
    writers.forEach((writer, at) => note(last, home.uids[at] ?? '', writer))
    const failed = writers.flatMap(({ told }) => told).find((one) => one.told === 'failed')
    return verdictOf(stage, home, last, failed?.why)
  },
}

/** The last change that a writer said was stored. */
function note(last: Map<string, number>, uid: string, { told }: Helper): void {
  for (const one of told) if (one.told === 'stored') last.set(uid, one.note)
}

async function verdictOf(
  { processes }: Stage,
  home: Home,
  last: ReadonlyMap<string, number>,
  why: string | undefined,
): Promise<Verdict> {
  const parsed = parsePool(await readFile(home.file, 'utf8'))
  if (parsed.kind !== 'pool')
    return broken('The account file was not whole after a process was killed while it wrote.')
  const missing = home.uids.filter((uid) => accountOf(parsed.pool, uid) === undefined)
  if (missing.length > 0)
    return broken(`${counted(missing.length, 'account is', 'accounts are')} gone from the file.`)
  const lost = home.uids.filter((uid) => {
    const stored = Number(accountOf(parsed.pool, uid)?.accountNote)
    // A kill may come between a write and the word of it, once for each that was killed.
    const said = last.get(uid) ?? 0
    return stored < said || stored > said + 1
  })
  const changes = [...last.values()].reduce((sum, one) => sum + one, 0)
  if (lost.length > 0)
    return broken(
      `Of ${counted(changes, 'change')} some are lost: ${counted(lost.length, 'account is', 'accounts are')} not as ${lost.length === 1 ? 'its' : 'their'} last writer left ${lost.length === 1 ? 'it' : 'them'}.`,
    )
  if (last.size < processes)
    return broken(
      `${processes - last.size} of ${processes} processes could not write at all. ${why ?? ''}`.trim(),
    )
  return held(
    `${counted(changes, 'change')} of ${processes} processes, ${KILLS} of them killed in between: every one is in the file, and it is whole.`,
  )
}
