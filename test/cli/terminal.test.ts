import { expect, it } from 'vitest'

import { hasColours } from '../../lib/cli/terminal/terminal.js'

it.each([
  [{}, true, true],
  [{}, false, false],
  [{ TERM: 'dumb' }, true, false],
  [{ NO_COLOR: '1' }, true, false],
  [{ NO_COLOR: '' }, true, true],
  [{ FORCE_COLOR: '1' }, false, true],
  [{ FORCE_COLOR: '1', NO_COLOR: '1', TERM: 'dumb' }, false, true],
  [{ FORCE_COLOR: '0' }, true, false],
  [{ FORCE_COLOR: 'false' }, true, false],
])(
  'decides on colours from the environment and the terminal: %j, %s → %s',
  (env, isTerminal, shown) => {
    expect(hasColours(env, isTerminal)).toBe(shown)
  },
)
