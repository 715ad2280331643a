import fc from 'fast-check'
import { parse } from 'jsonc-parser'
import { describe, expect, it } from 'vitest'

import { changedPaths } from '../../../lib/host-setup/file-change.js'
import { openDocument } from '../../../lib/host-setup/json-document.js'
import { installed, installedTui, pluginList, uninstalled } from '../../../lib/cli/install/plan.js'
import { entryKind } from '../../../lib/host-setup/plugin-entries.js'
import { templateModels } from '../../../lib/models/templates.js'

const open = (text: string) => openDocument(text, 'opencode.json')

describe('entryKind', () => {
  it.each([
    ['oc-codex-multi-auth', 'current'],
    ['oc-codex-multi-auth@latest', 'current'],
    ['oc-codex-multi-auth@7.0.0', 'current'],
    [['oc-codex-multi-auth@7', { a: 1 }], 'current'],
    ['oc-chatgpt-multi-auth@2', 'former'],
    ['file:///home/u/.config/opencode/node_modules/oc-codex-multi-auth', 'current'],
    ['file:///home/u/node_modules/oc-chatgpt-multi-auth/dist', 'former'],
    ['C:\\Users\\u\\node_modules\\oc-codex-multi-auth\\dist\\index.js', 'current'],
    ['file:///home/u/src/oc-codex-multi-auth', 'checkout'],
    ['./oc-codex-multi-auth', 'checkout'],
    ['@someone/oc-codex-multi-auth', 'foreign'],
    ['oc-codex-multi-auth-extra', 'foreign'],
    ['other', 'foreign'],
    [42, 'foreign'],
    ['%E0%A4%A', 'foreign'],
    ['\\\\server\\share\\oc-codex-multi-auth\\', 'checkout'],
    ['\\\\?\\C:\\src\\oc-codex-multi-auth\\dist\\index.js', 'checkout'],
    ['file:///c:/src/oc-codex-multi-auth/./dist/', 'checkout'],
    ['/home/u/src/oc-codex-multi-auth/dist/..', 'checkout'],
  ])('takes %j for %s', (entry, kind) => {
    expect(entryKind(entry)).toBe(kind)
  })

  it.each([
    ['C:\\Src\\OC-Codex-Multi-Auth\\Dist\\Index.js', 'checkout'],
    ['c:/Users/U/Node_Modules/oc-codex-multi-auth', 'current'],
    ['OC-Codex-Multi-Auth', 'foreign'],
  ])('takes %j for %s where a path has no case of its own', (entry, kind) => {
    expect([entryKind(entry, 'win32'), entryKind(entry, 'darwin')]).toEqual([kind, kind])
    expect(entryKind('/src/OC-Codex-Multi-Auth', 'linux')).toBe('foreign')
  })
})

describe('a configuration of another shape', () => {
  it.each([
    [
      '{\n  "plugin": "x"\n}',
      'opencode.json, line 2, column 13: the key "plugin" must hold a list',
    ],
    ['{"plugin":null}', 'the key "plugin" must hold a list'],
    ['{"provider":[]}', 'opencode.json, line 1, column 13: the key "provider" must hold an object'],
    ['{"provider":{"openai":"x"}}', 'the key "provider.openai" must hold an object'],
    [
      '{"provider":{"openai":{"models":[]}}}',
      'the key "provider.openai.models" must hold an object',
    ],
  ])('is refused with its file and place: %j', (text, sentence) => {
    expect(() => installed(open(text), 'modern')).toThrow(sentence)
  })
})

describe('installed', () => {
  it('adds one entry to a file with comments and keeps every other character', () => {
    const before =
      '{\n  // my models\n  "model": "openai/gpt-5.5", // best\n  "plugin": [\n    "other" // keep\n  ],\n}\n'
    const after = installed(open(before), 'plugin-only').text
    expect(after).toContain('// my models')
    expect(after).toContain('// best')
    expect(after).toContain('// keep')
    expect((parse(after) as { plugin: unknown }).plugin).toEqual(['other', 'oc-codex-multi-auth'])
  })

  it('changes nothing when the entry is there, pinned or with options', () => {
    for (const text of [
      '{"plugin":["oc-codex-multi-auth@6.1.0"]}',
      '{"plugin":[["oc-codex-multi-auth",{"x":1}],"b"]}',
    ]) {
      expect(installed(open(text), 'plugin-only').text).toBe(text)
    }
  })

  it('renames a former entry in place and keeps its options', () => {
    const text = '{"plugin":["a",["oc-chatgpt-multi-auth@1",{"x":1}],"b"]}'
    expect(pluginList(installed(open(text), 'plugin-only'))).toEqual([
      'a',
      ['oc-codex-multi-auth', { x: 1 }],
      'b',
    ])
  })

  it('leaves one entry where there were several', () => {
    const text =
      '{"plugin":["oc-chatgpt-multi-auth","oc-codex-multi-auth@latest","a","oc-codex-multi-auth"]}'
    expect(pluginList(installed(open(text), 'plugin-only'))).toEqual([
      'oc-codex-multi-auth@latest',
      'a',
    ])
  })

  it('leaves a local checkout in charge', () => {
    const text = '{"plugin":["file:///home/u/src/oc-codex-multi-auth"]}'
    expect(installed(open(text), 'plugin-only').text).toBe(text)
  })

  it('keeps the indentation and line ends of the file', () => {
    expect(installed(open('{\r\n\t"model": "m"\r\n}\r\n'), 'plugin-only').text).toMatch(
      /\r\n\t"plugin": \[\r\n/,
    )
  })

  it('starts a missing file with the schema and the entry', () => {
    expect(parse(installed(open(''), 'plugin-only').text)).toEqual({
      $schema: 'https://opencode.ai/config.json',
      plugin: ['oc-codex-multi-auth'],
    })
    expect(parse(installedTui(open('')).text)).toEqual({
      $schema: 'https://opencode.ai/tui.json',
      plugin: ['oc-codex-multi-auth'],
    })
  })

  it('keeps a byte order mark', () => {
    expect(installed(open('\uFEFF{"a":1}'), 'plugin-only').text.startsWith('\uFEFF')).toBe(true)
  })

  it('never overwrites a model the user has, and adds the rest of the template', () => {
    const mine = { name: 'Mine', limit: { context: 5, output: 5 } }
    const after = parse(
      installed(
        open(
          JSON.stringify({
            provider: { openai: { options: { x: 1 }, models: { 'gpt-5.5': mine, own: mine } } },
          }),
        ),
        'modern',
      ).text,
    ) as {
      provider: { openai: { options: unknown; models: Record<string, unknown> } }
    }
    expect(after.provider.openai.models['gpt-5.5']).toEqual(mine)
    expect(after.provider.openai.models.own).toEqual(mine)
    expect(after.provider.openai.options).toEqual({ x: 1 })
    expect(Object.keys(after.provider.openai.models)).toEqual(
      expect.arrayContaining(Object.keys(templateModels('modern'))),
    )
  })

  it('replaces the models of one template by those of another, and only those', () => {
    const modern = installed(open('{"provider":{"openai":{"models":{"own":{}}}}}'), 'modern')
    const legacy = installed(modern, 'legacy')
    const models = Object.keys(legacy.value(['provider', 'openai', 'models']) as object)
    expect(new Set(models)).toEqual(new Set(['own', ...Object.keys(templateModels('legacy'))]))
  })

  it.each(['plugin-only', 'modern', 'legacy', 'full'] as const)(
    'changes nothing when run a second time (%s)',
    (mode) => {
      const once = installed(open('{"plugin":["x"]}'), mode)
      expect(installed(once, mode).text).toBe(once.text)
    },
  )

  it.each([
    ['{"a":1,,}', 'line 1, column 8'],
    ['{\n "a": \n}', 'line 3'],
    ['[1]', 'one JSON object'],
    ['"text"', 'one JSON object'],
  ])('refuses %j and says where', (text, where) => {
    expect(() => open(text)).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringContaining(where) as string,
      }),
    )
  })

  it('refuses a plugin key that is no list', () => {
    expect(() => installed(open('{"plugin":"x"}'), 'plugin-only')).toThrow(
      expect.objectContaining({ code: 'config_invalid' }),
    )
  })

  it('keeps every foreign entry and value of any configuration, and uninstalls what it installed', () => {
    fc.assert(
      fc.property(
        fc.record({
          plugin: fc.array(
            fc.oneof(fc.string(), fc.tuple(fc.string(), fc.dictionary(fc.string(), fc.string()))),
          ),
          rest: fc.jsonValue(),
        }),
        (config) => {
          const start = JSON.parse(JSON.stringify(config)) as { plugin: unknown[]; rest: unknown }
          const after = installed(open(JSON.stringify(start, null, 2)), 'plugin-only')
          const foreign = start.plugin.filter((entry) => entryKind(entry) === 'foreign')
          expect(after.value(['rest'])).toEqual(start.rest)
          expect(pluginList(after).filter((entry) => entryKind(entry) === 'foreign')).toEqual(
            foreign,
          )
          expect(pluginList(uninstalled(after))).toEqual(foreign)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('changedPaths', () => {
  it('names places, never values', () => {
    const before = open('{"a":{"secret":"x","gone":1}}')
    const after = before.set(['a', 'secret'], 'y').set(['a', 'gone'], undefined).set(['b'], 'z')
    expect(changedPaths(before, after)).toEqual([
      { kind: 'changed', path: '$.a.secret' },
      { kind: 'removed', path: '$.a.gone' },
      { kind: 'added', path: '$.b' },
    ])
  })
})
