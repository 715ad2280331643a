import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { CodexError } from '../errors.js'

/** What a path is told from. */
interface Standpoint {
  /** Relative paths begin here. */
  readonly directory: string
  readonly home: string
  /** As Node names it; that of this process by default. */
  readonly platform?: string
}

/** Signs that no name on Windows can hold; a colon would write into a hidden stream of another file. */
const REFUSED_SIGNS = /[<>:"|?*]/
const DEVICE = /^(?:con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$) *(?:\..*)?$/i
/** What a terminal puts a backslash before when a file is dropped into it. */
const ESCAPED = /\\([ -.:-@[-^`{-~])/g

/**
 * The file that a person names, in any form that gets pasted: in quotes, as a `file://` address, from the home folder by
 * `~`, and, where a backslash parts no folders, with one before each blank. Pure.
 * @throws CodexError `invalid_input` for a name under which this system keeps no file
 */
export function givenPath(text: string, { directory, home, platform }: Standpoint): string {
  const isWindows = (platform ?? process.platform) === 'win32'
  const paths = isWindows ? path.win32 : path.posix
  const [, , quoted] = /^\s*(["'])(.*)\1\s*$/s.exec(text) ?? []
  const named = quoted ?? (isWindows ? text : text.replaceAll(ESCAPED, '$1'))
  const local = /^file:/i.test(named) ? pathOfUrl(named, isWindows) : named
  const wanted = local.replace(isWindows ? /^~(?=[\\/]|$)/ : /^~(?=\/|$)/, () => home)
  if (wanted.includes('\0')) throw refused(text, 'no name holds the character zero')
  const file = paths.resolve(directory, wanted)
  if (!isWindows) return file
  if (/^[\\/]{2}\.[\\/]/.test(wanted)) throw refused(text, 'that names a device of Windows')
  const { root } = paths.parse(file)
  // Resolving keeps a dot or a blank at the end of a name, and Windows then drops it.
  for (const name of file.slice(root.length).split('\\')) {
    const why = problemOfName(name)
    if (why !== undefined) throw refused(text, why)
  }
  return file
}

function problemOfName(name: string): string | undefined {
  const [sign] = REFUSED_SIGNS.exec(name) ?? []
  if (sign === ':') return 'on Windows a colon in a name leads into a hidden part of another file'
  if (sign !== undefined) return `on Windows no name holds ${sign}`
  if (DEVICE.test(name)) return `on Windows ${name} is a device`
  return /[. ]$/.test(name) ? 'on Windows no name ends with a dot or a blank' : undefined
}

function pathOfUrl(url: string, windows: boolean): string {
  try {
    return fileURLToPath(url, { windows })
  } catch {
    throw refused(url, 'that address names no file of this machine')
  }
}

function refused(text: string, why: string): CodexError {
  return new CodexError('invalid_input', `${text} cannot be used: ${why}.`, {
    hint: 'Nothing was changed. Choose another name.',
  })
}
