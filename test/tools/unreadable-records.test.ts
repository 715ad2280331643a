import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { EMPTY_POOL } from '../../lib/accounts/account.js'
import { DEFAULT_CONFIG } from '../../lib/config/settings.js'
import { poolView } from '../../lib/tui/pool-view.js'
import { sidebarLines } from '../../lib/tui/status-line.js'
import { coreOver } from '../support/core-over.js'
import { runCli } from '../support/run-cli.js'
import { toolData, toolText } from '../support/run-tool.js'

/** A record that an earlier version could not read because of an address that is null, and one without a login. */
const EARLIER = {
  refreshToken: 'rt-earlier',
  accountId: 'id-earlier',
  accountUserId: 'u-earlier',
  email: null,
}
const HOPELESS = { accountLabel: 'nothing in it' }

async function stageWith(unreadableAccounts: readonly unknown[]) {
  const stage = await coreOver(['a'])
  const file = stage.core.runtime.store.path
  const content = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
  await writeFile(file, JSON.stringify({ ...content, unreadableAccounts }))
  return { ...stage, file }
}

describe('records that cannot be read', () => {
  it.each(['list', 'status', 'health', 'pool', 'limits', 'dashboard'])(
    'are counted by %s, with what to do',
    async (tool) => {
      const { core } = await stageWith([EARLIER, HOPELESS])
      expect(await toolText(core.runtime, tool)).toContain(
        '2 records of the account file cannot be read and are not listed. Repair: npx oc-codex-multi-auth doctor --fix',
      )
      expect(await toolData(core.runtime, tool)).toMatchObject({ unreadable: 2 })
    },
  )

  it('are counted where no account is left, and in the menu without a terminal', async () => {
    const { home, file } = await stageWith([])
    await writeFile(file, JSON.stringify({ version: 3, accounts: [HOPELESS] }))
    const { stdout } = await runCli(home, ['accounts'])
    expect(stdout).toContain('No account is signed in')
    expect(stdout).toContain('1 record of the account file cannot be read')
  })

  it('are counted in the sidebar', () => {
    const view = poolView({
      pool: { ...EMPTY_POOL, unreadableAccounts: [1, 2] },
      ledger: {},
      holds: new Map(),
      nowMs: 1,
      config: DEFAULT_CONFIG,
      project: undefined,
    })
    expect(sidebarLines(view.serving(undefined), 0, 1, view.unreadable)).toEqual([
      { text: '2 unreadable: /codex-doctor --fix', level: 'warning' },
    ])
  })

  it('come back by doctor --fix where they hold a login, whoever wrote it; a copy keeps the rest', async () => {
    const foreign = {
      auth: {
        tokens: { access_token: 'at-x', refresh_token: 'rt-foreign', account_id: 'id-foreign' },
      },
    }
    const { core, file } = await stageWith([EARLIER, HOPELESS, foreign, 'text'])
    const found = await toolData(core.runtime, 'doctor')
    expect(found.findings).toContainEqual(
      expect.objectContaining({ id: 'unreadable-records', severity: 'warning', fixable: true }),
    )
    const { fixed } = await toolData(core.runtime, 'doctor', { fix: true })
    expect(fixed).toContainEqual(
      expect.stringContaining(
        '2 accounts are back, and 2 records without a usable login were removed',
      ),
    )
    const after = JSON.parse(await readFile(file, 'utf8'))
    expect(
      (after.accounts as { refreshToken: string }[]).map(({ refreshToken }) => refreshToken),
    ).toEqual([expect.any(String), 'rt-earlier', 'rt-foreign'])
    expect(after).not.toHaveProperty('unreadableAccounts')
    const [copy] = (await readdir(path.join(path.dirname(file), 'backups'))).filter((name) =>
      name.startsWith('before-repair-'),
    )
    expect(await readFile(path.join(path.dirname(file), 'backups', copy!), 'utf8')).toContain(
      'nothing in it',
    )
    expect((await toolData(core.runtime, 'doctor')).findings).not.toContainEqual(
      expect.objectContaining({ id: 'unreadable-records' }),
    )
  })

  it('never put an older login in place of the one that is there', async () => {
    const { core, file } = await stageWith([])
    const content = JSON.parse(await readFile(file, 'utf8'))
    const [account] = content.accounts
    await writeFile(
      file,
      JSON.stringify({
        ...content,
        unreadableAccounts: [{ ...account, refreshToken: 'rt-old', tokenRotatedAt: 1 }],
        accounts: [{ ...account, tokenRotatedAt: 5 }],
      }),
    )
    await toolData(core.runtime, 'doctor', { fix: true })
    const after = JSON.parse(await readFile(file, 'utf8'))
    expect(after.accounts).toHaveLength(1)
    expect(after.accounts[0].refreshToken).toBe(account.refreshToken)
  })
})
