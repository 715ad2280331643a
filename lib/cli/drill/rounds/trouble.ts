import { chmod, mkdir, rmdir } from 'node:fs/promises'
import path from 'node:path'

import { counted } from '../../../kernel/text/plural.js'
import type { ClockJump } from '../shifted-clock.js'
import type { Stage } from '../stage.js'
import { broken, held, type Round, skipped } from '../verdict.js'
import { allAnswers, answersOf, askAll, isAlive, spending } from './asking.js'

const HOUR_MS = 3_600_000
const SHARE = 0.12
/** Life of the tokens while clocks jump, so that many are refreshed, s. */
const SHORT_LIFE_S = 1
const USUAL_LIFE_S = 3_600

/** Clocks that are wrong by hours, each in its own way, and jump. */
export const clock: Round = {
  fault: 'clock',
  what: () => 'the clocks of the processes jump by hours',
  async run(stage) {
    const home = await stage.newHome(1)
    const [uid = ''] = home.uids
    const issuer = stage.simulator.url
    stage.simulator.changeSettings({ tokenLatencyMs: 0, accessTokenSeconds: SHORT_LIFE_S })
    const spent = spending(stage)
    try {
      const helpers = await stage.startAll((index) => ({
        kind: 'use',
        home: home.folder,
        uid,
        issuer,
        clock: jumpsOf(index, stage.timeMs * SHARE),
      }))
      for (const helper of helpers) helper.go()
      await stage.pause(stage.timeMs * SHARE)
      for (const helper of helpers) helper.stop()
      const asked = await Promise.all(helpers.map((helper) => helper.waitFor('asked')))
      const answers = answersOf(asked)
      const { rotated, reused } = spent()
      if (reused > 0)
        return broken(
          `With wrong clocks ${counted(reused, 'refresh token was', 'refresh tokens were')} spent twice.`,
        )
      const lost = allAnswers(answers).refusals.find(({ code }) => code === 'login_required')
      if (lost !== undefined) return broken(`With wrong clocks a login was lost: ${lost.why}`)
      if (!(await isAlive(stage, home, uid)))
        return broken('With wrong clocks the refresh token in the account file is a dead one.')
      return held(
        `${counted(answers.length, 'request')} of ${helpers.length} processes whose clocks are wrong by 5 h or jump: ${counted(rotated, 'refresh', 'refreshes')}, no token spent twice.`,
      )
    } finally {
      stage.simulator.changeSettings({ accessTokenSeconds: USUAL_LIFE_S })
    }
  },
}

/** Each in its own way; the first one of four is right. */
function jumpsOf(index: number, lengthMs: number): readonly ClockJump[] {
  const whole = { fromMs: 0, untilMs: HOUR_MS }
  switch (index % 4) {
    case 1:
      return [{ ...whole, offsetMs: 5 * HOUR_MS }]
    case 2:
      return [{ ...whole, offsetMs: -5 * HOUR_MS }]
    case 3:
      return [
        { fromMs: lengthMs / 4, untilMs: lengthMs / 2, offsetMs: 3 * HOUR_MS },
        { fromMs: lengthMs / 2, untilMs: lengthMs, offsetMs: -3 * HOUR_MS },
      ]
    default:
      return []
  }
}

/** A disk that takes no writes for a while. */
export const refusedWrites: Round = {
  fault: 'refused-writes',
  what: () => 'the disk refuses writes for a while',
  async run(stage) {
    const home = await stage.newHome(1)
    const [uid = ''] = home.uids
    const journal = path.join(home.folder, 'refresh')
    await mkdir(journal, { mode: 0o500 })
    if (await takesFolders(journal))
      return skipped(
        'Writes cannot be refused here: the disk keeps no permissions, or you are root.',
      )
    stage.simulator.changeSettings({ tokenLatencyMs: 0 })
    const spent = spending(stage)
    const first = allAnswers(await askAll(stage, home, uid))
    if (first.tokens.size > 0 || spent().rotated > 0)
      return broken('A refresh token was spent although its successor could not be stored.')
    await chmod(journal, 0o700)
    return afterwards(stage, await askAll(stage, home, uid), spent())
  },
}

function afterwards(
  stage: Stage,
  answers: Awaited<ReturnType<typeof askAll>>,
  { rotated, reused }: { readonly rotated: number; readonly reused: number },
): ReturnType<typeof held> {
  const [first] = allAnswers(answers).refusals
  if (first !== undefined) return broken(`After the disk took writes again: ${first.why}`)
  if (rotated !== 1 || reused > 0)
    return broken(
      `After the disk took writes again ${rotated + reused} refreshes were asked for in place of one.`,
    )
  return held(
    `While the disk refused writes nothing was spent; then ${stage.processes} processes went on with one refresh.`,
  )
}

async function takesFolders(folder: string): Promise<boolean> {
  const probe = path.join(folder, 'probe')
  return mkdir(probe).then(
    () => rmdir(probe).then(() => true),
    () => false,
  )
}
