import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { type Ended, endOf, startProcess } from '../support/child-process.js'
import { packPackage } from '../support/pack.js'
import {
  noSecretService,
  type SecretService,
  startSecretService,
} from '../support/secret-service.js'
import { setStage, signIn, type Stage, turns } from './setup.js'

const OPTED_IN = { CODEX_KEYCHAIN: '1' }
// A token of access in full form: sealed text holds every three letters now and then.
const SECRETS = /rt_[0-9a-f]{8}|eyJ[\w-]+\.eyJ/

describe.skipIf(noSecretService)('the OS keychain', () => {
  let service: SecretService
  let stage: Stage | undefined
  beforeAll(async () => {
    await packPackage()
    service = await startSecretService()
  })
  afterEach(async () => {
    await stage?.close()
    stage = undefined
  })
  afterAll(() => service.close())

  /** A host in the session of the keyring, and the packed command line beside it. */
  async function prepare(env: Record<string, string> = {}): Promise<{
    stage: Stage
    text: () => Promise<string>
    cli: (args: readonly string[], env?: Record<string, string>) => Promise<Ended>
  }> {
    const made = (stage = await setStage({ host: { env: { ...service.env, ...env } } }))
    const { host } = made
    const folder = path.join(path.dirname(host.project), 'unpacked')
    execFileSync('mkdir', ['-p', folder])
    execFileSync('tar', ['-xzf', (await packPackage()).tarball, '-C', folder])
    return {
      stage: made,
      text: () => readFile(made.accountsFile, 'utf8'),
      cli: (args, more = {}) =>
        endOf(
          startProcess({
            file: process.execPath,
            args: [path.join(folder, 'package', 'dist', 'cli.js'), ...args],
            cwd: host.project,
            env: { ...host.env, ...more },
          }),
          60_000,
        ),
    }
  }

  it('keeps a pool that the command line sealed usable in OpenCode, through a renewal, until the rollback', async () => {
    const {
      stage: { host, simulator, ...rest },
      text,
      cli,
    } = await prepare()
    await signIn({ host, simulator, ...rest }, 'personal')
    expect(await text()).toMatch(SECRETS)

    const migrated = await cli(['keychain', 'migrate', '--confirm', '--json'], OPTED_IN)

    expect(migrated.code, migrated.stdout + migrated.stderr).toBe(0)
    expect(JSON.parse(migrated.stdout)).toMatchObject({
      storage: 'sealed',
      plainCopies: [],
      warnings: [],
      keychain: { via: 'secret-tool', reachable: true },
    })
    const sealed = await text()
    expect(sealed).not.toMatch(SECRETS)
    expect(await service.items()).toHaveLength(1)
    const from = simulator.requests.length
    const first = await host.prompt('SIM:say opened', { title: 'named' })
    expect(first.stdout, first.stderr).toContain('opened')

    simulator.expireAccess()
    const renewed = await host.prompt('SIM:say renewed', { title: 'named' })

    expect(renewed.stdout, renewed.stderr).toContain('renewed')
    expect(
      simulator.requests.slice(from).filter(({ path: route }) => route === '/oauth/token'),
    ).toHaveLength(1)
    expect(await text()).not.toMatch(SECRETS)
    expect(JSON.parse(await text()).accounts[0].sealed).not.toBe(
      JSON.parse(sealed).accounts[0].sealed,
    )

    const back = await cli(['keychain', 'rollback', '--confirm', '--json'])

    expect(back.code, back.stdout + back.stderr).toBe(0)
    expect(JSON.parse(back.stdout)).toMatchObject({ storage: 'plain', warnings: [] })
    expect(await text()).toMatch(SECRETS)
    expect(await service.items()).toEqual([])
  })

  it('is used from the first login in OpenCode on, and the command line opens what OpenCode sealed', async () => {
    const { stage: made, text, cli } = await prepare(OPTED_IN)
    await signIn(made, 'personal')
    expect(await text()).not.toMatch(SECRETS)
    expect(await service.items()).toHaveLength(1)
    const refreshed = await cli(['refresh', '--json'])
    expect(refreshed.code, refreshed.stdout + refreshed.stderr).toBe(0)
    expect(await text()).not.toMatch(SECRETS)
    expect((await made.host.prompt('SIM:say from both', { title: 'named' })).stdout).toContain(
      'from both',
    )
    const doctor = await cli(['doctor', '--json'])
    expect(JSON.parse(doctor.stdout).findings).toContainEqual(
      expect.objectContaining({ id: 'keychain', severity: 'ok' }),
    )
    expect((await cli(['keychain', 'rollback', '--confirm'])).code).toBe(0)
  })

  it('says what to do and changes nothing where the session has no keychain', async () => {
    const { stage: made, text, cli } = await prepare(OPTED_IN)
    await signIn(made, 'personal')
    const before = await text()
    const dead = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' }
    const from = made.simulator.requests.length

    const asked = await made.host.prompt('SIM:say never', { title: 'named', env: dead })

    expect(asked.stdout + asked.stderr).toMatch(/OS keychain[\s\S]*[Uu]nlock the keychain/)
    expect(turns(made, from)).toEqual([])
    const status = await cli(['keychain'], dead)
    expect(status.code).toBe(1)
    expect(status.stdout).toContain('sealed')
    const listed = await cli(['list'], dead)
    expect(listed.code).toBe(1)
    expect(listed.stderr).toContain('OS keychain')
    expect(await text()).toBe(before)
    expect((await cli(['keychain', 'rollback', '--confirm'])).code).toBe(0)
  })
})
