import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { resolvePaths } from '../../lib/kernel/files/paths.js'
import { accessIn, listIn } from '../../lib/tools/diagnostics/windows-access/access-list.js'
import { windowsAccess } from '../../lib/tools/diagnostics/windows-access/windows-access.js'
import { aHome, homeIn } from '../support/home.js'
import { onWindows, whereScriptsRun } from '../support/platforms.js'
import { temporaryFolder } from '../support/temporary.js'

const ME = 'S-1-5-21-1004336348-1177238915-682003330-1001'
const SOMEBODY = 'S-1-5-21-1004336348-1177238915-682003330-1002'
const PROFILE = `D:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;FA;;;${ME})`
const SECOND_DISK = 'D:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)(A;ID;0x1301bf;;;AU)(A;ID;0x1200a9;;;BU)'

const others = (sddl: string, kind: 'file' | 'folder' = 'file', own: string | undefined = ME) => {
  const access = accessIn(sddl, kind, own)
  return access?.kind === 'list'
    ? access.others.map(({ name, can }) => `${name} ${can}`)
    : access?.kind
}

describe('an access list of Windows', () => {
  it.each([
    ['of a profile', PROFILE, []],
    ['that gives nobody anything', 'D:P', []],
    ['of a second disk', SECOND_DISK, ['Authenticated Users change', 'Users read']],
    ['open to everybody', 'D:P(A;;FR;;;WD)', ['Everyone read']],
    ['with identities as numbers', 'D:(A;;0x1f01ff;;;S-1-1-0)', ['Everyone change']],
    [
      'with a generic right as a word',
      'D:(A;;GA;;;BU)(A;;GR;;;BG)',
      ['Users change', 'Guests read'],
    ],
    ['with a generic right as a bit', 'D:(A;;0x80000000;;;BU)', ['Users read']],
    [
      'with single rights',
      'D:(A;;CCRC;;;BU)(A;;RCWO;;;AU)',
      ['Users read', 'Authenticated Users change'],
    ],
    ['that lets others see that it exists', 'D:(A;;RC;;;WD)(A;;0x100080;;;BU)', []],
    ['that refuses before it gives', 'D:P(D;;FA;;;WD)(A;;FA;;;BU)', []],
    ['that gives before it refuses', 'D:P(A;;FR;;;BU)(D;;FA;;;WD)', ['Users read']],
    [
      'with a condition',
      'D:(XA;;FR;;;WD;(@User.Title=="a)b(" && (1)))(A;;FA;;;SY)',
      ['Everyone read'],
    ],
    [
      'that refuses under a condition',
      'D:(XD;;FA;;;WD;(@User.x==1))(A;;FR;;;WD)',
      ['Everyone read'],
    ],
    ['followed by what is audited', `${PROFILE}S:AI(AU;ID;FA;;;WD)`, []],
    [
      'with apps, services and the owner',
      'D:(A;;FA;;;AC)(A;;FA;;;S-1-15-2-2)(A;;FA;;;S-1-5-80-1-2)(A;;FA;;;OW)',
      [],
    ],
    ['with another account', `D:(A;;FR;;;${SOMEBODY})`, [`${SOMEBODY} read`]],
    ['with an account of Entra', 'D:(A;;FR;;;S-1-12-1-1-2-3-4)', ['S-1-12-1-1-2-3-4 read']],
    [
      'with the users of a domain',
      'D:(A;;FR;;;DU)(A;;FR;;;S-1-5-21-1-2-3-513)',
      ['Domain Users read', 'Domain Users read'],
    ],
    [
      'with the administrators of a domain',
      'D:(A;;FA;;;DA)(A;;FA;;;LA)(A;;FA;;;S-1-5-21-1-2-3-512)',
      [],
    ],
    ['of a disk without lists', 'D:NO_ACCESS_CONTROL', 'unguarded'],
  ] as const)('%s is understood', (_what, sddl, expected) => {
    expect(others(sddl)).toEqual(expected)
  })

  it('that is only for what lies in a folder counts for that folder, as far as it is for files', () => {
    expect(others('D:(A;OICIIO;FR;;;WD)', 'folder')).toEqual(['Everyone read'])
    expect(others('D:(A;CIIO;FR;;;WD)', 'folder')).toEqual([])
    expect(others('D:(A;OICIIO;FR;;;WD)', 'file')).toEqual([])
  })

  it('names no other account while nobody says which one is the own, and groups all the same', () => {
    const list = `D:(A;;FA;;;${ME})(A;;FR;;;WD)(A;;FR;;;S-1-5-21-1-2-3-513)`
    const access = accessIn(list, 'file', undefined)
    expect(access?.kind === 'list' && access.others.map(({ name }) => name)).toEqual([
      'Everyone',
      'Domain Users',
    ])
  })

  it.each([
    '',
    'nonsense',
    'O:SYG:SY',
    'D:(',
    'D:(A;;FA;;;WD',
    'D:(A;;FA;;;)',
    'D:(A;;ZZ;;;WD)',
    'D:(A;;F;;;WD)',
    'D:(Q;;FA;;;WD)',
    'D:(A;;FA;;;WD)rest',
    'D:AI rest',
    'D:(A;;FA;;;"WD)',
  ])('that is odd is not taken for a closed one: %s', (sddl) => {
    expect(accessIn(sddl, 'file', ME)).toBeUndefined()
  })

  it('never throws, and never says closed of what it does not understand', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const access = accessIn(`D:${text}`, 'file', ME)
        if (access?.kind === 'list' && text !== '')
          expect(text.trim()).toMatch(/^[A-Z_]*(?:\(|S:|$)/)
      }),
    )
  })

  it.each(['konten.json', 'учётные записи.json', '账户.json', 'ключи (D).json', '.opencode'])(
    'is found in what icacls saved of %s',
    (name) => {
      for (const end of ['\r\n', '\n'])
        for (const mark of ['', '\uFEFF']) {
          const text = `${mark}${name}${end}${PROFILE}${end}`
          expect(listIn(Buffer.from(text, 'utf16le'))).toBe(PROFILE)
          expect(listIn(Buffer.from(text, 'utf8'))).toBe(PROFILE)
        }
      expect(listIn(Buffer.from(`${name}\r\n`, 'utf16le'))).toBeUndefined()
      expect(listIn(Buffer.alloc(0))).toBeUndefined()
    },
  )
})

/** A home whose places have these lists, by stand-ins for the programs of Windows. */
async function stage(listOf: (name: string) => string, whoami = `"pc\\anna","${ME}"`) {
  const home = await aHome([{ refreshToken: 'rt_a' }])
  const system = await temporaryFolder()
  await mkdir(path.join(system, 'System32'))
  const paths = resolvePaths(homeIn(home))
  await mkdir(path.dirname(paths.hostAuthFile), { recursive: true })
  await writeFile(paths.hostAuthFile, '{}')
  const programs = {
    icacls: `
      const [place, option, file] = process.argv.slice(2)
      const lists = ${JSON.stringify(
        Object.fromEntries(
          [paths.root, paths.accountsFile, paths.hostAuthFile].map((one) => [
            one,
            listOf(path.basename(one)),
          ]),
        ),
      )}
      if (option === '/save') require('fs').writeFileSync(file, require('path').basename(place) + '\\r\\n' + (lists[place] ?? ${JSON.stringify(listOf('other'))}) + '\\r\\n', 'utf16le')
      else require('fs').writeFileSync(${JSON.stringify(path.join(system, 'changed'))}, JSON.stringify(process.argv.slice(2)))`,
    whoami: `console.log(${JSON.stringify(whoami)})`,
  }
  for (const [name, code] of Object.entries(programs)) {
    const file = path.join(system, 'System32', `${name}.exe`)
    await writeFile(file, `#!${process.execPath}\n${code}`)
    await chmod(file, 0o755)
  }
  const runtime = {
    paths,
    env: { ...homeIn(home), SystemRoot: system },
    store: { path: paths.accountsFile },
  }
  const changed = async (): Promise<unknown> =>
    JSON.parse(await readFile(path.join(system, 'changed'), 'utf8'))
  return { home, paths, runtime, changed }
}

const signal = new AbortController().signal
const FILES = (name: string): string => (name === 'auth.json' ? PROFILE : SECOND_DISK)

describe('codex-doctor on Windows', () => {
  whereScriptsRun('says that the profile folder protects the account file', async () => {
    const { runtime, home } = await stage(() => PROFILE)
    expect(await windowsAccess(runtime, signal, home)).toEqual([
      {
        id: 'permissions',
        severity: 'ok',
        summary:
          'Only you and administrators can read the account file: it is protected by the profile folder.',
        action: '',
      },
    ])
    const [moved] = await windowsAccess(runtime, signal, path.join(home, 'other'))
    expect(moved?.summary).toContain(
      `outside of your profile folder, in ${path.join(home, '.opencode')}`,
    )
  })

  whereScriptsRun(
    'names in one sentence who else gets at a home on another disk, with a command that ends it, and --fix runs that',
    async () => {
      const { runtime, home, paths, changed } = await stage(FILES)
      const findings = await windowsAccess(runtime, signal, home)
      const [finding] = findings
      expect(findings).toHaveLength(1)
      expect(finding).toMatchObject({
        severity: 'error',
        summary: `${paths.root} can be changed by others of this machine: Authenticated Users, Users.`,
        action: `icacls "${paths.root}" /inheritance:r /grant:r "*${ME}:(OI)(CI)F" "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F"`,
      })
      expect(await finding?.fix?.()).toContain('only you and administrators')
      expect(await changed()).toEqual([
        paths.root,
        '/inheritance:r',
        '/grant:r',
        ...[ME, 'S-1-5-18', 'S-1-5-32-544'].map((sid) => `*${sid}:(OI)(CI)F`),
      ])
    },
  )

  whereScriptsRun.each([
    ['cmd', {}, /^icacls "(.+)" \/inheritance:r /, '50"^%" $now `x`'],
    [
      'PowerShell',
      { PSModulePath: 'C:\\Users\\anna\\Documents\\PowerShell\\Modules' },
      /^icacls '(.+)' \/inheritance:r /,
      '50% $now `x`',
    ],
    [
      'Git Bash',
      { MSYSTEM: 'MINGW64' },
      /^MSYS2_ARG_CONV_EXCL='\*' icacls '(.+)' \/inheritance:r /,
      '50% $now `x`',
    ],
  ])(
    'gives a command that %s reads as it is meant, whatever the folder is called',
    async (_shell, variables, command, written) => {
      const { runtime, home } = await stage(FILES)
      const file = path.join(home, '50% $now `x`', 'accounts.json')
      await mkdir(path.dirname(file))
      await writeFile(file, '{}')
      const env = { ...runtime.env, ...variables }
      const findings = await windowsAccess({ ...runtime, env, store: { path: file } }, signal, home)
      const [, named] = command.exec(findings[1]?.action ?? '') ?? []
      expect(named, findings[1]?.action).toBe(path.join(home, written))
    },
  )

  whereScriptsRun('names a right of the file itself, and takes it away by number', async () => {
    const { runtime, home, paths } = await stage((name) =>
      name.endsWith('accounts.json') ? `${PROFILE}(A;;FR;;;WD)` : PROFILE,
    )
    const [finding] = await windowsAccess(runtime, signal, home)
    expect(finding?.summary).toBe(
      `${paths.accountsFile} can be read by others of this machine: Everyone.`,
    )
    expect(finding?.action).toMatch(/"\*S-1-5-32-544:F" \/remove:g "\*S-1-1-0"$/)
  })

  whereScriptsRun(
    'tells of a disk without access lists, and changes no file of OpenCode',
    async () => {
      const { runtime, home } = await stage(() => 'D:NO_ACCESS_CONTROL')
      const findings = await windowsAccess(runtime, signal, home)
      expect(findings.map(({ summary }) => summary)).toEqual([
        expect.stringContaining('FAT and exFAT'),
        expect.stringContaining('auth.json has no access list'),
      ])
      for (const { fix } of findings) expect(fix).toBeUndefined()
    },
  )

  whereScriptsRun('claims nothing where the system gives no list, or no answer', async () => {
    const { runtime, home } = await stage(() => 'nonsense', 'no number here')
    for (const one of [runtime, { ...runtime, env: { SystemRoot: home } }]) {
      const findings = await windowsAccess(one, signal, home)
      expect(findings).toHaveLength(3)
      for (const finding of findings)
        expect(finding).toMatchObject({
          severity: 'warning',
          summary: expect.stringMatching(/could not be found out: icacls /),
        })
    }
  })

  onWindows('asks the real programs, and never calls closed what they did not say', async () => {
    const home = await aHome([{ refreshToken: 'rt_a' }])
    const paths = resolvePaths(homeIn(home))
    expect((await stat(paths.accountsFile)).isFile()).toBe(true)
    const runtime = { paths, env: process.env, store: { path: paths.accountsFile } }
    const findings = await windowsAccess(runtime, signal, os.userInfo().homedir)
    const words = findings.map(({ summary }) => summary).join('\n')
    expect(words).toMatch(/protected by the profile folder|icacls gave no list/)
  })
})
