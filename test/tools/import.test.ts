import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { searchAccounts } from '../../lib/transfer/import.js'
import { coreOver, type Stage } from '../support/core-over.js'
import { toolData, toolText } from '../support/run-tool.js'
import {
  codexAuth,
  forerunnerPool,
  opencodeAuth,
  opencodeCodexAuth,
} from '../accounts/sources/fixtures.js'

const poolOf = async ({ home }: Stage) =>
  JSON.parse(
    await readFile(path.join(home, '.opencode', 'oc-codex-multi-auth-accounts.json'), 'utf8'),
  ) as { accounts: Record<string, unknown>[] }

async function put(home: string, file: string, content: unknown): Promise<string> {
  const full = path.join(home, file)
  await mkdir(path.dirname(full), { recursive: true })
  await writeFile(full, JSON.stringify(content))
  return full
}

describe('codex-import from another program', () => {
  it('shows first what it found and why the login must not live in two places, and imports with confirm', async () => {
    const stage = await coreOver(['here'])
    const file = await put(stage.home, '.codex/auth.json', codexAuth({ name: 'ada' }))
    const text = await readFile(file, 'utf8')
    const preview = await toolData(stage.core.runtime, 'import', { from: 'codex' })
    expect(preview).toMatchObject({
      dryRun: true,
      added: 1,
      found: [
        {
          source: 'codex',
          path: file,
          account: 'ad…@e….test',
          login: 'fresh',
          here: 'new',
          shared: true,
        },
      ],
    })
    expect(preview.message).toMatch(/Nothing was changed.*refresh token works once.*Pass confirm/)
    expect((await poolOf(stage)).accounts).toHaveLength(1)
    const done = await toolData(stage.core.runtime, 'import', { from: 'codex', confirm: true })
    expect(done).toMatchObject({
      dryRun: false,
      added: 1,
      total: 2,
      backup: expect.stringContaining('before-import'),
    })
    expect(done.message).toContain('refresh token works once')
    expect((await poolOf(stage)).accounts[1]).toMatchObject({
      accountId: 'ws-ada',
      refreshToken: 'rt_made-up-ada',
    })
    expect(await readFile(file, 'utf8')).toBe(text)
    expect(await readdir(path.dirname(file))).toEqual(['auth.json'])
  })

  it('makes no duplicate, asks the backend nothing, and says when both already use the same login', async () => {
    const stage = await coreOver(['here'])
    await put(stage.home, '.codex/auth.json', codexAuth({ name: 'ada' }))
    await toolData(stage.core.runtime, 'import', { from: 'codex', confirm: true })
    const again = await toolData(stage.core.runtime, 'import', { from: 'codex' })
    expect(again).toMatchObject({
      dryRun: false,
      added: 0,
      updated: 0,
      backup: null,
      found: [{ here: 'same', shared: true }],
    })
    expect(again.message).toContain('refresh token works once')
    expect(stage.simulator.requests).toEqual([])
  })

  it('does not take along what a project brings with it, unless that program is named', async () => {
    const stage = await coreOver(['here'])
    await put(stage.home, 'work/package.json', {})
    const planted = await put(
      stage.home,
      'work/.opencode/openai-codex-accounts.json',
      forerunnerPool({ name: 'mallory' }),
    )
    const directory = path.join(stage.home, 'work')
    expect(await searchAccounts(stage.core.runtime, { source: 'all' }, directory)).toEqual({
      found: [],
      problems: [],
    })
    expect(
      (
        await searchAccounts(stage.core.runtime, { source: 'oc-chatgpt-multi-auth' }, directory)
      ).found.map(({ path: file }) => file),
    ).toEqual([planted])
  })

  it('takes the newer of two copies of a login, never the older', async () => {
    const stage = await coreOver(['here'])
    await put(
      stage.home,
      '.codex/auth.json',
      codexAuth({ name: 'ada' }, { last_refresh: '2026-01-01T00:00:00Z' }),
    )
    await toolData(stage.core.runtime, 'import', { from: 'codex', confirm: true })
    const newer = codexAuth({ name: 'ada' }, { last_refresh: '2026-02-01T00:00:00Z' })
    await put(stage.home, '.codex/auth.json', {
      ...newer,
      tokens: { ...(newer.tokens as object), refresh_token: 'rt_made-up-newer' },
    })
    expect(
      await toolData(stage.core.runtime, 'import', { from: 'codex', confirm: true }),
    ).toMatchObject({ updated: 1, found: [{ here: 'newer' }] })
    await put(
      stage.home,
      '.codex/auth.json',
      codexAuth({ name: 'ada' }, { last_refresh: '2026-01-01T00:00:00Z' }),
    )
    expect(
      await toolData(stage.core.runtime, 'import', { from: 'codex', confirm: true }),
    ).toMatchObject({ unchanged: 1, found: [{ here: 'known', shared: false }] })
    expect((await poolOf(stage)).accounts[1]).toMatchObject({ refreshToken: 'rt_made-up-newer' })
  })

  it('lists without arguments every login on this machine and the files it could not take, and changes nothing', async () => {
    const stage = await coreOver(['here'], { env: {} })
    await put(stage.home, '.codex/auth.json', codexAuth({ name: 'ada', expiresAt: 1_000 }))
    await put(stage.home, '.codex/accounts/ws-bob.auth.json', codexAuth({ name: 'bob' }))
    await put(stage.home, '.local/share/opencode/auth.json', opencodeAuth({ name: 'ada' }))
    await put(
      stage.home,
      '.config/opencode/codex-accounts.json',
      opencodeCodexAuth({ name: 'eve' }),
    )
    await put(stage.home, '.codex/multi-auth/openai-codex-accounts.json', {
      version: 9,
      accounts: [],
    })
    const before = await poolOf(stage)
    const listed = await toolData(stage.core.runtime, 'import', { confirm: true })
    const rows = (listed.found as { source: string; login: string; here: string }[]).map(
      ({ source, login, here }) => [source, login, here],
    )
    expect(rows).toEqual([
      ['codex', 'stale', 'new'],
      ['opencode', 'fresh', 'same'],
      ['codex-auth', 'fresh', 'new'],
      ['opencode-codex-auth', 'fresh', 'new'],
    ])
    expect(listed).toMatchObject({
      dryRun: true,
      added: 3,
      problems: [expect.stringContaining('newer version (format 9)')],
    })
    expect(await poolOf(stage)).toEqual(before)
    const text = await toolText(stage.core.runtime, 'import')
    expect(text).toContain('To import, name the program: --from.')
    expect(text).not.toMatch(/eyJ|rt_|@example/)
    expect(
      await toolData(stage.core.runtime, 'import', { from: 'all', confirm: true }),
    ).toMatchObject({ dryRun: false, added: 3, total: 4 })
  })

  it('tells the format of a named file by its content, and whose it is by its place', async () => {
    const stage = await coreOver(['here'])
    const copy = await put(
      stage.home,
      'copy.json',
      opencodeCodexAuth({ name: 'ada' }, { name: 'bob' }),
    )
    expect(await toolData(stage.core.runtime, 'import', { path: copy })).toMatchObject({
      dryRun: true,
      added: 2,
      found: [{ source: 'file', shared: true }, {}],
    })
    const own = await put(
      stage.home,
      '.codex/multi-auth/openai-codex-accounts.json',
      forerunnerPool({ name: 'eve' }),
    )
    expect(await toolData(stage.core.runtime, 'import', { path: own })).toMatchObject({
      dryRun: true,
      found: [{ source: 'codex-multi-auth', shared: true }],
    })
  })

  it('imports an API key at once, because a key may live in two places', async () => {
    const stage = await coreOver(['here'])
    await put(stage.home, '.codex/auth.json', { auth_mode: 'apikey', OPENAI_API_KEY: 'sk-made-up' })
    const done = await toolData(stage.core.runtime, 'import', { from: 'codex' })
    expect(done).toMatchObject({
      dryRun: false,
      added: 1,
      found: [{ account: 'api.openai.com', login: 'api key', shared: false }],
    })
    expect((await poolOf(stage)).accounts[1]).toMatchObject({
      kind: 'api-key',
      baseUrl: 'https://api.openai.com/v1',
    })
  })

  it('asks for both before it replaces the pool by the logins of another program', async () => {
    const stage = await coreOver(['here'])
    await put(stage.home, '.codex/auth.json', codexAuth({ name: 'ada' }))
    const preview = await toolData(stage.core.runtime, 'import', { from: 'codex', mode: 'replace' })
    expect(preview).toMatchObject({
      dryRun: true,
      added: 1,
      removed: 1,
      message: expect.stringContaining('Pass confirm to replace and to import it anyway.'),
    })
    await toolData(stage.core.runtime, 'import', { from: 'codex', mode: 'replace', confirm: true })
    expect((await poolOf(stage)).accounts).toMatchObject([{ accountId: 'ws-ada' }])
  })

  it('shows an address in full only when asked to, also where it stands in a label', async () => {
    const stage = await coreOver(['here'])
    const [record] = forerunnerPool({ name: 'adalovelace' }).accounts as Record<string, unknown>[]
    await put(stage.home, '.codex/multi-auth/openai-codex-accounts.json', {
      version: 3,
      accounts: [{ ...record, accountLabel: 'adalovelace@example.test' }],
    })
    expect(await toolText(stage.core.runtime, 'import')).not.toContain('adalovelace')
    expect(await toolText(stage.core.runtime, 'import', {}, true)).toContain(
      'adalovelace@example.test',
    )
  })

  it.each([
    [{ from: 'codex' }, 'No login of Codex CLI found at '],
    [{ from: 'file' }, 'Argument path: name the file.'],
    [{ from: 'all', path: 'x' }, 'A search of all programs takes no path.'],
    [{ from: 'all', mode: 'replace' }, 'Replacing needs one source'],
    [{ from: 'nobody' }, 'Argument from'],
  ])('answers %j with one clear sentence', async (args, sentence) => {
    const stage = await coreOver(['here'])
    await expect(toolData(stage.core.runtime, 'import', args)).rejects.toThrow(sentence)
  })
})
