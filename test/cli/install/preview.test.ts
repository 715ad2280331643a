import { expect, it } from 'vitest'

import { openDocument } from '../../../lib/host-setup/json-document.js'
import { INSTALL } from '../../../lib/cli/install/edits.js'
import { changedPaths } from '../../../lib/host-setup/file-change.js'
import { previewOf } from '../../../lib/cli/install/preview.js'

function previewed(before: string): string {
  const document = openDocument(before, '/home/opencode.json')
  const after = INSTALL.server(document)
  const changes = changedPaths(document, after)
  return previewOf({ file: '/home/opencode.json', before, after: after.text, changes })
}

it('shows the lines that come and go, and none of those that stay', () => {
  const text = previewed('{\n  "share": "disabled",\n  "plugin": [\n    "other"\n  ]\n}\n')
  expect(text.split('\n')).toEqual([
    '/home/opencode.json',
    '-     "other"',
    '+     "other",',
    '+     "oc-codex-multi-auth"',
  ])
})

it.each([
  '{"provider":{"x":{"options":{"apiKey":"secret"}}},"plugin":[]}',
  '{\n  "plugin": [\n    ["other", { "apiKey": "secret" }]\n  ]\n}\n',
])('says where a file changes and not what is in it, where a line may hold a key: %s', (before) => {
  const text = previewed(before)
  expect(text).not.toContain('secret')
  expect(text).toContain('~ $.plugin')
})
