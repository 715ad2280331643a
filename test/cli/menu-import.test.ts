import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, it } from 'vitest'

import { runMenu } from '../../lib/cli/menu/menu.js'
import type { Prompts } from '../../lib/cli/menu/prompts.js'
import { codexAuth } from '../accounts/sources/fixtures.js'
import { coreOver } from '../support/core-over.js'

it.each([['file'], ['codex']])(
  'imports a login that another program uses too from %s, after it has said so and been answered yes',
  async (source) => {
    const { core, home } = await coreOver(['here'])
    const file = path.join(home, '.codex', 'auth.json')
    await mkdir(path.dirname(file))
    await writeFile(file, JSON.stringify(codexAuth({ name: 'ada' })))
    const said: string[] = []
    const picked = ['import', source, 'quit']
    const prompts: Prompts = {
      choose: async (_message, choices) => {
        const wanted = picked.shift()
        return choices.find(({ value }) => value === wanted)?.value
      },
      confirm: async () => true,
      line: async () => file,
      secret: async () => undefined,
      say: (kind, text) => void said.push(`${kind}: ${text}`),
      plain: () => undefined,
      waitFor: (_text, work) => work(new AbortController().signal, () => undefined),
      hasLeft: () => false,
      close: () => undefined,
    }
    const io = {
      stdout: () => undefined,
      stderr: () => undefined,
      progress: () => undefined,
      ask: async () => undefined,
      openScreen: () => undefined,
      hasColours: false,
      isInteractive: true,
      columns: 80,
      signal: new AbortController().signal,
      env: {},
      directory: home,
    }
    expect(await runMenu({ runtime: core.runtime, io, prompts })).toBe(0)
    expect(said[0]).toMatch(/^warning: .*refresh token works once/)
    expect(said[1]).toMatch(/^done: 1 added/)
    expect((await core.runtime.store.read()).accounts).toHaveLength(2)
  },
)
