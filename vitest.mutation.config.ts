import { defineConfig } from 'vitest/config'

/** `npm run mutation` names the test files of the room it mutates; nothing else starts this configuration. */
export default defineConfig({
  test: {
    include: process.env['MUTATION_TESTS']?.split('\n') ?? [],
    testTimeout: 20_000,
    // Once loaded for all files: the modules hold no state, and each mutant loads them again.
    isolate: false,
    // What fails only now and then on a busy machine kills no mutant.
    retry: 1,
  },
})
