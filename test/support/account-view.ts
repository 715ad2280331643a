import type { AccountView, WindowView } from '../../lib/account-view/view.js'
import { windowName } from '../../lib/account-view/words.js'
import type { WindowKind } from '../../lib/routing/limits.js'

/** A window of the usual family of which so much is left. */
export function windowView(
  kind: WindowKind,
  leftPercent: number,
  times: { readonly resetsAtMs?: number | undefined; readonly observedAtMs: number },
): WindowView {
  const { resetsAtMs, observedAtMs } = times
  return {
    name: windowName(kind),
    kind,
    limitId: 'codex',
    leftPercent,
    resetsAtMs,
    observedAtMs,
    reading: {
      kind,
      usedPercent: 100 - leftPercent,
      observedAtMs,
      source: 'usage',
      ...(resetsAtMs === undefined ? {} : { resetsAtMs }),
    },
  }
}

/** A healthy account that nothing was ever done with. */
export function accountView(changes: Partial<AccountView> = {}): AccountView {
  return {
    uid: 'acc_1',
    index: 1,
    name: 'anna',
    kind: 'oauth',
    plan: 'plus',
    enabled: true,
    active: false,
    pin: undefined,
    needsLogin: undefined,
    state: { kind: 'eligible', onCredits: false },
    windows: [],
    blocks: [],
    readAtMs: undefined,
    resetCredits: undefined,
    pools: [],
    tags: [],
    note: undefined,
    lastUsedMs: 0,
    ...changes,
  }
}
