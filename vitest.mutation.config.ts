import { statSync } from 'node:fs'

import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Small files first: a mutant is dead with its first failure, and small tests are the quick ones. */
class SmallFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sizeOf = ({ moduleId }: TestSpecification): number => statSync(moduleId).size
    return Promise.resolve([...files].sort((left, right) => sizeOf(left) - sizeOf(right)))
  }
}

/** `npm run mutation` names the test files of the area it mutates; nothing else starts this configuration. */
export default defineConfig({
  test: {
    include: process.env['MUTATION_TESTS']?.split('\n') ?? [],
    testTimeout: 20_000,
    sequence: { sequencer: SmallFirst },
    // Once loaded for all files: the modules hold no state, and each mutant loads them again.
    isolate: false,
    // What fails only now and then on a busy machine kills no mutant.
    retry: 1,
  },
})
