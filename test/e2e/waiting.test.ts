import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { startHostServer } from '../support/host-server.js'
import { turns, useStage } from './setup.js'

describe('a pool at its limits', () => {
  const stage = useStage({ signedIn: ['personal', 'work'] })

  it('is waited for when the first account is free soon, with a countdown on the screen', async () => {
    const { host, simulator } = stage()
    const server = await startHostServer(host)
    const session = await server.newSession('named')
    // From now on: starting the host takes its time.
    simulator.patchAccount('personal', {
      windows: [{ minutes: 300, limit: 100, used: 100, resetsInMs: 12_000 }],
    })
    simulator.patchAccount('work', {
      windows: [{ minutes: 10_080, limit: 100, used: 100, resetsInMs: 86_400_000 }],
    })
    const answer = await server.send(session, 'SIM:say after the wait')
    expect(answer).toMatchObject({ text: 'after the wait', error: undefined })
    expect(
      turns(stage())
        .map(({ account, status }) => `${account} ${status}`)
        .sort(),
    ).toEqual(['personal 200', 'personal 429', 'work 429'])
    const toasts = server.events
      .filter(({ type }) => type === 'tui.toast.show')
      .map((event) => JSON.stringify(event))
    expect(toasts.some((toast) => toast.includes('Resumes automatically'))).toBe(true)
    await server.stop()
  })

  it('is given up at once when the user aborts (Esc), and nobody is asked any more', async () => {
    const { host, simulator } = stage()
    const server = await startHostServer(host)
    const session = await server.newSession('named')
    simulator.patchAccount('personal', {
      windows: [{ minutes: 300, limit: 100, used: 100, resetsInMs: 25_000 }],
    })
    simulator.patchAccount('work', {
      windows: [{ minutes: 10_080, limit: 100, used: 100, resetsInMs: 86_400_000 }],
    })
    const from = simulator.requests.length
    const answer = server.send(session, 'SIM:say never')
    await expect
      .poll(() => JSON.stringify(server.events), { timeout: 20_000 })
      .toContain('Resumes automatically')
    await server.abort(session)
    expect(await answer).not.toMatchObject({ text: 'never' })
    const asked = turns(stage(), from).length
    expect(JSON.stringify(server.events.slice(-20))).toContain('session.idle')
    expect(turns(stage(), from)).toHaveLength(asked)
    await server.stop('SIGKILL')
  })

  it('serves without a place for its bookkeeping', async () => {
    const { host, simulator } = stage()
    simulator.patchAccount('personal', { windows: [{ minutes: 300, limit: 100 }] })
    const file = path.join(host.project, 'not-a-folder')
    await writeFile(file, '')
    const run = await host.prompt('SIM:say without state', {
      title: 'named',
      env: { OPENCODE_STATE_DIR: path.join(file, 'state') },
    })
    expect(run.stdout, run.stderr).toContain('without state')
  })
})
