import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { commandsIn } from '../../lib/kernel/text/command-words.js'
import { type Shell, shellOf, shellWord, variableLine } from '../../lib/kernel/text/shell-quote.js'

const SHELLS: readonly Shell[] = ['posix', 'cmd', 'powershell']
const isWindows = process.platform === 'win32'

/** Names that people, programs and file systems come up with; none of them may become another word, or a command. */
const NAMES = [
  'plain',
  'C:\\Users\\me\\export.json',
  '/home/me/export.json',
  'C:\\My Files\\é ü 日本.json',
  '\\\\server\\share\\a b.json',
  'two  blanks',
  ' edges ',
  "it's",
  "'",
  "\\'",
  "a\\\\'b",
  '100%',
  '%PATH%',
  '%PATH% and %OS%',
  'a\\%PATH%b',
  '!important !! !x',
  'a^b ^& c',
  'a & echo broken',
  'a | more',
  'a > nowhere',
  '$HOME',
  '${HOME} $(echo broken) `echo broken`',
  '#x',
  '~',
  '~me',
  '=ls',
  '*.json ?[a]',
  '{a,b}',
  'a;b',
  '(a)',
  '-1',
  '@me',
  '%self',
  'C:\\dir\\',
  'C:\\dir b\\',
  'a\\\\',
  '\\',
  'say ‘hi’ “there” „so“',
  'Jürgen Größe',
  'quoted}',
  '{open',
]
const WITH_QUOTES = ['', 'a "b" c', '"', 'a\\"b & c', '"%PATH%" & echo broken', '%"%', '\\\\"']
const UNTYPABLE = ['two\nlines', 'bell\u0007', 'a\u202eb', 'a\u2028b']

const isThere = (program: string): boolean => spawnSync(program, ['-c', ':']).status === 0

describe('a word of a printed command', () => {
  it('is left as it is where no shell reads anything into it', () => {
    expect(shellWord('/home/me/a-b_1.json', 'posix')).toBe('/home/me/a-b_1.json')
    expect(shellWord('C:\\Users\\me\\a.json', 'cmd')).toBe('C:\\Users\\me\\a.json')
    expect(shellWord('C:\\Users\\me\\a.json', 'powershell')).toBe('C:\\Users\\me\\a.json')
  })

  it('is written alike for both shells of Windows wherever one form can do', () => {
    for (const name of ['C:\\My Files\\x.json', 'a & b', "it's", '100%', 'a^b', '!x', 'Jürgen G'])
      expect([shellWord(name, 'cmd'), shellWord(name, 'powershell')]).toEqual([
        `"${name}"`,
        `"${name}"`,
      ])
  })

  it.each(UNTYPABLE)('shows %j plainly, in a form that no shell runs', (name) => {
    for (const shell of SHELLS) expect(shellWord(name, shell)).toBe(`<${JSON.stringify(name)}>`)
  })

  it.each(['sh', 'bash', 'zsh', 'fish', 'dash'].filter((shell) => !isWindows && isThere(shell)))(
    'pasted back into %s is the name that was meant',
    (shell) => {
      const names = [...NAMES, ...WITH_QUOTES]
      const line = `printf '%s\\n' ${names.map((name) => shellWord(name, 'posix')).join(' ')}`
      const { stdout } = spawnSync(shell, ['-c', line], { encoding: 'utf8' })
      expect(stdout.split('\n')).toEqual([...names, ''])
    },
  )

  it('sets a variable as its shell does', () => {
    const url = 'http://127.0.0.1:8080/a'
    expect(variableLine('NAME', url, 'posix')).toBe(`export NAME=${url}`)
    expect(variableLine('NAME', url, 'cmd')).toBe(`set "NAME=${url}"`)
    expect(variableLine('NAME', url, 'powershell')).toBe(`$env:NAME = '${url}'`)
  })

  it.runIf(!isWindows && isThere('bash'))('survives the history of a bash at a prompt', () => {
    const line = `printf '%s\\n' ${NAMES.map((name) => shellWord(name, 'posix')).join(' ')}\n`
    const { stdout } = spawnSync('bash', ['--norc', '--noprofile', '-i'], {
      input: `set -H\n${line}`,
      encoding: 'utf8',
    })
    expect(stdout.split('\n')).toEqual([...NAMES, ''])
  })

  it.each([...NAMES, ...WITH_QUOTES])('for cmd: %j arrives through a shim of npm', (name) => {
    const word = shellWord(name, 'cmd')
    expect(word.startsWith('<')).toBe(false)
    const typed = readByCmd(word, { PATH: 'expanded', OS: 'expanded' })
    // A shim hands on what it got, and its line is read once more, without its variables.
    expect(argumentsOf(typed)).toEqual([name])
    expect(argumentsOf(readByCmd(typed, {}))).toEqual([name])
  })

  it.each(NAMES)('for PowerShell: %j is one word', (name) => {
    expect(readByPowerShell(shellWord(name, 'powershell'))).toBe(name)
  })

  it.each(['', 'a "b" c'])(
    '%j, which versions of PowerShell hand on differently, is refused',
    (name) => {
      expect(shellWord(name, 'powershell')).toMatch(/^<.*>$/)
    },
  )

  it.runIf(isWindows)('pasted back into the real cmd is the name that was meant', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'words '))
    const script = path.join(folder, 'show.cjs')
    writeFileSync(
      script,
      'require("fs").writeFileSync(process.env.SHOWN, JSON.stringify(process.argv.slice(2)))',
    )
    const shim = path.join(folder, 'shim.cmd')
    writeFileSync(shim, `@"${process.execPath}" "${script}" %*\r\n`)
    // The cmd of Wine leaves a caret alone that stands behind a quoted part; that of Windows takes it for what it is.
    const names = [...NAMES, ...WITH_QUOTES].filter((name) => !/%.*%/.test(name))
    const shown = path.join(folder, 'shown.json')
    const words = names.map((name) => shellWord(name, 'cmd')).join(' ')
    const { stderr } = spawnSync('cmd.exe', ['/d', '/s', '/c', `""${shim}" ${words}"`], {
      windowsVerbatimArguments: true,
      env: { ...process.env, SHOWN: shown },
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(JSON.parse(readFileSync(shown, 'utf8'))).toEqual(names)
  })
})

describe('a printed command', () => {
  it.each(NAMES)('holds together with %j in it', (name) => {
    for (const shell of SHELLS) {
      const word = shellWord(name, shell)
      expect(commandsIn(`Undo: {import ${word}} now`, 'terminal')).toBe(
        `Undo: npx oc-codex-multi-auth import ${word} now`,
      )
    }
  })
})

describe('the shell', () => {
  it.each([
    ['linux', { SHELL: '/usr/bin/fish' }, 'posix'],
    ['darwin', {}, 'posix'],
    ['win32', {}, 'cmd'],
    ['win32', { PSModulePath: 'C:\\WINDOWS\\system32\\WindowsPowerShell\\v1.0\\Modules' }, 'cmd'],
    [
      'win32',
      { PSModulePath: 'C:\\Users\\Me\\Documents\\WindowsPowerShell\\Modules;C:\\x' },
      'powershell',
    ],
    [
      'win32',
      { PSModulePath: 'C:\\Users\\Me\\OneDrive\\Dokumente\\PowerShell\\Modules' },
      'powershell',
    ],
    ['win32', { MSYSTEM: 'MINGW64' }, 'posix'],
    ['win32', { SHELL: 'C:\\Program Files\\Git\\usr\\bin\\bash.exe' }, 'posix'],
    ['win32', { SHELL: 'C:\\Windows\\System32\\cmd.exe' }, 'cmd'],
  ])('of %s with %j is %s', (platform, env, shell) => {
    expect(shellOf(env, platform)).toBe(shell)
  })
})

/**
 * What cmd makes of a line, as Microsoft documents it: variables first, also within quotes, where an unknown one stays as
 * it is; then carets outside of quotes. @throws where a sign outside of quotes would start something else
 */
function readByCmd(line: string, env: Readonly<Record<string, string>>): string {
  const filled = line.replaceAll(/%([^%]+)%/g, (whole, name: string) => env[name] ?? whole)
  let isQuoted = false
  let read = ''
  for (let at = 0; at < filled.length; at += 1) {
    const letter = filled.charAt(at)
    if (letter === '"') isQuoted = !isQuoted
    if (!isQuoted && /[&|<>()]/.test(letter)) throw new Error(`${letter} of ${line} is read`)
    if (!isQuoted && letter === '^') at += 1
    read += filled.charAt(at)
  }
  return read
}

/** What a program gets, by the rules of Microsoft's C runtime since 2008. */
function argumentsOf(line: string): string[] {
  const found: string[] = []
  let at = 0
  while (at < line.length) {
    if (line.charAt(at) === ' ') {
      at += 1
      continue
    }
    let word = ''
    let isQuoted = false
    for (; at < line.length && (isQuoted || line.charAt(at) !== ' '); at += 1) {
      const slashes = /^\\*/.exec(line.slice(at))?.[0].length ?? 0
      if (slashes > 0 && line.charAt(at + slashes) === '"') {
        word += '\\'.repeat(Math.floor(slashes / 2))
        at += slashes
        if (slashes % 2 === 1) {
          word += '"'
          continue
        }
      }
      if (line.charAt(at) !== '"') word += line.charAt(at)
      else if (isQuoted && line.charAt(at + 1) === '"') {
        word += '"'
        at += 1
      } else isQuoted = !isQuoted
    }
    found.push(word)
  }
  return found
}

/**
 * What PowerShell makes of one word, by about_Quoting_Rules and about_Parsing: a stand-in, since there is none here.
 * @throws where the word ends early, or something in it is filled in
 */
function readByPowerShell(word: string): string {
  const [, single] = /^['‘’‚‛]((?:[^'‘’‚‛]|['‘’‚‛]{2})*)['‘’‚‛]$/.exec(word) ?? []
  if (single !== undefined) return single.replaceAll(/(['‘’‚‛])['‘’‚‛]/g, '$1')
  const [, double] = /^["“”„]([^"“”„`$]*)["“”„]$/.exec(word) ?? []
  if (double !== undefined) return double
  if (/^(?:[A-Za-z][\w.:\\/+-]*|\d+)$/.test(word)) return word
  throw new Error(`PowerShell would read ${word} otherwise.`)
}
