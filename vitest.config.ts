import { defineConfig } from 'vitest/config'

/**
 * `npm test` runs unit, chaos and e2e one after the other: unit needs nothing, e2e needs the built tarball. The hosts project
 * belongs to `npm run test:hosts`, which names the version of OpenCode; the windows project to `npm run test:windows`, which says
 * where Wine is.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/chaos/**', 'test/bench/**', 'test/windows/**'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ['test/e2e/hosts.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'hosts',
          include: ['test/e2e/hosts.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: 'windows',
          include: ['test/windows/**/*.test.ts'],
          // A program below Wine has limits of its own; these are for a machine that is busy.
          testTimeout: 900_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
