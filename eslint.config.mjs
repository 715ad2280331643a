import importX, { createNodeResolver } from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'

import { noImportCircle } from './scripts/eslint/no-import-circle.mjs'

/**
 * Layers (docs/development/ARCHITECTURE.md). A module, which is a folder of `lib` or one of the files beside them, may
 * import only modules of lower layers; the simulator stands beside: the plugin never imports it, only the command line
 * starts it.
 */
const LAYERS = [
  ['kernel', 'slash-commands'],
  ['routing', 'models', 'forecast', 'collaboration'],
  ['accounts', 'quota', 'config', 'prompts', 'history', 'host-setup'],
  ['account-view'],
  ['oauth', 'catalogue', 'report'],
  ['tokens', 'login', 'personality'],
  ['runtime-config.ts', 'loaded-config.ts'],
  ['runtime.ts', 'open-runtime.ts', 'request', 'tui'],
  ['transfer'],
  ['tools'],
  [
    'plugin.ts',
    'core.ts',
    'core-late.ts',
    'settings-entry.ts',
    'tools-entry.ts',
    'calls-entry.ts',
    'dialog-entry.ts',
    'shell',
    'cli',
  ],
]

/** Modules of one layer that may still see each other, in one direction: [module, may import]. */
const NEIGHBOURS = [
  ['lib/slash-commands', 'lib/kernel'],
  ['lib/runtime.ts', 'lib/request'],
  ['lib/tui', 'lib/runtime.ts'],
  ['lib/loaded-config.ts', 'lib/runtime-config.ts'],
  ['lib/open-runtime.ts', 'lib/runtime.ts'],
  ['lib/plugin.ts', 'lib/core.ts'],
  ['lib/plugin.ts', 'lib/settings-entry.ts'],
  ['lib/core.ts', 'lib/core-late.ts'],
  ['lib/core.ts', 'lib/settings-entry.ts'],
  ['lib/plugin.ts', 'lib/tools-entry.ts'],
  ['lib/plugin.ts', 'lib/calls-entry.ts'],
  ['lib/tools-entry.ts', 'lib/calls-entry.ts'],
  ['lib/tools-entry.ts', 'lib/settings-entry.ts'],
  ['lib/core.ts', 'lib/shell'],
  ['lib/plugin.ts', 'lib/cli'],
  ['lib/plugin.ts', 'lib/shell'],
  ['lib/shell', 'lib/core.ts'],
  ['lib/shell', 'lib/core-late.ts'],
  ['lib/shell', 'lib/settings-entry.ts'],
  ['lib/cli', 'lib/core-late.ts'],
]

const path = (module) => `lib/${module}`
const asTarget = (module) => (module.endsWith('.ts') ? `./lib/${module}` : `./lib/${module}/**`)

const zones = []
LAYERS.forEach((modules, layer) => {
  for (const module of modules) {
    const forbidden = LAYERS.slice(layer)
      .flat()
      .filter((other) => other !== module)
      .filter(
        (other) => !NEIGHBOURS.some(([from, to]) => from === path(module) && to === path(other)),
      )
    for (const other of forbidden) {
      zones.push({
        target: asTarget(module),
        from: asTarget(other),
        message: `lib/${module} (layer ${String(layer)}) may import lower layers only.`,
      })
    }
    if (module !== 'cli') {
      zones.push({
        target: asTarget(module),
        from: './simulator/**',
        message: 'The simulator stands in for the backend; the plugin never imports it.',
      })
    }
  }
})
for (const module of LAYERS.slice(1).flat()) {
  zones.push({
    target: './simulator/**',
    from: asTarget(module),
    message: 'The simulator imports lib/kernel only.',
  })
}

const ZOD_BY_NAME = {
  selector: 'ImportDeclaration[source.value="zod"] > :not(ImportNamespaceSpecifier, Literal)',
  message: 'Use `import * as z from "zod"`: the named import bundles every locale (+350 kB).',
}
const FOLDERS_AT_ONCE = {
  selector: 'CallExpression[callee.name="mkdir"] Property[key.name="recursive"]',
  message:
    'Folders are made by lib/kernel/make-folders.ts: asked like this, Node never comes back from some disks.',
}

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'coverage/**', '.tmp/**'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: {
          allowDefaultProject: ['*.mjs', 'scripts/*.mjs', 'scripts/*.cjs', 'scripts/eslint/*.mjs'],
        },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: {
      'import-x': importX,
      local: { rules: { 'no-import-circle': noImportCircle } },
    },
    settings: {
      'import-x/resolver-next': [createNodeResolver({ extensionAlias: { '.js': ['.ts', '.js'] } })],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      'local/no-import-circle': 'error',
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-default-export': 'error',
      'no-console': 'error',
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@opencode-ai/plugin',
              allowTypeImports: true,
              message: 'Types only: the package drags 64 MB into the host.',
            },
          ],
        },
      ],
      'no-restricted-syntax': ['error', ZOD_BY_NAME],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, varsIgnorePattern: '^_', argsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/require-await': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-lines': ['error', 350],
      'max-lines-per-function': ['error', 120],
    },
  },
  {
    // A process started elsewhere would inherit the folder, the files and the programs of a project.
    files: ['lib/**', 'index.ts', 'tui.ts'],
    ignores: ['lib/kernel/start-program.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@opencode-ai/plugin',
              allowTypeImports: true,
              message: 'Types only: the package drags 64 MB into the host.',
            },
            ...['node:child_process', 'child_process', 'node:cluster', 'bun', 'open', 'execa'].map(
              (name) => ({
                name,
                message: 'Processes are started by lib/kernel/start-program.ts alone.',
              }),
            ),
          ],
        },
      ],
      'no-restricted-syntax': ['error', ZOD_BY_NAME, FOLDERS_AT_ONCE],
      'no-restricted-properties': [
        'error',
        ...['spawn', 'spawnSync', '$'].map((property) => ({
          object: 'Bun',
          property,
          message: 'Processes are started by lib/kernel/start-program.ts alone.',
        })),
      ],
    },
  },
  {
    // The host reads the default export of these entries; tool configurations need one too.
    files: ['index.ts', 'tui.ts', '*.config.ts', '*.config.mjs'],
    rules: { 'import-x/no-default-export': 'off' },
  },
  {
    files: ['lib/cli/**', 'scripts/**', 'test/bench/**', 'test/chaos/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**'],
    rules: {
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Tests look into parsed JSON; what is not there fails the assertion.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  { files: ['**/*.mjs', '**/*.cjs'], extends: [tseslint.configs.disableTypeChecked] },
)
