import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { withLogin } from '../../lib/accounts/edits.js'
import { mergePools } from '../../lib/accounts/merge.js'
import { withUids } from '../../lib/accounts/store/pool-format.js'
import {
  findProjectRoot,
  projectAccountsFile,
  projectKeyOf,
  resolvePoolScope,
} from '../../lib/accounts/project/project.js'
import { seatKey, uidsOfKeys } from '../../lib/accounts/rules.js'
import { accountFromLogin } from '../../lib/login/account-from-login.js'
import { saveLogin } from '../../lib/core-late.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { openRuntime } from '../../lib/open-runtime.js'
import { ask, coreOver, firstTurn, ROOMY, served } from '../support/core-over.js'
import { toolData } from '../support/run-tool.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

const pool = (...accounts: Parameters<typeof withUids>[0]) => ({
  version: 3 as const,
  accounts: withUids(accounts),
  activeIndex: 0,
})
const seat = (user: string, changes: Record<string, unknown> = {}) => ({
  refreshToken: `rt-${user}`,
  accountId: 'w',
  accountUserId: user,
  email: `${user}@example.test`,
  addedAt: 1,
  lastUsed: 0,
  ...changes,
})
const jwt = (claims: unknown): string =>
  `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`

describe('known defects with the identity of accounts', () => {
  it('the second seat of a workspace is a second account', () => {
    const { pool: after, added } = withLogin(pool(seat('one')), seat('two'))
    expect([added, after.accounts.map(({ refreshToken }) => refreshToken)]).toEqual([
      true,
      ['rt-one', 'rt-two'],
    ])
  })

  it('a model pool that names a seat means that seat alone', () => {
    const { accounts } = pool(seat('one'), seat('two'))
    expect([...uidsOfKeys([seatKey('w', 'two')], accounts)]).toEqual([accounts[1]?.uid])
    expect(uidsOfKeys(['w'], accounts).size).toBe(2)
  })

  it('a strict pool of one seat that is at its limit says until when, and asks nobody else', async () => {
    const probe = await coreOver(['a', 'b'])
    const { accounts } = await probe.core.runtime.store.read()
    const key = seatKey(accounts[0]?.accountId ?? '', accounts[0]?.accountUserId ?? '')
    const configFile = path.join(probe.home, '.opencode', 'openai-codex-auth-config.json')
    await writeFile(
      configFile,
      JSON.stringify({
        modelAccountPools: { 'gpt-5.5': [key] },
        modelAccountPoolModes: { 'gpt-5.5': 'strict' },
      }),
    )
    const { createCore } = await import('../../lib/core.js')
    const core = await createCore({
      host: { log: () => undefined, toast: () => undefined },
      paths: probe.core.runtime.paths,
      env: probe.core.runtime.env,
      directory: probe.home,
    })
    probe.simulator.patchAccount('a', { windows: [{ minutes: 300, limit: 100, used: 100 }] })
    const body = await firstTurn()
    await ask(core, body)
    const answer = await ask(core, body, 'ses_2')
    await core.close()
    expect(served(probe.simulator)).toEqual(['a'])
    expect([answer.status, answer.text]).toEqual([403, expect.stringMatching(/cannot before \S/)])
  })

  it('one login is one account, however many organisations its token names', () => {
    const tokens = {
      accessToken: jwt({
        'https://api.openai.com/auth': {
          chatgpt_account_id: 'w',
          organizations: [{ id: 'org-1' }, { id: 'org-2', is_default: true }],
        },
      }),
      refreshToken: 'rt',
      expiresAt: 9,
    }
    const { pool: after } = withLogin(pool(), accountFromLogin(tokens, 1))
    expect(after.accounts).toMatchObject([{ accountId: 'w' }])
  })

  it('the workspace of the access token is the account, never the first organisation', () => {
    const account = accountFromLogin(
      {
        accessToken: jwt({
          'https://api.openai.com/auth': {
            chatgpt_account_id: 'w',
            organizations: [{ id: 'org-1' }],
          },
        }),
        refreshToken: 'rt',
        expiresAt: 9,
      },
      1,
    )
    expect(account).toMatchObject({ accountId: 'w', accountIdSource: 'token' })
  })

  it('a disabled copy of an account never disables the account', () => {
    const merged = mergePools(
      pool(seat('one')),
      pool(seat('one', { enabled: false, tokenRotatedAt: 9 })),
    )
    expect(merged.pool.accounts[0]?.enabled).not.toBe(false)
  })

  it('an address in other letters is the same account', () => {
    const known = { refreshToken: 'rt', email: 'Ann@Example.Test', addedAt: 1, lastUsed: 0 }
    expect(
      withLogin(pool(known), { ...known, refreshToken: 'new', email: 'ann@example.test' }).added,
    ).toBe(false)
  })

  it('a workspace that was switched off takes no other account of the same person with it', async () => {
    const { core, simulator } = await coreOver([
      { name: 'business', user: 'ann', structure: 'workspace', deactivated: true, windows: ROOMY },
      { name: 'own', user: 'ann', windows: ROOMY },
    ])
    const answer = await ask(core, await firstTurn())
    expect(answer.text).toContain('response.completed')
    expect(served(simulator)).toEqual(['business', 'own'])
    const { accounts } = (await toolData(core.runtime, 'list')) as {
      accounts: { status: string }[]
    }
    expect(accounts.map(({ status }) => status)).toEqual([
      expect.stringContaining('blocked until'),
      expect.not.stringContaining('blocked'),
    ])
  })

  it('a login in a project that has a pool of its own goes into that pool', async () => {
    const home = await temporaryFolder()
    const project = path.join(home, 'work')
    await mkdir(path.join(project, '.git'), { recursive: true })
    const env = homeIn(home)
    const paths = resolvePaths(env)
    const file = projectAccountsFile(paths, projectKeyOf(project))
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, JSON.stringify(pool(seat('first'))))
    const runtime = openRuntime({
      env,
      directory: project,
      paths,
      host: { log: () => undefined, toast: () => undefined },
      watch: false,
      fetch: async () => new Response('{}', { status: 404 }),
    })
    await saveLogin(runtime, {
      accessToken: jwt({ 'https://api.openai.com/auth': { chatgpt_account_id: 'second' } }),
      refreshToken: 'rt2',
      expiresAt: 9,
    })
    expect(runtime.store.path).toBe(file)
    expect((await runtime.store.read()).accounts).toHaveLength(2)
    await runtime.close()
  })

  it('two workspaces of one person have quota of their own', async () => {
    const { core } = await coreOver([
      {
        name: 'business',
        user: 'ann',
        structure: 'workspace',
        windows: [{ minutes: 300, limit: 100, used: 90 }],
      },
      { name: 'own', user: 'ann', windows: [{ minutes: 300, limit: 100, used: 10 }] },
    ])
    const { accounts } = (await toolData(core.runtime, 'limits')) as {
      accounts: { windows: { leftPercent: number }[] }[]
    }
    expect(accounts.map(({ windows }) => windows[0]?.leftPercent)).toEqual([10, 90])
  })

  it('the home folder is no project, although our own folder lies in it', async () => {
    const home = await temporaryFolder()
    await mkdir(path.join(home, '.opencode'))
    await mkdir(path.join(home, 'loose', 'deep'), { recursive: true })
    expect(findProjectRoot(path.join(home, 'loose', 'deep'), home)).toBeUndefined()
    expect(resolvePoolScope(resolvePaths(homeIn(home)), home, true)).toMatchObject({
      kind: 'global',
    })
  })

  it('an account whose plan was changed stays one account', () => {
    const { pool: after, added } = withLogin(
      pool(seat('one', { planType: 'plus' })),
      seat('one', { planType: 'pro', refreshToken: 'new' }),
    )
    expect([added, after.accounts.length, after.accounts[0]?.planType]).toEqual([false, 1, 'pro'])
  })

  it('a record without ids is found again after its token was rotated, by the name it got when it was first read', () => {
    const { accounts } = pool({ refreshToken: 'old', addedAt: 1, lastUsed: 0 })
    const rotated = withUids(accounts.map((account) => ({ ...account, refreshToken: 'new' })))
    expect(rotated[0]?.uid).toBe(accounts[0]?.uid)
  })

  it('the number in the list is the number every tool takes, also while the list is filtered', async () => {
    const { core } = await coreOver(['a', 'b', 'c'])
    await toolData(core.runtime, 'tag', { account: 3, tags: 'work' })
    const { accounts } = (await toolData(core.runtime, 'list', { tag: 'work' })) as {
      accounts: { index: number }[]
    }
    expect(accounts).toMatchObject([{ index: 3 }])
    expect(await toolData(core.runtime, 'label', { account: 3, label: 'found' })).toMatchObject({
      index: 3,
      changed: true,
    })
    expect((await core.runtime.store.read()).accounts[2]).toMatchObject({
      accountLabel: 'found',
      accountTags: ['work'],
    })
  })

  it('whatever is removed, every other account keeps its name, so that nothing is inherited', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 8 }),
        fc.nat(),
        (users, pick) => {
          const before = pool(...users.map((user) => seat(user)))
          const removed = before.accounts[pick % users.length]
          const after = withUids(before.accounts.filter((account) => account !== removed))
          for (const account of after)
            expect(
              before.accounts.find(({ accountUserId }) => accountUserId === account.accountUserId)
                ?.uid,
            ).toBe(account.uid)
        },
      ),
    )
  })
})
