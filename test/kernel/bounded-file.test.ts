import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import {
  MAX_CONFIG_BYTES,
  readBoundedFile,
  readBoundedFileSync,
} from '../../lib/kernel/files/bounded-file.js'
import { isNestedTooDeep, MAX_NESTING } from '../../lib/kernel/text/nesting.js'
import { openRuntime } from '../../lib/open-runtime.js'
import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { server } from '../../lib/plugin.js'
import { runCli } from '../support/run-cli.js'
import { temporaryFolder } from '../support/temporary.js'
import { homeIn } from '../support/home.js'

const both = [
  ['async', readBoundedFile],
  [
    'sync',
    (file: string, max: number) => Promise.resolve().then(() => readBoundedFileSync(fs, file, max)),
  ],
] as const

/** What may stand in the place of a file, and how it is named. */
const TRAPS: readonly (readonly [
  what: string,
  make: (file: string) => Promise<unknown>,
  named: RegExp,
])[] = [
  ['a link to /dev/zero', (file) => symlink('/dev/zero', file), /is a device, not a file/],
  [
    'a pipe that nobody writes to',
    async (file) => execFileSync('mkfifo', [file]),
    /is a pipe, not a file/,
  ],
  [
    'a link to such a pipe',
    async (file) => (execFileSync('mkfifo', [`${file}.pipe`]), symlink(`${file}.pipe`, file)),
    /is a pipe, not a file/,
  ],
  [
    'a file of 1 GB that takes no room',
    async (file) => (await writeFile(file, ''), truncate(file, 1024 ** 3)),
    /is too large: more than 256 KB/,
  ],
  ['a folder', (file) => mkdir(file), /is a folder, not a file/],
  ['a link to itself', (file) => symlink(file, file), /is a link that leads back to itself/],
  [
    'a socket',
    (file) =>
      new Promise((resolve) => {
        const listening = net.createServer().listen(file, () => resolve(undefined))
        onTestFinished(() => void listening.close())
      }),
    /is a socket or a pipe, not a file/,
  ],
]

describe.skipIf(process.platform === 'win32')('a file of somebody else', () => {
  describe.each(both)('read %s', (_form, read) => {
    it.each(TRAPS)(
      'that is %s is named in one sentence and not waited for',
      async (_what, make, named) => {
        const file = path.join(await temporaryFolder(), 'f.json')
        await make(file)
        await expect(read(file, MAX_CONFIG_BYTES)).rejects.toThrow(named)
      },
    )

    it('that grows while it is read, or does not tell its size, ends at the cap', async () => {
      await expect(read('/proc/self/maps', 100)).rejects.toThrow(/too large/)
      expect(await read('/proc/self/comm', 100)).not.toBe('')
    })

    it('is read to its last byte up to the cap, without its byte order mark; none is nothing', async () => {
      const folder = await temporaryFolder()
      const file = path.join(folder, 'f.json')
      await writeFile(file, `\uFEFF${'é'.repeat(100_000)}`)
      expect(await read(file, 200_003)).toBe('é'.repeat(100_000))
      await expect(read(file, 200_002)).rejects.toThrow(/too large/)
      expect(await read(path.join(folder, 'none'), 10)).toBeUndefined()
      expect(await read(path.join(file, 'below'), 10)).toBeUndefined()
    })
  })

  it.each(TRAPS)(
    'that is %s in the place of a project’s configuration costs that file alone',
    async (_what, make, named) => {
      const home = await temporaryFolder()
      const directory = path.join(home, 'work')
      await mkdir(path.join(directory, '.opencode'), { recursive: true })
      await mkdir(path.join(home, '.opencode'))
      await writeFile(
        path.join(home, '.opencode', 'openai-codex-auth-config.json'),
        '{"rotationStrategy": "sticky"}',
      )
      const file = path.join(directory, '.opencode', 'openai-codex-auth-config.json')
      await make(file)
      const env = homeIn(home)
      const runtime = openRuntime({
        env,
        directory,
        paths: resolvePaths(env),
        host: { log: () => undefined, toast: () => undefined },
        watch: false,
      })
      await runtime.close()
      expect(runtime.config.rotationStrategy).toBe('sticky')
      expect(runtime.loaded.problems).toEqual([
        { where: file, message: expect.stringMatching(named) },
      ])
      const { stdout } = await runCli(home, ['config'], { directory })
      expect(stdout).toMatch(named)
    },
  )

  it.each([
    '.opencode/openai-codex-auth-config.json',
    'work/.opencode/openai-codex-auth-config.json',
    '.opencode/oc-codex-multi-auth-accounts.json',
    '.local/share/opencode/auth.json',
    '.opencode/cache/catalogue.json',
  ])('that is a pipe at %s does not hold up the start of the plugin', async (name) => {
    const home = await temporaryFolder()
    const directory = path.join(home, 'work')
    await mkdir(path.join(directory, '.git'), { recursive: true })
    await mkdir(path.dirname(path.join(home, name)), { recursive: true })
    execFileSync('mkfifo', [path.join(home, name)])
    const before = { ...process.env }
    onTestFinished(
      () =>
        void Object.assign(process.env, { HOME: before.HOME, XDG_DATA_HOME: before.XDG_DATA_HOME }),
    )
    process.env.HOME = home
    Reflect.deleteProperty(process.env, 'XDG_DATA_HOME')
    const client = {
      auth: { set: () => Promise.resolve({}) },
      app: { log: () => Promise.resolve({}) },
      tui: { showToast: () => Promise.resolve({}) },
    }
    const hooks = await server({ client, directory, worktree: directory } as never)
    await hooks.config?.({})
    expect(hooks.auth?.methods.length).toBeGreaterThan(0)
    await hooks.provider?.models?.({ models: {} } as never, {})
    await hooks.dispose?.()
  })
})

describe('the depth of a JSON text', () => {
  it('is told from brackets alone, not from those in texts and comments', () => {
    expect(isNestedTooDeep('['.repeat(MAX_NESTING))).toBe(false)
    expect(isNestedTooDeep('['.repeat(MAX_NESTING + 1))).toBe(true)
    expect(isNestedTooDeep(`"${'['.repeat(1000)}"`)).toBe(false)
    expect(isNestedTooDeep(`"\\"${'['.repeat(1000)}"`)).toBe(false)
    expect(isNestedTooDeep(`// ${'['.repeat(1000)}\n[]`)).toBe(false)
    expect(isNestedTooDeep(`/* ${'{'.repeat(1000)} */ {}`)).toBe(false)
    expect(isNestedTooDeep('[]'.repeat(1000))).toBe(false)
    expect(isNestedTooDeep(`/* ${'{'.repeat(5)} */ ${'{"a":'.repeat(20_000)}`)).toBe(true)
  })
})
