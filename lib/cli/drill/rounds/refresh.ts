import { counted } from '../../../kernel/text/plural.js'
import type { Helper } from '../helper.js'
import { type Answer, REQUESTS } from '../job.js'
import { hasReceived, type Home, type Stage } from '../stage.js'
import { broken, held, type Round, type Verdict } from '../verdict.js'
import { allAnswers, askAll, isAlive, spending, untilTrue } from './asking.js'

const ROUNDS = 3
/** An answer of the login server takes this long, so that everybody asks meanwhile, ms. */
const LATENCY_MS = 300
/** An answer that takes this long comes after the kill, ms. */
const NEVER_MS = 60_000
/** Longer than the first pause after a refresh that failed, ms. */
const PAUSE_MS = 2_200

/** One expired token, and everybody wants the next one. */
export const refresh: Round = {
  fault: 'refresh',
  what: (processes) => `${processes} processes ask for one expired token`,
  async run(stage) {
    const home = await stage.newHome(ROUNDS)
    stage.simulator.changeSettings({ tokenLatencyMs: LATENCY_MS })
    for (const uid of home.uids) {
      const spent = spending(stage)
      const answers = await askAll(stage, home, uid)
      const wrong = wrongAnswers(answers) ?? spentWrong(spent(), 0)
      if (wrong !== undefined) return broken(wrong)
      if (!(await isAlive(stage, home, uid))) return broken(LOST)
    }
    return held(
      `${ROUNDS} times ${stage.processes * REQUESTS} requests of ${stage.processes} processes for one expired token: its refresh token was spent once each time, and all got the new one.`,
    )
  },
}

/** The process that refreshes is killed when it has the answer and no file has it yet. */
export const killedStoring: Round = {
  fault: 'kill-before-store',
  what: () => 'a process is killed between the new token and the account file',
  async run(stage) {
    const home = await stage.newHome(1)
    const [uid = ''] = home.uids
    const spent = spending(stage)
    const victim = await stage.start(asking(stage, home, uid))
    // Nobody else may write while this holds the file, so the victim has to wait with the new tokens in its journal.
    const hasCome = await home.store.transact(async () => {
      victim.go()
      const isThere = await untilTrue(stage, () => hasReceived(home))
      await victim.kill()
      return isThere
    })
    if (!hasCome) return broken('New tokens did not come into the journal before the account file.')
    const answers = await askAll(stage, home, uid)
    const wrong = wrongAnswers(answers) ?? spentWrong(spent(), 0)
    if (wrong !== undefined) return broken(wrong)
    if (!(await isAlive(stage, home, uid))) return broken(LOST)
    return held(
      'A process was killed after it got the new tokens and before the account file had them: the next ones found them in the journal, and nothing was spent again.',
    )
  },
}

/** The process that refreshes is killed while the answer is on its way: no disk in the world can bring that back. */
export const killedAsking: Round = {
  fault: 'kill-before-answer',
  what: () => 'a process is killed before the answer of the login server',
  async run(stage) {
    const home = await stage.newHome(1)
    const [uid = ''] = home.uids
    const spent = spending(stage)
    stage.simulator.changeSettings({ tokenLatencyMs: 0 })
    stage.simulator.addRules({
      when: { endpoint: 'token' },
      times: 1,
      do: { type: 'latency', ms: NEVER_MS },
    })
    const victim = await stage.start(asking(stage, home, uid))
    victim.go()
    await untilTrue(stage, async () => spent().rotated > 0)
    await victim.kill()
    await askAll(stage, home, uid)
    return toldLoss(home, uid, spent, 'A process was killed while the answer was on its way')
  },
}

/** The login server spends the token and its answer breaks off. */
export const dropped: Round = {
  fault: 'dropped-answer',
  what: () => 'the answer of the login server breaks off',
  async run(stage) {
    const home = await stage.newHome(2)
    const [lost = '', refused = ''] = home.uids
    const { simulator } = stage
    simulator.changeSettings({ tokenLatencyMs: 0 })
    simulator.addRules({
      when: { endpoint: 'token' },
      times: 1,
      do: { type: 'cut', at: 'connect' },
    })
    const spent = spending(stage)
    await askAll(stage, home, lost)
    await stage.pause(PAUSE_MS)
    await askAll(stage, home, lost)
    const loss = await toldLoss(home, lost, spent, 'An answer broke off')
    if (loss.outcome === 'broken') return loss
    // What was not spent must not count as lost.
    simulator.addRules({ when: { endpoint: 'token' }, times: 1, do: { type: 'server_error' } })
    const again = spending(stage)
    await askAll(stage, home, refused)
    await stage.pause(PAUSE_MS)
    const wrong = wrongAnswers(await askAll(stage, home, refused)) ?? spentWrong(again(), 0)
    return wrong === undefined ? loss : broken(wrong)
  },
}

const LOST = 'The refresh token in the account file is a dead one.'

function asking(stage: Stage, home: Home, uid: string): Helper['job'] {
  return { kind: 'ask', home: home.folder, uid, issuer: stage.simulator.url }
}

/** Why not everybody got one and the same token; undefined when all did. */
function wrongAnswers(answers: readonly Answer[]): string | undefined {
  const { tokens, refusals } = allAnswers(answers)
  const [first] = refusals
  if (first !== undefined)
    return `${counted(refusals.length, 'request')} of ${answers.length} got no token: ${first.why}`
  if (tokens.size > 1) return `The requests got ${tokens.size} different tokens.`
  return undefined
}

function spentWrong(
  { rotated, reused }: { readonly rotated: number; readonly reused: number },
  reusable: number,
): string | undefined {
  if (reused > reusable)
    return `A refresh token was spent ${reused + 1} times; the login server ends a login for that.`
  if (rotated > 1) return `${rotated} refresh tokens were spent where one was needed.`
  return undefined
}

/** A token that is lost on the way is asked for once more, and then its owner is told; nothing goes on in silence. */
async function toldLoss(
  home: Home,
  uid: string,
  spent: ReturnType<typeof spending>,
  what: string,
): Promise<Verdict> {
  const wrong = spentWrong(spent(), 1)
  if (wrong !== undefined) return broken(wrong)
  const account = await home.account(uid)
  if (account === undefined) return broken('An account is gone from the file.')
  return account.needsLogin === undefined
    ? broken(`${what}, and the account does not say that it needs a new login.`)
    : held(
        `${what}, after the login server had spent the token: no disk can bring it back. It was asked about once more, and the account says that it needs a new login and why.`,
      )
}
