/**
 * The areas whose tests are themselves tested: what is mutated, and which unit tests have to notice. A folder stands for
 * every TypeScript file below it. `npm run check` fails when one of these paths is gone, so that moving files cannot
 * quietly empty a area.
 */
export const areas = {
  request: {
    code: ['lib/request', 'lib/routing'],
    tests: ['test/request', 'test/routing', 'test/quota/known-defects.test.ts'],
  },
  tokens: {
    code: ['lib/tokens'],
    tests: ['test/tokens', 'test/oauth/token-answer.test.ts', 'test/tools/codex-keychain.test.ts'],
  },
  accounts: {
    code: [
      'lib/accounts/account.ts',
      'lib/accounts/edits.ts',
      'lib/accounts/identity.ts',
      'lib/accounts/labels.ts',
      'lib/accounts/merge.ts',
      'lib/accounts/store',
      'lib/kernel/files/json-file.ts',
      'lib/kernel/lock',
    ],
    tests: [
      'test/accounts',
      'test/kernel/json-file.test.ts',
      'test/kernel/lock.test.ts',
      'test/kernel/lock-files.test.ts',
      'test/kernel/temporaries.test.ts',
      'test/kernel/system-quirks.test.ts',
    ],
  },
  quota: {
    code: ['lib/quota'],
    tests: ['test/quota', 'test/request/learned-from-answers.test.ts'],
  },
}

/** They count what the whole process does or ask many times over: other tests see the same code in less time. */
export const leftOut = ['test/request/counts.test.ts', 'test/request/mixed-pool.test.ts']
