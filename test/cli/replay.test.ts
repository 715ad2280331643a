import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import http from 'node:http'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { listSnapshots, snapshotName } from '../../lib/request/trace/snapshot-folder.js'
import { ask, coreOver, firstTurn } from '../support/core-over.js'
import { turnBody, user } from '../support/conversation.js'
import { runCli } from '../support/run-cli.js'
import { temporaryFolder } from '../support/temporary.js'
import { expectPrivate } from '../support/private-place.js'

/** Both windows of a usual account. */
const windowsOf = (used: number) => [
  { minutes: 300, limit: 100_000, used },
  { minutes: 10_080, limit: 100_000 },
]
const ROOMY = windowsOf(0)
const FULL = windowsOf(100_000)

interface Stage {
  readonly home: string
  /** Full paths, oldest first. */
  readonly snapshots: readonly string[]
}

/** A home with the snapshots of these requests to a simulator. */
async function stageWith(
  bodies: readonly string[],
  windows: readonly (typeof ROOMY)[] = [ROOMY],
): Promise<Stage> {
  const specs = windows.map((one, index) => ({ name: `account-${index}`, windows: one }))
  const { core, home } = await coreOver(specs, {
    env: { ENABLE_PLUGIN_REQUEST_LOGGING: 'snapshots' },
  })
  for (const body of bodies) await ask(core, body)
  await core.close()
  return {
    home,
    snapshots: await listSnapshots(path.join(core.runtime.paths.logsDir, 'snapshots')),
  }
}

/** The parts of a snapshot that a test changes. */
interface Edited extends Record<string, unknown> {
  sent: { body: { input: unknown[] }; headers: Record<string, string> }
  answer: { events: unknown[]; headers: Record<string, string> }
}

/** The JSON of a file with this changed. */
async function changed(file: string, change: (value: Edited) => unknown): Promise<string> {
  const value = JSON.parse(await readFile(file, 'utf8')) as Edited
  const next = `${file}.changed.json`
  await writeFile(next, JSON.stringify(change(value) ?? value))
  return next
}

describe('replay', () => {
  it('finds no difference where the answer was recorded of a simulator', async () => {
    const { home, snapshots } = await stageWith([await firstTurn()])
    const { code, stdout } = await runCli(home, ['replay', snapshots[0]!])
    expect(code).toBe(0)
    expect(stdout).toContain(
      'attempt 1 (initial_attempt) to this machine, ended with ok, completed.',
    )
    expect(stdout).toMatch(/with \d+ made-up texts\./)
    expect(stdout).toContain('Status: the same (200).')
    expect(stdout).toContain('Headers: the same.')
  })

  it('shows where status and events part, side by side', async () => {
    const { home, snapshots } = await stageWith([await firstTurn()], [FULL, ROOMY])
    const { stdout } = await runCli(home, ['replay', snapshots[0]!])
    expect(stdout).toContain('ended with usage_limit.')
    expect(stdout).toContain('The recorded refusal: type usage_limit_reached.')
    expect(stdout).toContain('Status: recorded 429, simulator 200.')
    expect(stdout).toMatch(
      /Events: they part at step 1: recorded nothing more, simulator response\.created\./,
    )
    expect(stdout).toMatch(/^>1 +- +response\.created \d+ B \+\d+ ms$/m)
    const other = await changed(snapshots[1]!, (value) => {
      value.answer.events.splice(3, 0, {
        type: 'response.new_thing',
        count: 2,
        bytes: 9,
        atMs: 1,
        lastMs: 1,
      })
      value.answer.headers['x-new'] = 'here'
    })
    const { stdout: json } = await runCli(home, ['replay', other, '--json'])
    expect(JSON.parse(json)).toMatchObject({
      position: 1,
      of: 1,
      snapshot: { reason: 'switched_account_after_usage_limit', outcome: 'ok' },
      refusal: null,
      parting: {
        status: null,
        headers: { onlyRecorded: ['x-new'], onlyOurs: [] },
        events: { position: 4, recorded: 'response.new_thing' },
      },
    })
  })

  it('sends a request of the same shape and size: a call still has its output, and reasoning is left out', async () => {
    const body = turnBody([
      user('SIM:tool read {"filePath":"a.ts"}'),
      { type: 'function_call', call_id: 'call_1', name: 'read', arguments: '{"filePath":"a.ts"}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'contents' },
    ])
    const { home, snapshots } = await stageWith([body])
    const withReasoning = await changed(snapshots[0]!, (value) => {
      value.sent.body.input.unshift({
        type: 'reasoning',
        summary: [],
        encrypted_content: { '~': [900, '0123abcd'] },
      })
    })
    const { code, stdout } = await runCli(home, ['replay', withReasoning])
    expect(code).toBe(0)
    expect(stdout).toContain('without 1 item that only its own account can read')
    expect(stdout).toContain('Status: the same (200).')
    const unpaired = await changed(
      snapshots[0]!,
      (value) => void value.sent.body.input.splice(2, 1),
    )
    const { stdout: refused } = await runCli(home, ['replay', unpaired])
    expect(refused).toContain('The simulator refused it: ')
    expect(refused).toContain('Status: recorded 200, simulator 400.')
  })

  it('takes a snapshot by its name, and the last of a pack or the one with this number', async () => {
    const { home, snapshots } = await stageWith(
      [await firstTurn(), await firstTurn()],
      [FULL, ROOMY],
    )
    expect((await runCli(home, ['replay', path.basename(snapshots[0]!)])).code).toBe(0)
    expect((await runCli(home, ['replay', path.basename(snapshots[0]!, '.json')])).code).toBe(0)
    await runCli(home, ['diag', '--snapshots', '--out', 'pack.json'])
    expect((await runCli(home, ['replay', 'pack.json'])).stdout).toContain(
      `Snapshot ${snapshots.length} of ${snapshots.length}: `,
    )
    expect((await runCli(home, ['replay', 'pack.json', '--number', '1'])).stdout).toContain(
      'ended with usage_limit',
    )
    for (const number of ['x', '0', '1.5', ''])
      expect((await runCli(home, ['replay', 'pack.json', '--number', number])).code, number).toBe(2)
    expect(await runCli(home, ['replay', 'pack.json', '--number', '99'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--number must be a whole number from 1 to'),
    })
  })

  it('sends nothing to the endpoint that a snapshot was taken of, and needs no account', async () => {
    const { home, snapshots } = await stageWith([await firstTurn()])
    const elsewhere = await temporaryFolder()
    // The backend of the stage is named by the environment, and would be seen if it were asked.
    const { code } = await runCli(elsewhere, ['replay', snapshots[0]!], {
      env: {
        OC_CODEX_SIMULATOR_BACKEND: 'http://127.0.0.1:1',
        OC_CODEX_SIMULATOR_ISSUER: 'http://127.0.0.1:1',
      },
    })
    expect(code).toBe(0)
    expect(home).not.toBe(elsewhere)
  })

  it('goes through no proxy, whatever the environment or the process says of one', async () => {
    const { home, snapshots } = await stageWith([await firstTurn()])
    // Where Node puts the proxy of NODE_USE_ENV_PROXY.
    const dispatchers = globalThis as unknown as Record<symbol, unknown>
    const place = Symbol.for('undici.globalDispatcher.1')
    const agent = http.globalAgent
    const before = dispatchers[place]
    onTestFinished(() => {
      dispatchers[place] = before
      http.globalAgent = agent
    })
    const proxied = (): never => {
      throw new Error('this went to the proxy')
    }
    dispatchers[place] = { dispatch: proxied }
    http.globalAgent = Object.assign(new http.Agent(), { addRequest: proxied })
    expect(await runCli(home, ['replay', snapshots[0]!])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Headers: the same.'),
    })
  })

  it('has a help text, and ends with 2 when it is called wrongly', async () => {
    const home = await temporaryFolder()
    expect((await runCli(home, ['replay', '--help'])).stdout).toContain(
      'Usage: oc-codex-multi-auth replay SNAPSHOT',
    )
    for (const words of [[], ['a', 'b']])
      expect(await runCli(home, ['replay', ...words])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('the name of one file'),
      })
  })

  it('repeats no header that belongs to a connection, whoever wrote it into the file', async () => {
    const { home, snapshots } = await stageWith([await firstTurn()])
    const odd = await changed(snapshots[0]!, (value) => {
      for (const name of ['expect', 'upgrade', 'transfer-encoding', 'te', 'host', 'keep-alive'])
        value.sent.headers[name] = 'x'
    })
    expect((await runCli(home, ['replay', odd])).stdout).toContain('Status: the same (200).')
  })

  it('tells of an attempt that had no answer', async () => {
    const { home, snapshots } = await stageWith([await firstTurn()])
    const file = await changed(snapshots[0]!, ({ answer: _answer, ...others }) => ({
      ...others,
      error: 'ECONNRESET',
      outcome: 'network',
    }))
    expect((await runCli(home, ['replay', file])).stdout).toContain(
      'No answer was recorded (ECONNRESET); the simulator answers with status 200.',
    )
  })

  it.each<[string, (file: string) => Promise<string>, string]>([
    ['that is not there', async () => 'none.json', 'There is no file none.json.'],
    ['that is a folder', async (file) => path.dirname(file), 'is a folder, not a file.'],
    [
      'cut off',
      async (file) => {
        const text = await readFile(file, 'utf8')
        await writeFile(file, text.slice(0, 900))
        return file
      },
      'is broken: it does not hold whole JSON.',
    ],
    [
      'of brackets',
      async (file) => {
        await writeFile(file, '['.repeat(100_000))
        return file
      },
      'is broken: it does not hold whole JSON.',
    ],
    [
      'of somebody else',
      async (file) => {
        await writeFile(file, '{"kind":"har","log":{}}')
        return file
      },
      'is no snapshot of this plugin.',
    ],
    [
      'of a newer version',
      (file) => changed(file, (value) => ({ ...value, version: 2, sent: 'another form' })),
      'was written by a newer version of this plugin.',
    ],
    [
      'without a request',
      (file) => changed(file, ({ sent: _sent, ...others }) => others),
      'is a damaged snapshot: ',
    ],
    [
      'with a wrong status',
      (file) =>
        changed(file, (value) => ({ ...value, answer: { ...value.answer, status: 'fine' } })),
      'is a damaged snapshot: ',
    ],
    [
      'of a time that no calendar has',
      (file) => changed(file, (value) => ({ ...value, startedAtMs: 1e300 })),
      'is a damaged snapshot: ',
    ],
    [
      'whose body was not kept',
      (file) =>
        changed(file, (value) => ({
          ...value,
          sent: { ...value.sent, isCut: true, body: { '~': 'cut' } },
        })),
      'has no request: it was too large to be kept.',
    ],
    [
      'larger than any',
      async (file) => {
        await writeFile(file, ' '.repeat(33 * 1024 * 1024))
        return file
      },
      'is too large: more than 32 MB.',
    ],
    [
      'that is an empty pack',
      async (file) => {
        await writeFile(file, '{"kind":"oc-codex-multi-auth snapshots","version":1,"snapshots":[]}')
        return file
      },
      'is a pack without a snapshot.',
    ],
  ])('refuses a file %s in one sentence', async (_what, make, sentence) => {
    const { home, snapshots } = await stageWith([await firstTurn()])
    const { code, stdout, stderr } = await runCli(home, ['replay', await make(snapshots[0]!)])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(sentence)
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2)
  })

  it('makes up no more text than a request has, whatever lengths a file names', async () => {
    const { home, snapshots } = await stageWith([await firstTurn()])
    const huge = await changed(snapshots[0]!, (value) => {
      value.sent.body.input = Array.from({ length: 50 }, () => ({
        role: 'user',
        content: { '~': [900_000_000, '0123abcd'] },
      }))
    })
    const { code } = await runCli(home, ['replay', huge])
    expect(code).toBe(0)
  })
})

describe('diag --snapshots', () => {
  it('packs the newest snapshots and the report into a file of its own and shows what is in it', async () => {
    const { home, snapshots } = await stageWith(
      [await firstTurn(), await firstTurn()],
      [FULL, ROOMY],
    )
    const { code, stdout } = await runCli(home, ['diag', '--snapshots'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/gpt-5\.5 +initial_attempt +429 usage_limit/)
    expect(stdout).toMatch(/gpt-5\.5 +switched_account_after_usage_limit +200 completed/)
    expect(stdout).toContain('No prompt, answer, file, token, address or account id')
    const [, file = ''] = /in (\S+snapshots-\S+\.json)/.exec(stdout) ?? []
    await expectPrivate(file)
    const pack = JSON.parse(await readFile(file, 'utf8')) as { readonly snapshots: unknown }
    expect(pack).toMatchObject({
      kind: 'oc-codex-multi-auth snapshots',
      version: 1,
      report: { plugin: { name: 'oc-codex-multi-auth' } },
    })
    expect(pack.snapshots).toHaveLength(snapshots.length)
    const { stdout: one } = await runCli(home, [
      'diag',
      '--snapshots',
      '1',
      '--json',
      '--out',
      'one.json',
    ])
    expect(JSON.parse(one)).toMatchObject({
      pack: { path: path.join(home, 'one.json'), snapshots: [{ status: 200 }], unreadable: 0 },
    })
  })

  it('writes nothing on a dry run', async () => {
    const { home } = await stageWith([await firstTurn()])
    const { stdout } = await runCli(home, [
      'diag',
      '--snapshots',
      '--dry-run',
      '--out',
      'pack.json',
    ])
    expect(stdout).toContain('Would hold 1 snapshot and the report of this command')
    await expect(stat(path.join(home, 'pack.json'))).rejects.toThrow('ENOENT')
  })

  it('replaces its own pack, and a file of another kind only with force', async () => {
    const { home } = await stageWith([await firstTurn()])
    const file = path.join(home, 'pack.json')
    await writeFile(file, 'mine')
    const again = ['diag', '--snapshots', '--out', 'pack.json']
    expect(await runCli(home, again)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('was not written by this tool'),
    })
    expect(await readFile(file, 'utf8')).toBe('mine')
    expect((await runCli(home, [...again, '--force'])).code).toBe(0)
    expect((await runCli(home, again)).code).toBe(0)
  })

  it('leaves out what is no whole snapshot, also where somebody else put it there', async () => {
    const { home, snapshots } = await stageWith([await firstTurn()])
    const beside = (name: string): string => path.join(path.dirname(snapshots[0]!), name)
    await writeFile(beside(snapshotName(1, 1, 1)), '{"kind":"oc-codex-multi-auth snapshot"')
    await writeFile(beside(snapshotName(2, 1, 1)), JSON.stringify({ secret: 'foreign words' }))
    await writeFile(beside('notes.json'), '{"secret":"foreign words"}')
    await mkdir(beside(snapshotName(3, 1, 1)))
    const { stdout } = await runCli(home, ['diag', '--snapshots', '--out', 'pack.json'])
    expect(stdout).toContain('3 files left out: no whole snapshot.')
    expect(await readFile(path.join(home, 'pack.json'), 'utf8')).not.toContain('foreign words')
  })

  it('says that texts were not kept where they are asked for and are not there', async () => {
    const { home } = await stageWith([await firstTurn()])
    const { stdout } = await runCli(home, ['diag', '--snapshots', '--with-texts', '--dry-run'])
    expect(stdout).toContain('No texts were kept when these were taken')
  })

  it.each([
    [['--snapshots'], 'There is no snapshot yet.'],
    [['5'], 'Argument last needs snapshots.'],
    [['--out', 'x.json'], 'Argument out needs snapshots.'],
    [['--snapshots', '0'], 'last'],
    [['--snapshots', '201'], 'last'],
  ])('ends in one sentence: %j', async (words, sentence) => {
    const { code, stdout, stderr } = await runCli(await temporaryFolder(), ['diag', ...words])
    expect(code).not.toBe(0)
    expect(stdout).toBe('')
    expect(stderr).toContain(sentence)
  })
})
