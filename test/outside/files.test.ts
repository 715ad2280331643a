import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, it } from 'vitest'

import { openRuntime } from '../../lib/open-runtime.js'
import { ACCOUNTS_FILE, resolvePaths } from '../../lib/kernel/files/paths.js'
import { ask, coreOver, firstTurn, FULL } from '../support/core-over.js'
import { failFiles } from '../support/faulty-files.js'
import { memoryKeychain } from '../support/memory-keychain.js'
import { expectOutside, shapeOf } from '../support/outside.js'
import { runCli } from '../support/run-cli.js'
import { toolData } from '../support/run-tool.js'
import { homeIn } from '../support/home.js'

it('leaves files of the same names, keys and types behind after a refresh, two accounts, a limit, a pin and a setting', async () => {
  const { core, simulator, home } = await coreOver([{ name: 'a', windows: FULL }, 'b'], {
    expiresInMs: -1000,
  })
  const { paths } = core.runtime
  expect((await ask(core, await firstTurn())).status).toBe(200)
  // The look at the list of models has a time of its own: here it is had at once.
  await core.runtime.catalogue.refresh()
  for (const file of [
    paths.quotaFile,
    paths.historyFile,
    paths.affinityFile,
    paths.noticesFile,
    paths.catalogueFile,
    path.join(paths.root, 'package-lock.json'),
  ])
    await expect.poll(() => existsSync(file), { timeout: 15_000 }).toBe(true)
  await core.close()
  const env = {
    OC_CODEX_SIMULATOR_ISSUER: simulator.url,
    OC_CODEX_SIMULATOR_BACKEND: simulator.backend,
  }
  for (const line of [
    'limits',
    'switch 2 --pin soft',
    'label 1 First',
    'tag 1 x',
    'note 1 word',
    'toggle 1',
    'config set rotationStrategy sticky',
  ])
    expect((await runCli(home, line.split(' '), { env })).code).toBe(0)
  expectOutside('files', await shapesOf(home), { keepsTexts: true })
})

it('seals the account file into the same keys and types', async () => {
  const { home } = await coreOver(['a', 'b'])
  await expect
    .poll(() => existsSync(path.join(home, '.opencode', 'package-lock.json')), { timeout: 15_000 })
    .toBe(true)
  const env = { ...homeIn(home), CODEX_KEYCHAIN: '1' }
  const runtime = openRuntime({
    env,
    directory: home,
    paths: resolvePaths(env),
    host: { log: () => undefined, toast: () => undefined },
    keychain: memoryKeychain(),
    watch: false,
  })
  await toolData(runtime, 'keychain', { command: 'migrate', confirm: true })
  await runtime.close()
  expectOutside('files-sealed', await shapesOf(home), { keepsTexts: true })
})

it('keeps a journal of a refresh: before it, after one that failed, and until the account file has the new tokens', async () => {
  const seen: Record<string, unknown> = {}
  const turn = await firstTurn()
  const failing = await coreOver(['a'], { expiresInMs: -1000 })
  failing.simulator.changeSettings({ tokenLatencyMs: 500 })
  failing.simulator.addRules({
    when: { endpoint: 'token' },
    times: 1,
    do: { type: 'server_error', status: 503 },
  })
  const answer = ask(failing.core, turn)
  await expect.poll(async () => (seen.started = await journalOf(failing.home))).toBeDefined()
  await answer
  seen.failed = await journalOf(failing.home)

  const unsaved = await coreOver(['a'], { expiresInMs: -1000 })
  const diskIsBack = failFiles('rename', (target) =>
    target.includes(ACCOUNTS_FILE) ? 'ENOSPC' : undefined,
  )
  await ask(unsaved.core, turn)
  seen.received = await journalOf(unsaved.home)
  diskIsBack()
  expectOutside('files-journal', seen, { keepsTexts: true })
})

/** The last line of the one journal below a home, with its state and the types of the rest; and the name of its file. */
async function journalOf(home: string): Promise<unknown> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true })
  const file = entries
    .map((entry) => path.join(entry.parentPath, entry.name))
    .find((name) => /[\\/]refresh[\\/][^\\/]+\.json$/.test(name))
  if (file === undefined) return undefined
  const last = (await readFile(file, 'utf8')).trim().split('\n').at(-1) ?? ''
  if (last === '') return undefined
  const entry = JSON.parse(last) as { state: string }
  // Whether a system tells when a process was born differs.
  for (const member of ['born', 'scope']) Reflect.deleteProperty(entry, member)
  return {
    file: plain(path.relative(home, file).replaceAll(path.sep, '/')),
    entry: { ...(shapeOf(entry) as object), state: entry.state },
  }
}

/** Keys and types of each file below a home; a file of lines has one shape per kind of line. */
async function shapesOf(home: string): Promise<Record<string, unknown>> {
  const names = (await readdir(home, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
  const shapes: Record<string, unknown> = {}
  for (const file of names.sort()) {
    const text = await readFile(file, 'utf8')
    shapes[plain(path.relative(home, file).replaceAll(path.sep, '/'))] = readShape(file, text)
  }
  return shapes
}

function readShape(file: string, text: string): unknown {
  if (file.endsWith('.jsonl'))
    return named(
      shapeOf(
        text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
      ),
    )
  if (file.endsWith('.json')) return named(shapeOf(JSON.parse(text)))
  return 'text'
}

/** Names that are made anew in every run become one. */
function named(value: unknown): unknown {
  if (Array.isArray(value))
    return [
      ...new Map(value.map((member) => [JSON.stringify(named(member)), named(member)])).values(),
    ]
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [plain(key), named(member)]),
    )
  return value
}

function plain(name: string): string {
  return name
    .replaceAll(/acc_[0-9a-f]+/g, '<uid>')
    .replaceAll(/(atMs":)\d+/g, '$1<ms>')
    .replaceAll(/until (?:\w{3} )?\d\d:\d\d/g, 'until <moment>')
    .replaceAll(/[0-9a-f]{16,}/g, '<hash>')
    .replaceAll(/-\d{8}-\d{9}-[0-9a-f]{6}/g, '-<moment>')
}
