import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { MANAGED_AUTH } from '../../lib/login/managed-entry.js'
import { coreOver, type Stage } from '../support/core-over.js'
import { toolData } from '../support/run-tool.js'

const envelope = {
  format: 'oc-codex-multi-auth-export',
  version: 1,
  cipher: 'aes-256-gcm',
  kdf: { name: 'scrypt', N: 32_768, r: 8, p: 1, salt: 'AAAA' },
  iv: 'AAAA',
  tag: 'AAAA',
  data: 'AAAA',
}

const poolFile = ({ home }: Stage): string =>
  path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json')

describe('a file with nothing to import', () => {
  it.each([
    ['a pool without accounts', { version: 3, accounts: [] }, 'no account in it has a login'],
    ['a version and nothing else', { version: 1 }, 'no account in it has a login'],
    [
      'records without a login',
      { version: 3, accounts: [{ email: 'x' }, 'y'] },
      'no account in it has a login',
    ],
    [
      'an encrypted export that lost a part',
      { ...envelope, iv: 5 },
      'damaged or was written by a newer version',
    ],
    [
      'an encrypted export of a newer version',
      { ...envelope, version: 2 },
      'damaged or was written by a newer version',
    ],
    [
      'sealed records without the name of their key',
      { version: 3, accounts: [{ uid: 'acc_1', accountId: 'ws-1', sealed: 'v1.x.y' }] },
      'does not name the key',
    ],
    ['only the mark of this plugin', { openai: MANAGED_AUTH }, 'there is no login in it'],
    ['an encrypted export and no passphrase', envelope, 'needs its passphrase'],
  ])(
    'is refused with one sentence, also where it should replace everything: %s',
    async (_what, content, sentence) => {
      const stage = await coreOver(['here'])
      const file = path.join(stage.home, 'in.json')
      await writeFile(file, JSON.stringify(content))
      const before = await readFile(poolFile(stage), 'utf8')
      await expect(toolData(stage.core.runtime, 'import', { path: file })).rejects.toThrow(sentence)
      await expect(
        toolData(stage.core.runtime, 'import', { path: file, mode: 'replace', confirm: true }),
      ).rejects.toThrow(sentence)
      expect(await readFile(poolFile(stage), 'utf8')).toBe(before)
    },
  )
})

describe('replacing the pool', () => {
  it('takes the pins of those who go with it and keeps the active account active', async () => {
    const stage = await coreOver(['anna', 'ben', 'eve'])
    const { runtime } = stage.core
    const { accounts } = await runtime.store.read()
    const file = path.join(stage.home, 'in.json')
    await writeFile(
      file,
      JSON.stringify({ version: 3, accounts: accounts.slice(1), activeIndex: 0 }),
    )
    await toolData(runtime, 'switch', { account: 3 })
    await runtime.store.update((pool) => ({
      ...pool,
      rules: { pin: { uid: accounts[0]?.uid, mode: 'hard' } },
    }))
    await toolData(runtime, 'import', { path: file, mode: 'replace', confirm: true })
    const after = await runtime.store.read()
    expect(after.accounts.map(({ uid }) => uid)).toEqual(accounts.slice(1).map(({ uid }) => uid))
    expect(after.activeIndex).toBe(1)
    expect(after.rules).toBeUndefined()
  })
})

describe('codex-export', () => {
  it('never writes over the account file itself, not even with force', async () => {
    const stage = await coreOver(['here'])
    const before = await readFile(poolFile(stage), 'utf8')
    await expect(
      toolData(stage.core.runtime, 'export', { path: poolFile(stage), force: true }),
    ).rejects.toThrow('is the account file itself')
    expect(await readFile(poolFile(stage), 'utf8')).toBe(before)
  })
})
