import type { Answer, Told } from '../job.js'
import type { Home, Stage } from '../stage.js'

const POLL_MS = 10
/** What does not come within this time does not come, ms. */
const LONGEST_MS = 20_000

/** What the login server was asked from here on: tokens it spent, and requests with one that was spent before. */
export function spending({ simulator }: Stage): () => {
  readonly rotated: number
  readonly reused: number
} {
  const from = simulator.requests.length
  return () => {
    const seen = simulator.requests.slice(from).filter(({ path }) => path === '/oauth/token')
    return {
      rotated: seen.filter(({ status }) => status === 200).length,
      reused: seen.filter(({ status }) => status === 401 || status === 400).length,
    }
  }
}

/** Every process asks for the token of an account at the same time. */
export async function askAll(stage: Stage, home: Home, uid: string): Promise<readonly Answer[]> {
  const issuer = stage.simulator.url
  const helpers = await stage.startAll(() => ({ kind: 'ask', home: home.folder, uid, issuer }))
  for (const helper of helpers) helper.go()
  const asked = await Promise.all(helpers.map((helper) => helper.waitFor('asked')))
  return answersOf(asked)
}

export function answersOf(asked: readonly Extract<Told, { told: 'asked' }>[]): readonly Answer[] {
  return asked.flatMap(({ answers }) => answers)
}

/** Tokens, each once, and those who got none. */
export function allAnswers(answers: readonly Answer[]): {
  readonly tokens: ReadonlySet<string>
  readonly refusals: readonly Extract<Answer, { kind: 'refused' }>[]
} {
  return {
    tokens: new Set(answers.flatMap((one) => (one.kind === 'token' ? [one.fingerprint] : []))),
    refusals: answers.filter((one) => one.kind === 'refused'),
  }
}

/** True when the refresh token in the file is the one that the login server waits for. */
export async function isAlive(stage: Stage, home: Home, uid: string): Promise<boolean> {
  const issuer = stage.simulator.url
  const helper = await stage.start({ kind: 'renew', home: home.folder, uid, issuer })
  helper.go()
  const { answers } = await helper.waitFor('asked')
  return answers.every(({ kind }) => kind === 'token')
}

/** Waits for something that is looked for. @returns false when it does not come */
export async function untilTrue(stage: Stage, look: () => Promise<boolean>): Promise<boolean> {
  const endMs = performance.now() + LONGEST_MS
  while (performance.now() < endMs) {
    if (await look()) return true
    await stage.pause(POLL_MS)
  }
  return false
}
