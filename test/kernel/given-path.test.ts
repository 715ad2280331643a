import { describe, expect, it } from 'vitest'

import { givenPath } from '../../lib/kernel/files/given-path.js'
import { wordsOf } from '../../lib/tools/command-line.js'

const WINDOWS = { directory: 'C:\\Work', home: 'C:\\Users\\Jö', platform: 'win32' }
const MAC = { directory: '/Users/jö/work', home: '/Users/jö', platform: 'darwin' }

describe('a path that a person gives', () => {
  it.each([
    ['x.json', 'C:\\Work\\x.json'],
    ['C:\\My Files\\x.json', 'C:\\My Files\\x.json'],
    ['c:/my files/x.json', 'c:\\my files\\x.json'],
    ['"C:\\My Files\\x.json"', 'C:\\My Files\\x.json'],
    [' "C:\\My Files\\x.json" ', 'C:\\My Files\\x.json'],
    ["'C:\\My Files\\x.json'", 'C:\\My Files\\x.json'],
    ['file:///C:/My%20Files/x.json', 'C:\\My Files\\x.json'],
    ['FILE:///c:/x.json', 'c:\\x.json'],
    ['file://server/share/x.json', '\\\\server\\share\\x.json'],
    ['~\\x.json', 'C:\\Users\\Jö\\x.json'],
    ['~/x.json', 'C:\\Users\\Jö\\x.json'],
    ['"~\\My Files\\x.json"', 'C:\\Users\\Jö\\My Files\\x.json'],
    ['~x.json', 'C:\\Work\\~x.json'],
    ['\\\\server\\share\\x.json', '\\\\server\\share\\x.json'],
    ['\\\\?\\C:\\long\\x.json', '\\\\?\\C:\\long\\x.json'],
    ['..\\a b\\x.json', 'C:\\a b\\x.json'],
    ['console.json', 'C:\\Work\\console.json'],
    ['com10.txt', 'C:\\Work\\com10.txt'],
    ['.hidden', 'C:\\Work\\.hidden'],
  ])('on Windows: %s is %s', (given, file) => {
    expect(givenPath(given, WINDOWS)).toBe(file)
  })

  it.each([
    ['C:\\a:b.json', 'colon'],
    ['notes.txt:hidden', 'colon'],
    ['file:///C:/a:b.json', 'colon'],
    ['"a:b.json:c"', 'colon'],
    ['NUL', 'device'],
    ['nul.txt', 'device'],
    ['C:\\x\\CON\\y.json', 'device'],
    ['con .json', 'device'],
    ['com1.tar.gz', 'device'],
    ['LPT³', 'device'],
    ['\\\\.\\COM1', 'device'],
    ['a.', 'dot or a blank'],
    ['dir \\x.json', 'dot or a blank'],
    ['a<b', 'holds <'],
    ['a>b', 'holds >'],
    ['a"b', 'holds "'],
    ['a|b', 'holds |'],
    ['a?b', 'holds ?'],
    ['*.json', 'holds *'],
    ['file:///C:/a%2Fb', 'names no file'],
    ['a\0b', 'zero'],
  ])('on Windows: %j is refused in one sentence (%s)', (given, why) => {
    expect(() => givenPath(given, WINDOWS)).toThrow(
      expect.objectContaining({ code: 'invalid_input', message: expect.stringContaining(why) }),
    )
  })

  it.each([
    ['x.json', '/Users/jö/work/x.json'],
    ["/Users/me/My\\ Files/it\\'s\\ \\(1\\).json", "/Users/me/My Files/it's (1).json"],
    ['"/Users/me/My Files/x.json"', '/Users/me/My Files/x.json'],
    ["'/Users/me/a\\ b'", '/Users/me/a\\ b'],
    ['file:///Users/me/My%20Files/%C3%BC.json', '/Users/me/My Files/ü.json'],
    ['~/x.json', '/Users/jö/x.json'],
    ['~', '/Users/jö'],
    ['~other/x.json', '/Users/jö/work/~other/x.json'],
    ['a:b.json', '/Users/jö/work/a:b.json'],
    ['NUL', '/Users/jö/work/NUL'],
    ['a\\b', '/Users/jö/work/a\\b'],
    ['a?*.json', '/Users/jö/work/a?*.json'],
  ])('elsewhere: %s is %s', (given, file) => {
    expect(givenPath(given, MAC)).toBe(file)
  })

  it.each(['file://elsewhere.example/x.json', 'file:///a%2Fb', 'a\0b'])(
    'elsewhere: %j is refused',
    (given) => {
      expect(() => givenPath(given, MAC)).toThrow(
        expect.objectContaining({ code: 'invalid_input' }),
      )
    },
  )

  it('pasted behind a slash command with escaped blanks stays one word where that is how it is pasted', () => {
    expect(wordsOf('/Users/me/My\\ Files/x.json --force', undefined, 'darwin')).toEqual([
      '/Users/me/My\\ Files/x.json',
      '--force',
    ])
    expect(wordsOf('C:\\dir\\ --force', undefined, 'win32')).toEqual(['C:\\dir\\', '--force'])
  })
})
