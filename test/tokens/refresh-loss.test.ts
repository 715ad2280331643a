import { readFile, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import {
  isStillRunning,
  type JournalEntry,
  lastEntry,
  lossIn,
} from '../../lib/tokens/journal/entry.js'
import { RefreshJournal } from '../../lib/tokens/journal/journal.js'
import { fingerprintOf } from '../../lib/tokens/token-rules.js'
import { loginNeededText } from '../../lib/tokens/texts.js'
import { ownIdentity, pidScope } from '../../lib/kernel/lock/process-identity.js'
import { newDataKey } from '../../lib/accounts/keychain/data-key.js'
import { temporaryFolder } from '../support/temporary.js'
import { tokenStage } from '../support/token-stage.js'

const NOW = Date.now()
/** No process has this number: the kernel gives none that high. */
const DEAD_PID = 2 ** 22 + 1
const started = (
  more: Partial<JournalEntry & { state: 'started' }> = {},
): JournalEntry & { state: 'started' } => ({
  state: 'started',
  pool: '/p',
  uid: 'u',
  startedAt: NOW,
  host: os.hostname(),
  pid: DEAD_PID,
  scope: pidScope(),
  born: '1',
  ...more,
})

describe('the sentence after a login was lost', () => {
  it('says that a refresh was cut off here, and blames no other program, when the journal knows it', async () => {
    const stage = await tokenStage({ expiresInMs: -1000 })
    await new RefreshJournal(stage.dir).write(
      fingerprintOf(stage.refreshToken),
      started({ pool: stage.file }),
    )
    stage.server.script.push({ status: 401, body: { error: { code: 'refresh_token_reused' } } })
    await expect(async () => stage.newTokens().access(stage.account)).rejects.toMatchObject({
      code: 'login_required',
    })
    const reason = (await stage.store.read()).accounts[0]?.needsLogin?.reason
    expect(reason).toMatch(/never finished.*ended in the middle.*lost/)
    expect(reason).not.toContain('another program')
  })

  it('still says so when tries in between failed', async () => {
    const stage = await tokenStage({ expiresInMs: -1000 })
    await new RefreshJournal(stage.dir).write(
      fingerprintOf(stage.refreshToken),
      started({ pool: stage.file }),
    )
    stage.server.script.push(
      { status: 503, body: {} },
      { status: 401, body: { error: { code: 'refresh_token_reused' } } },
    )
    const tokens = stage.newTokens()
    await expect(tokens.refreshNow(stage.account)).rejects.toMatchObject({ code: 'refresh_failed' })
    await expect(tokens.refreshNow(stage.account)).rejects.toMatchObject({
      code: 'login_required',
      message: expect.stringContaining('never finished'),
    })
  })

  it('names another program only when nothing is known of a loss here', () => {
    expect(loginNeededText('refresh_token_reused', undefined)).toContain(
      'another program or machine',
    )
    expect(loginNeededText('refresh_token_reused', { how: 'unanswered', startedAt: NOW })).toMatch(
      /got no answer.*lost/,
    )
    expect(loginNeededText('refresh_token_expired', { how: 'killed', startedAt: NOW })).toContain(
      'expired unused',
    )
    expect(loginNeededText('invalid_grant', undefined)).toContain('no longer accepts it')
  })

  it('takes a failure for a loss only where the server may have spent the token', () => {
    const failed = (answered: boolean): JournalEntry => ({
      state: 'failed',
      pool: '/p',
      uid: 'u',
      startedAt: 1,
      failedAt: 1,
      retryAt: 1,
      attempts: 1,
      answered,
    })
    expect(lossIn(failed(true))).toBeUndefined()
    expect(lossIn(failed(false))).toEqual({ how: 'unanswered', startedAt: 1 })
    expect(lossIn(started())).toEqual({ how: 'killed', startedAt: NOW })
    expect(lossIn(undefined)).toBeUndefined()
  })
})

describe('a token that was about to be spent', () => {
  const { startedAt: born } = ownIdentity()

  it('is left alone while its process lives, however long that is and wherever the clock goes', () => {
    // Where the start of a process is not told, its number stands for it for a day, as long as the machine runs.
    const times =
      born === undefined ? [0, -3_600_000] : [0, 3_600_000, 40 * 24 * 3_600_000, -3_600_000]
    for (const ms of times)
      expect(isStillRunning(started({ pid: process.pid, born }), NOW + ms)).toBe(true)
  })

  it('is free at once when its process is gone, or its number belongs to another process by now', () => {
    expect(isStillRunning(started(), NOW)).toBe(false)
    if (born !== undefined)
      expect(isStillRunning(started({ pid: process.pid, born: '1' }), NOW)).toBe(false)
  })

  it('is left alone for a minute where its process cannot be looked up from here', () => {
    expect(isStillRunning(started({ scope: 'elsewhere' }), NOW + 30_000)).toBe(true)
    expect(isStillRunning(started({ scope: 'elsewhere' }), NOW + 90_000)).toBe(false)
  })

  it('is judged by host and number alone where an earlier version wrote it', () => {
    const old = { ...started({ pid: process.pid }), scope: undefined, born: undefined }
    expect(isStillRunning(old, NOW)).toBe(true)
    expect(isStillRunning({ ...old, host: 'elsewhere' }, NOW)).toBe(false)
    expect(isStillRunning(old, NOW + 600_000)).toBe(false)
  })
})

describe('a journal file', () => {
  it('is known by its whole name: nothing else in the folder is an entry', async () => {
    const dir = await temporaryFolder()
    const name = 'a'.repeat(32)
    for (const file of [`${name}.json`, `x${name}.json`, `${name}.json.tmp`, `${name}.lock`])
      await writeFile(path.join(dir, file), '')
    expect(await new RefreshJournal(dir).list()).toEqual([name])
  })

  it('in a spare folder counts when it holds tokens, whatever the usual one says', async () => {
    const [dir, spare] = [await temporaryFolder(), await temporaryFolder()]
    const name = 'a'.repeat(32)
    const received: JournalEntry = {
      state: 'received',
      pool: '/p',
      uid: 'u',
      startedAt: 1,
      tokens: { refreshToken: 'rt_new' },
    }
    const journal = new RefreshJournal(dir, undefined, [spare])
    await new RefreshJournal(spare).write(name, received)
    expect(await journal.read(name)).toEqual(received)
    await journal.write(name, started())
    expect(await journal.read(name)).toEqual(received)
  })

  it('is sealed with the key of its intent when the keychain does not answer any more', async () => {
    const dir = await temporaryFolder()
    const name = 'a'.repeat(32)
    const key = newDataKey()
    let isLocked = false
    const current = async () => (isLocked ? Promise.reject(new Error('locked')) : key)
    const journal = new RefreshJournal(dir, { current, key: async () => key })
    const open = await journal.begin(name, started())
    isLocked = true
    const tokens = { refreshToken: 'rt_new' }
    const base = { pool: '/p', uid: 'u', startedAt: 1 }
    // Windows replaces no file that is open.
    await open.close()
    await journal.write(name, { state: 'received', ...base, tokens })
    expect(await readFile(path.join(dir, `${name}.json`), 'utf8')).not.toContain('rt_new')
    expect(await journal.read(name)).toMatchObject({ tokens })
    await expect(journal.begin(name, started())).rejects.toThrow('locked')
  })

  it.each(['', '\n\n', '{', 'null', '[]', '{"state":"later"}', '\u0000'.repeat(50), '   '])(
    'that holds %j has no entry',
    (text) => {
      expect(lastEntry(text)).toBeUndefined()
    },
  )

  it('that cannot be understood is left alone until it is old: it may be of a later version', async () => {
    const stage = await tokenStage()
    const { mkdir, utimes, writeFile } = await import('node:fs/promises')
    await mkdir(stage.dir, { recursive: true })
    const file = `${stage.dir}/${'b'.repeat(32)}.json`
    await writeFile(file, '{"state":"later"}')
    await stage.newTokens().recover()
    expect(await new RefreshJournal(stage.dir).list()).toHaveLength(1)
    await utimes(file, new Date(1), new Date(1))
    await stage.newTokens().recover()
    expect(await new RefreshJournal(stage.dir).list()).toEqual([])
  })
})
