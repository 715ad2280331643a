import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import { ESLint } from 'eslint'
import { describe, expect, it } from 'vitest'
import tseslint from 'typescript-eslint'

import { noImportCircle } from '../../scripts/eslint/no-import-circle.mjs'
import { temporaryFolder } from '../support/temporary.js'

/** The circles that the rule finds in files of these texts, by file. */
async function circlesIn(
  files: Readonly<Record<string, string>>,
): Promise<Record<string, string[]>> {
  const cwd = await temporaryFolder()
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(cwd, name), text)
  const eslint = new ESLint({
    cwd,
    overrideConfigFile: true,
    overrideConfig: {
      files: ['**/*.ts'],
      languageOptions: { parser: tseslint.parser },
      plugins: { local: { rules: { 'no-import-circle': noImportCircle } } },
      rules: { 'local/no-import-circle': 'error' },
    },
  })
  const found = (await eslint.lintFiles('*.ts')).filter(({ messages }) => messages.length > 0)
  return Object.fromEntries(
    found.map(({ filePath, messages }) => [
      path.basename(filePath),
      messages.map(({ message }) => message),
    ]),
  )
}

describe('the rule no-import-circle', () => {
  it('finds a circle of nothing but types, and names the way round', async () => {
    expect(
      await circlesIn({
        'a.ts': "import type { B } from './b.js'\nexport type A = B[]\n",
        'b.ts': "export type { C as B } from './c.js'\n",
        'c.ts': "import type { A } from './a.js'\nexport type C = A | 1\n",
      }),
    ).toEqual({
      'a.ts': ['This import closes a circle: a.ts → b.ts → c.ts → a.ts.'],
      'b.ts': ['This import closes a circle: b.ts → c.ts → a.ts → b.ts.'],
      'c.ts': ['This import closes a circle: c.ts → a.ts → b.ts → c.ts.'],
    })
  })

  it('is silent where several files share one, and about what a circle elsewhere imports', async () => {
    const found = await circlesIn({
      'top.ts': "import './left.js'\nimport './right.js'\n",
      'left.ts': "import './base.js'\nimport './right.js'\n",
      'right.ts': "import './left.js'\n",
      'base.ts': "import 'node:fs'\nimport './none.js'\n",
    })
    expect(Object.keys(found)).toEqual(['left.ts', 'right.ts'])
  })
})
