import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { describe, expect, it, vi } from 'vitest'

import { newDataKey } from '../../lib/accounts/keychain/data-key.js'
import { TokenCommitter } from '../../lib/tokens/commit.js'
import { entryLine, intentOf } from '../../lib/tokens/journal/entry.js'
import { RefreshJournal } from '../../lib/tokens/journal/journal.js'
import { RefreshMemory } from '../../lib/tokens/memory.js'
import { fingerprintOf } from '../../lib/tokens/token-rules.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { silentLogger } from '../../lib/kernel/logger.js'
import { coreOver } from '../support/core-over.js'
import { recordFileOperations } from '../support/file-operations.js'
import { toolData, toolText } from '../support/run-tool.js'
import { temporaryFolder } from '../support/temporary.js'
import { type TokenStage, tokenStage } from '../support/token-stage.js'
import { expectPrivate } from '../support/private-place.js'

/** Takes the disk away between the spending of a token and the storing of its successor; gives it back when called. */
function diskGoneAfterSpending(
  { server, folder, spareDir }: Pick<TokenStage, 'server' | 'folder' | 'spareDir'>,
  options: { spare?: boolean } = {},
): { back: () => Promise<void> } {
  const away = `${folder}-away`
  const gone: Promise<void>[] = []
  server.onSpent = () => {
    server.onSpent = () => undefined
    gone.push(
      (async () => {
        await rename(folder, away)
        await writeFile(folder, '')
        if (options.spare !== true) await writeFile(spareDir, '')
      })(),
    )
  }
  // The answer waits until the disk is gone.
  server.delayMs = 200
  return {
    back: async () => {
      await Promise.all(gone)
      // Who has just begun to write may make the folder anew in between.
      await vi.waitFor(async () => {
        await rm(folder, { recursive: true, force: true })
        await rename(away, folder)
      }, 10_000)
      if (options.spare !== true) await rm(spareDir)
    },
  }
}

/** As if the process that holds locks had ended: this one holds them for as long as it lives. */
async function freeLocks({ dir }: TokenStage): Promise<void> {
  for (const one of await readdir(dir))
    if (one.includes('.lock')) await rm(path.join(dir, one), { recursive: true, force: true })
}

describe('new tokens that no disk takes', () => {
  it('are never called refreshed: the command fails, and says what to do while the login can still be saved', async () => {
    const stage = await tokenStage()
    const disk = diskGoneAfterSpending(stage)
    const tokens = stage.newTokens()
    await expect(tokens.refreshNow(stage.account)).rejects.toMatchObject({
      code: 'store_not_written',
      message: expect.stringContaining('could not be written to any disk'),
    })
    expect(stage.server.counts).toEqual({ rotated: 1, reused: 0, failed: 0 })
    expect(stage.toasts).toEqual([
      expect.stringMatching(/Account 1.*could not be written.*kept in memory.*Free space/),
    ])
    expect(await tokens.unsaved()).toEqual([expect.stringContaining('kept in memory')])
    await disk.back()
  })

  it('serve the request that fetched them, with a message on the screen', async () => {
    const stage = await tokenStage({ expiresInMs: -1000 })
    const disk = diskGoneAfterSpending(stage)
    const tokens = stage.newTokens()
    expect((await tokens.access(stage.account)).token).toBe('at_a_1')
    expect(stage.toasts).toHaveLength(1)
    await disk.back()
  })

  it('are stored as soon as the disk takes them, without another refresh, and that is said too', async () => {
    const stage = await tokenStage()
    const disk = diskGoneAfterSpending(stage)
    const tokens = stage.newTokens()
    await expect(tokens.refreshNow(stage.account)).rejects.toThrow()
    await disk.back()
    await expect
      .poll(async () => (await stage.store.read()).accounts[0]?.refreshToken, { timeout: 10_000 })
      .toBe('rt_a_2')
    await expect.poll(() => stage.toasts.at(-1)).toContain('are saved now')
    expect(await tokens.unsaved()).toEqual([])
    expect(await new RefreshJournal(stage.dir).list()).toEqual([])
    expect(stage.server.counts.rotated).toBe(1)
  })

  it('are not followed by the next ones before they are stored: asking again offers them to the disk and spends nothing', async () => {
    const stage = await tokenStage()
    const disk = diskGoneAfterSpending(stage)
    const tokens = stage.newTokens()
    await expect(tokens.refreshNow(stage.account)).rejects.toThrow()
    await disk.back()
    await tokens.refreshNow(stage.account)
    expect((await stage.store.read()).accounts[0]).toMatchObject({
      refreshToken: 'rt_a_2',
      accessToken: 'at_a_1',
    })
    expect(stage.server.counts).toEqual({ rotated: 1, reused: 0, failed: 0 })
  })

  it('are offered to the disk a last time when the window closes', async () => {
    const stage = await tokenStage()
    const disk = diskGoneAfterSpending(stage)
    const tokens = stage.newTokens()
    await expect(tokens.refreshNow(stage.account)).rejects.toThrow()
    const closing = tokens.close()
    await disk.back()
    await closing
    // Where the disk comes back between two steps the journal has them, and the next start brings them home.
    await freeLocks(stage)
    await stage.newTokens().recover()
    expect((await stage.store.read()).accounts[0]?.refreshToken).toBe('rt_a_2')
  })

  it('go to another folder when the one of the journal takes nothing, and come home with the next start', async () => {
    const stage = await tokenStage()
    const disk = diskGoneAfterSpending(stage, { spare: true })
    const tokens = stage.newTokens()
    await expect(tokens.refreshNow(stage.account)).rejects.toMatchObject({
      code: 'store_not_written',
      message: expect.stringContaining('safe in the refresh journal'),
    })
    const [name = ''] = await readdir(stage.spareDir)
    await expectPrivate(path.join(stage.spareDir, name))
    await expectPrivate(stage.spareDir)
    expect(await readFile(path.join(stage.spareDir, name), 'utf8')).not.toContain(
      stage.refreshToken,
    )
    // A kill: this window never gets to store them.
    await disk.back()
    await freeLocks(stage)
    await stage.newTokens().recover()
    expect((await stage.store.read()).accounts[0]?.refreshToken).toBe('rt_a_2')
    expect(await readdir(stage.spareDir)).toEqual([])
  })

  it('keep every other window from spending the old token for as long as their holder lives, however long that is', async () => {
    const stage = await tokenStage({ expiresInMs: -1000 })
    // On Windows a process from before the start of the machine is known to have ended.
    const ageMs = Math.min(3 * 3_600_000, os.uptime() * 500)
    const intent = intentOf(
      { pool: stage.file, uid: stage.account.uid, startedAt: Date.now() - ageMs },
      undefined,
    )
    await new RefreshJournal(stage.dir).write(fingerprintOf(stage.refreshToken), intent)
    const tokens = stage.newTokens()
    await expect(async () => tokens.access(stage.account)).rejects.toMatchObject({
      code: 'refresh_failed',
      message: expect.stringContaining(`process ${process.pid}`),
    })
    expect(stage.server.counts.rotated).toBe(0)
    expect(stage.toasts).toEqual([
      expect.stringContaining(`process ${process.pid} holds new tokens`),
    ])
    expect(await tokens.unsaved()).toEqual([expect.stringContaining(`process ${process.pid}`)])
  })

  it('are told by codex-list, codex-status and codex-doctor while it lasts', async () => {
    const { core, home } = await coreOver(['work'])
    const { runtime } = core
    const account = (await runtime.store.read()).accounts[0]!
    const journal = new RefreshJournal(path.join(home, '.opencode', 'refresh'))
    const fingerprint = fingerprintOf(account.refreshToken)
    await journal.write(
      fingerprint,
      intentOf(
        { pool: runtime.store.path, uid: account.uid, startedAt: Date.now() - 60_000 },
        undefined,
      ),
    )
    expect(await toolText(runtime, 'list')).toContain('holds new tokens that are not saved yet')
    expect(await toolText(runtime, 'status')).toContain('holds new tokens that are not saved yet')
    const { findings } = (await toolData(runtime, 'doctor')) as {
      findings: { id: string; severity: string }[]
    }
    expect(findings).toContainEqual(
      expect.objectContaining({ id: 'tokens-not-stored', severity: 'error' }),
    )
    await journal.clear(fingerprint)
    expect(await toolText(runtime, 'status')).not.toContain('new tokens')
  })
})

describe('a right to renew that was lost', () => {
  it.each([
    ['in the same file', 'w'],
    // Windows replaces no file that is open.
    ...(process.platform === 'win32' ? [] : [['in a file of its own', 'replaced']]),
  ])(
    'takes nothing away from whoever has it by now: its intent stays in the journal, %s',
    async (_where, how) => {
      const stage = await tokenStage()
      const journal = new RefreshJournal(stage.dir)
      const fingerprint = fingerprintOf(stage.refreshToken)
      const base = { pool: stage.file, uid: stage.account.uid }
      const theirs = { ...intentOf({ ...base, startedAt: 7 }, undefined), pid: process.pid + 1 }
      const file = await journal.begin(fingerprint, intentOf({ ...base, startedAt: 5 }, undefined))
      if (how === 'replaced') await journal.write(fingerprint, theirs)
      else
        await writeFile(
          path.join(stage.dir, `${fingerprint}.json`),
          entryLine(fingerprint, theirs, undefined),
        )
      const committer = new TokenCommitter({
        store: stage.store,
        copies: { of: async () => [], change: async () => undefined },
        memory: new RefreshMemory(systemClock),
        clock: systemClock,
        log: silentLogger,
        journal,
        onUnsaved: () => undefined,
        onSaved: () => undefined,
        ended: new AbortController().signal,
      })
      await committer.conclude(fingerprint, { startedAt: 5, file, entry: undefined })
      expect(await journal.read(fingerprint)).toEqual(theirs)
    },
  )
})

describe('between the answer of the login server and the journal', () => {
  it('nothing is made, opened or renamed: the file is open before the token is spent', async () => {
    const stage = await tokenStage({ expiresInMs: -1000 })
    await mkdir(stage.dir, { recursive: true })
    const operations = recordFileOperations()
    let spentAt = 0
    stage.server.onSpent = () => {
      spentAt = operations.length
    }
    await stage.newTokens().access(stage.account)
    const touchesJournal = ({ target }: { target: string }): boolean =>
      target.includes(`${path.sep}refresh${path.sep}`) && target.endsWith('.json')
    const afterwards = operations.slice(spentAt)
    const upToCommit = afterwards.slice(
      0,
      afterwards.findIndex(({ target }) => target.startsWith(stage.file)),
    )
    expect(
      operations.slice(0, spentAt).some((one) => one.name === 'open' && touchesJournal(one)),
    ).toBe(true)
    expect(upToCommit.filter((one) => touchesJournal(one)).map(({ name }) => name)).toEqual([
      'stat',
    ])
  })

  it('a line that was cut off by a kill is as if it were not there, and padding keeps the room for a whole one', async () => {
    const stage = await tokenStage()
    const journal = new RefreshJournal(stage.dir)
    const base = { pool: stage.file, uid: 'u', startedAt: 5 }
    const received = {
      state: 'received',
      ...base,
      tokens: { accessToken: 'a'.repeat(4_000), refreshToken: 'rt', expiresAt: 9 },
    } as const
    const fingerprint = 'f'.repeat(32)
    const open = await journal.begin(fingerprint, intentOf(base, undefined))
    const file = path.join(stage.dir, `${fingerprint}.json`)
    const before = await stat(file)
    await open.follow(received)
    await open.close()
    expect((await stat(file)).size).toBe(before.size)
    expect(await journal.read(fingerprint)).toEqual(received)
    const whole = await readFile(file, 'utf8')
    const [intent = '', line = ''] = whole.split('\n')
    for (const length of [1, 20, 400, line.length - 1]) {
      await writeFile(file, `${intent}\n${line.slice(0, length)}${' '.repeat(whole.length)}\n`)
      expect(await journal.read(fingerprint)).toMatchObject({ state: 'started', startedAt: 5 })
    }
  })

  it('no keychain is asked: the key of a sealed pool is in memory before the token is spent, and the line is sealed with it', async () => {
    const folder = await temporaryFolder()
    const key = newDataKey()
    let asked = 0
    const current = async (): Promise<typeof key> => {
      asked += 1
      if (asked > 1) throw new Error('the keychain is locked by now')
      return key
    }
    const journal = new RefreshJournal(folder, { current, key: async () => key })
    const base = { pool: '/p', uid: 'u', startedAt: 5 }
    const open = await journal.begin('e'.repeat(32), intentOf(base, undefined))
    await open.follow({
      state: 'received',
      ...base,
      tokens: { accessToken: 'at_secret', refreshToken: 'rt_secret', expiresAt: 9 },
    })
    await open.close()
    expect(asked).toBe(1)
    expect(await readFile(path.join(folder, `${'e'.repeat(32)}.json`), 'utf8')).not.toContain(
      'secret',
    )
    expect(await journal.read('e'.repeat(32))).toMatchObject({
      tokens: { refreshToken: 'rt_secret' },
    })
  })

  it('entries of earlier versions are still read', async () => {
    const stage = await tokenStage()
    await mkdir(stage.dir, { recursive: true })
    const entry = {
      state: 'received',
      pool: stage.file,
      uid: stage.account.uid,
      startedAt: 1,
      tokens: {
        accessToken: 'at_saved',
        refreshToken: 'rt_saved',
        expiresAt: Date.now() + 3_600_000,
      },
    }
    await writeFile(
      path.join(stage.dir, `${fingerprintOf(stage.refreshToken)}.json`),
      JSON.stringify({ ...entry, startedAt: Date.now() }),
    )
    await stage.newTokens().recover()
    expect((await stage.store.read()).accounts[0]).toMatchObject({ refreshToken: 'rt_saved' })
  })
})
