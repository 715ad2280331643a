import { expect, it } from 'vitest'

import { createNotices } from '../../lib/request/notices.js'
import { DEFAULT_CONFIG } from '../../lib/config/settings.js'
import type { Toast } from '../../lib/kernel/host-port.js'

const NOW = new Date(2026, 10, 16, 12, 0).getTime()

it('the countdown of a waiting request says once how long it takes', () => {
  const toasts: Toast[] = []
  const host = { log: () => undefined, toast: (toast: Toast) => void toasts.push(toast) }
  const notices = createNotices({
    host,
    config: DEFAULT_CONFIG,
    clock: { now: () => NOW, sleep: async () => undefined },
    gate: { mayShow: () => true },
  })
  notices.waiting(NOW + 90_000)
  expect(toasts.map(({ message }) => message)).toEqual([
    'Every account is at a limit. Resumes automatically at 12:01, in 2 min. Esc stops waiting.',
  ])
})
