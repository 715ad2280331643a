import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'

import { withAccount } from '../../accounts/edits.js'
import { type AccountStore, createAccountStore } from '../../accounts/store/store.js'
import { systemClock } from '../../kernel/clock.js'
import { isCodexError, messageOf } from '../../kernel/errors.js'
import { silentLogger } from '../../kernel/logger.js'
import { ISSUER_ENV, resolveEndpoints } from '../../oauth/endpoints.js'
import { accountOf, fingerprintOf } from '../../tokens/token-rules.js'
import { Tokens } from '../../tokens/tokens.js'
import { type Answer, type Job, LOCK_STALE_MS, REQUESTS, type Told } from './job.js'
import { offsetAt, shiftClock } from './shifted-clock.js'

/** A process of the drill: the code of this package at work on made-up accounts. Argument: the job, as JSON. */
const job = JSON.parse(process.argv[2] ?? '') as Job
/** Longest wait for a lock, ms. */
const LOCK_WAIT_MS = 30_000
const LONGEST_TURN_MS = 4
const USE_PAUSE_MS = 40

const stop = new AbortController()
const tell = (told: Told): boolean => process.stdout.write(`${JSON.stringify(told)}\n`)

async function work(): Promise<void> {
  switch (job.kind) {
    case 'count':
      return count(job.file)
    case 'hold':
      return hold(job.file)
    case 'write':
      return write(storeOf(job.home), job.uid)
    case 'ask':
      return ask(await windowOf(job), REQUESTS)
    case 'renew':
      return renew(await windowOf(job))
    case 'use':
      return use(await windowOf(job))
  }
}

async function count(file: string): Promise<void> {
  const { withFileLock } = await import('../../kernel/files/writing.js')
  const options = { staleMs: LOCK_STALE_MS, waitMs: LOCK_WAIT_MS, what: 'the counter' }
  let turns = 0
  let lost = 0
  while (!stop.signal.aborted)
    await withFileLock(file, options, async (lock) => {
      const value = Number(await readFile(file, 'utf8'))
      await systemClock.sleep(Math.random() * LONGEST_TURN_MS)
      if (lock.isHeld()) {
        await writeFile(file, String(value + 1))
        turns += 1
      } else lost += 1
    })
  tell({ told: 'counted', turns, lost })
}

async function hold(file: string): Promise<void> {
  const { withFileLock } = await import('../../kernel/files/writing.js')
  const options = { staleMs: LOCK_STALE_MS, waitMs: LOCK_WAIT_MS, what: 'the lock' }
  await withFileLock(file, options, async () => {
    tell({ told: 'holding' })
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve))
  })
}

async function write(store: AccountStore, uid: string): Promise<void> {
  while (!stop.signal.aborted) {
    const pool = await store.update((before) =>
      withAccount(before, uid, (account) => ({
        ...account,
        accountNote: String(Number(account.accountNote) + 1),
      })),
    )
    tell({ told: 'stored', note: Number(accountOf(pool, uid)?.accountNote) })
  }
}

interface Window {
  readonly store: AccountStore
  readonly tokens: Tokens
  readonly uid: string
}

async function windowOf(asking: {
  readonly home: string
  readonly uid: string
  readonly issuer: string
}): Promise<Window> {
  const { OAuthClient } = await import('../../tokens/engine.js')
  const store = storeOf(asking.home)
  const endpoints = resolveEndpoints({ [ISSUER_ENV]: asking.issuer })
  const client = new OAuthClient({ endpoints, fetch, clock: systemClock, userAgent: 'drill' })
  const tokens = new Tokens({
    store,
    clock: systemClock,
    random: Math.random,
    log: silentLogger,
    label: () => 'the made-up account',
    dir: path.join(asking.home, 'refresh'),
    refreshGrant: client.refresh,
    settings: { refreshSkewMs: 500 },
  })
  return { store, tokens, uid: asking.uid }
}

function storeOf(home: string): AccountStore {
  return createAccountStore({
    path: path.join(home, 'accounts.json'),
    backupsDir: path.join(home, 'backups'),
    clock: systemClock,
  })
}

async function answerOf({ store, tokens, uid }: Window, isForced: boolean): Promise<Answer> {
  try {
    const account = accountOf(await store.read(), uid)
    if (account === undefined)
      return { kind: 'refused', code: 'login_required', why: 'The account is gone.' }
    const { token } = await (isForced ? tokens.refreshNow(account) : tokens.access(account))
    return { kind: 'token', fingerprint: fingerprintOf(token) }
  } catch (error) {
    const code = isCodexError(error) ? error.code : 'internal'
    return { kind: 'refused', code, why: messageOf(error) }
  }
}

async function ask(window: Window, times: number): Promise<void> {
  const answers = await Promise.all(Array.from({ length: times }, () => answerOf(window, false)))
  await window.tokens.close()
  tell({ told: 'asked', answers })
}

async function renew(window: Window): Promise<void> {
  const answers = [await answerOf(window, true)]
  await window.tokens.close()
  tell({ told: 'asked', answers })
}

async function use(window: Window): Promise<void> {
  const answers: Answer[] = []
  while (!stop.signal.aborted) {
    answers.push(await answerOf(window, false))
    await systemClock.sleep(USE_PAUSE_MS)
  }
  await window.tokens.close()
  tell({ told: 'asked', answers })
}

// Waiting for a lock or a pause does not keep a process alive by itself.
setInterval(() => undefined, 60_000)
const orders = createInterface({ input: process.stdin })
orders.once('close', () => process.exit(0))
orders.on('line', (order) => {
  if (order === 'stop') stop.abort()
  if (order !== 'go') return
  if (job.kind === 'use') {
    const startMs = Date.now()
    shiftClock((nowMs) => offsetAt(job.clock, nowMs - startMs))
  }
  work().then(
    () => process.stdout.write('', () => process.exit(0)),
    (error: unknown) => {
      tell({ told: 'failed', why: messageOf(error) })
      process.stdout.write('', () => process.exit(1))
    },
  )
})
tell({ told: 'ready' })
