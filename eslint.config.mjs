import importX, { createNodeResolver } from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'

/**
 * Floors of the house (docs/development/ARCHITECTURE.md). A room may import only rooms on lower floors;
 * the simulator stands beside the house: the plugin never imports it, only the command line starts it.
 */
const FLOORS = [
  ['kernel', 'slash-commands'],
  ['routing', 'models', 'forecast'],
  ['accounts', 'quota', 'config', 'prompts', 'history', 'host-setup'],
  ['auth', 'catalog', 'report'],
  ['runtime-config.ts'],
  ['runtime.ts', 'bridge', 'tui'],
  ['tools'],
  ['plugin.ts', 'core.ts', 'tools-entry.ts', 'limits-entry.ts', 'host-client.ts', 'cli'],
]

/** Rooms that share a floor and may still see each other, in one direction: [room, may import]. */
const NEIGHBOURS = [
  ['lib/runtime.ts', 'lib/bridge'],
  ['lib/tui', 'lib/runtime.ts'],
  ['lib/plugin.ts', 'lib/core.ts'],
  ['lib/plugin.ts', 'lib/tools-entry.ts'],
  ['lib/core.ts', 'lib/host-client.ts'],
  ['lib/plugin.ts', 'lib/host-client.ts'],
  ['lib/plugin.ts', 'lib/cli'],
  ['lib/cli', 'lib/core.ts'],
]

const path = (room) => `lib/${room}`
const asTarget = (room) => (room.endsWith('.ts') ? `./lib/${room}` : `./lib/${room}/**`)

const zones = []
FLOORS.forEach((rooms, floor) => {
  for (const room of rooms) {
    const forbidden = FLOORS.slice(floor)
      .flat()
      .filter((other) => other !== room)
      .filter(
        (other) => !NEIGHBOURS.some(([from, to]) => from === path(room) && to === path(other)),
      )
    for (const other of forbidden) {
      zones.push({
        target: asTarget(room),
        from: asTarget(other),
        message: `lib/${room} (floor ${String(floor)}) may import lower floors only.`,
      })
    }
    if (room !== 'cli') {
      zones.push({
        target: asTarget(room),
        from: './lib/simulator/**',
        message: 'The simulator stands in for the backend; the plugin never imports it.',
      })
    }
  }
})
for (const room of FLOORS.slice(1).flat()) {
  zones.push({
    target: './lib/simulator/**',
    from: asTarget(room),
    message: 'The simulator imports lib/kernel only.',
  })
}

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'coverage/**', '.tmp/**'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.mjs', 'scripts/*.mjs', 'scripts/*.cjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createNodeResolver({ extensionAlias: { '.js': ['.ts', '.js'] } })],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
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
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'ImportDeclaration[source.value="zod"] > :not(ImportNamespaceSpecifier, Literal)',
          message:
            'Use `import * as z from "zod"`: the named import bundles every locale (+350 kB).',
        },
      ],
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
      'max-lines': ['warn', { max: 400, skipBlankLines: true, skipComments: true }],
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
