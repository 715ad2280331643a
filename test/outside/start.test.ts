import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import type { Metafile } from 'esbuild'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'

import { MANAGED_AUTH } from '../../lib/login/managed-entry.js'
import { bundle } from '../../scripts/bundle.mjs'
import { recordFileOperations } from '../support/file-operations.js'
import { aHome, homeIn } from '../support/home.js'
import { expectOutside } from '../support/outside.js'

/** Lower these when the entries shrink; what raises them makes every start of OpenCode slower. */
const MAX_BYTES = { 'index.js': 33_600, 'tui.js': 128_000 }

/** Of the start and of what sends a request: Bun takes 30 µs and more for each kB. */
const MAX_BYTES_TO_FIRST_REQUEST = 215_400

/** Of what the host asks for with its first prompt, beside the core: it waits for this one too. */
const MAX_BYTES_OF_TOOLS = 40_000

/** Calls that open nothing. */
const LOOKS = /^(existsSync|l?stat(Sync)?|access|watch(File)?)$/

const ACCOUNT = {
  refreshToken: 'rt_1',
  accessToken: 'at_1',
  expiresAt: Date.UTC(2100, 0, 1),
  accountId: 'w',
  addedAt: 1,
  lastUsed: 0,
}

let folder = ''
let built: Awaited<ReturnType<typeof bundle>>

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'oc-codex-start-'))
  const host = path.join(folder, 'host.mjs')
  await writeFile(
    host,
    `export const createElement = () => ({}), insert = () => {}, setProp = () => {}, effect = () => {}, createComponent = () => ({})
export const createSignal = (value) => [() => value, () => {}]`,
  )
  built = await bundle(folder, { '@opentui/solid': host, 'solid-js': host })
  // The limit is for a busy machine.
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

it('the server plugin and the TUI plugin load these modules and open these files at start', async () => {
  expectOutside('start', {
    server: {
      ...loadedWith(built.server, 'index.js'),
      opened: await openedBy(async () => {
        const { default: plugin } = await load('index.js')
        const hooks = await plugin.server({ client: {}, directory: process.env.HOME }, {})
        await hooks.auth.loader(async () => MANAGED_AUTH, { models: {} })
        return () => hooks.dispose()
      }),
    },
    tui: {
      ...loadedWith(built.tui, 'tui.js'),
      opened: await openedBy(async () => {
        const { default: plugin } = await load('tui.js')
        const ends: (() => void)[] = []
        await plugin.tui({
          lifecycle: { onDispose: (end: () => void) => void ends.push(end) },
          keymap: { registerLayer: () => undefined },
          slots: { register: () => undefined },
          renderer: {},
        })
        return () => {
          for (const end of ends) end()
        }
      }),
    },
  })
})

it.each(Object.entries(MAX_BYTES))('%s loads at most %i bytes at start', (entry, most) => {
  const { bytes } = closureOf(entry === 'tui.js' ? built.tui : built.server, entry)
  expect(bytes).toBeLessThanOrEqual(most)
})

it('the first request waits for one bundle more: our own code, and no part of it that sends nothing', () => {
  const { outputs } = built.server
  const [core] =
    Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === 'lib/core.ts') ?? []
  const { bytes, outputs: loaded } = closureOf(built.server, path.basename(core ?? ''))
  const inputs = loaded.flatMap((output) => Object.keys(output.inputs))
  const sendsNothing =
    /node_modules|lib\/(?:tools|cli|report|forecast|prompts|transfer)\/|\/(?:login|oauth-client|lock|replace-file|seal|late|ways|legacy|engine|journal|transactions|failures|stream|snapshots|hide)\.ts$/
  expect(inputs.filter((input) => sendsNothing.test(input))).toEqual([])
  expect(loaded.length).toBeLessThanOrEqual(3)
  expect(bytes).toBeLessThanOrEqual(MAX_BYTES_TO_FIRST_REQUEST)
})

it('the first prompt waits for what the model is told of the tools, and for nothing that runs one', () => {
  const { outputs } = built.server
  const [core] =
    Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === 'lib/core.ts') ?? []
  const known = new Set(closureOf(built.server, path.basename(core ?? '')).outputs)
  const added = closureOf(built.server, 'tools.js').outputs.filter((output) => !known.has(output))
  const inputs = added.flatMap((output) => Object.keys(output.inputs))
  const runsOne = /lib\/(?:tools\/.+\/|report|forecast|prompts|transfer|personality)|v4\/classic/
  expect(inputs.filter((input) => runsOne.test(input))).toEqual([])
  expect(added.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(MAX_BYTES_OF_TOOLS)
})

/** The part of both plugins that a start uses; what they are given is the host's affair. */
interface Entry {
  readonly default: {
    server(
      input: unknown,
      options: unknown,
    ): Promise<{
      readonly auth: { loader(get: () => Promise<unknown>, provider: unknown): Promise<unknown> }
      dispose(): unknown
    }>
    tui(api: unknown): Promise<void>
  }
}

async function load(file: string): Promise<Entry> {
  return (await import(/* @vite-ignore */ pathToFileURL(path.join(folder, file)).href)) as Entry
}

/** Files below the home that are opened, written or made until the start is done, each with how; a start waits for them. */
async function openedBy(start: () => Promise<() => unknown>): Promise<string[]> {
  const home = await aHome([ACCOUNT])
  for (const name of ['XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME'])
    vi.stubEnv(name, undefined)
  for (const [name, value] of Object.entries(homeIn(home))) vi.stubEnv(name, value)
  vi.spyOn(process, 'cwd').mockReturnValue(home)
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  const operations = recordFileOperations()
  const end = await start()
  const touched = operations
    .filter(({ name, target }) => !LOOKS.test(name) && target.startsWith(home))
    .map(({ name, target }) => `${name}:${path.relative(home, target).replaceAll(path.sep, '/')}`)
  await end()
  return touched
}

/** What an entry loads without anybody asking: number of files, modules of Node and of others. */
function loadedWith(metafile: Metafile, entry: string): Record<string, unknown> {
  const { outputs, imports } = closureOf(metafile, entry)
  const inputs = outputs.flatMap((output) => Object.keys(output.inputs))
  return {
    bundles: outputs.length,
    builtins: [...new Set(imports)].filter((name) => isBuiltin(name)).sort(),
    packages: [...new Set(inputs.flatMap((input) => packageOf(input) ?? []))].sort(),
  }
}

interface Closure {
  readonly outputs: readonly Metafile['outputs'][string][]
  readonly imports: readonly string[]
  readonly bytes: number
}

/** The bundle of an entry with every bundle it imports before it runs. */
function closureOf(metafile: Metafile, entry: string): Closure {
  const byName = new Map(
    Object.entries(metafile.outputs).map(([file, output]) => [path.basename(file), output]),
  )
  const seen = new Set<string>()
  const imports: string[] = []
  const visit = (name: string): void => {
    const output = byName.get(name)
    if (output === undefined || seen.has(name)) return
    seen.add(name)
    for (const { path: imported, kind, external } of output.imports) {
      if (kind !== 'import-statement') continue
      if (external === true) imports.push(imported)
      else visit(path.basename(imported))
    }
  }
  visit(entry)
  const outputs = [...seen].flatMap((name) => byName.get(name) ?? [])
  return { outputs, imports, bytes: outputs.reduce((sum, { bytes }) => sum + bytes, 0) }
}

function isBuiltin(name: string): boolean {
  return builtinModules.includes(name.replace(/^node:/, ''))
}

function packageOf(input: string): string | undefined {
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]
}
