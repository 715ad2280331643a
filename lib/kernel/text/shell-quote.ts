import { plainText } from './plain-text.js'

type Env = Readonly<Record<string, string | undefined>>

/**
 * Who reads a command that a person copies: `posix` stands for sh, bash, zsh and fish, also for the bash that Git brings to
 * Windows. On Windows the other two are told apart by a guess, so what both of them can read comes first there.
 */
export type Shell = 'posix' | 'cmd' | 'powershell'

/** The shell that this process was started from, as far as its environment tells. Pure. */
export function shellOf(env: Env, platform: string): Shell {
  if (platform !== 'win32') return 'posix'
  if (nonEmpty(env.MSYSTEM) || /(?:^|[\\/])(?:ba|z|da|fi)?sh(?:\.exe)?$/i.test(env.SHELL ?? ''))
    return 'posix'
  // Only PowerShell adds the modules of the user; the system's own stand in every environment.
  const modules = (env.PSModulePath ?? '').split(';')
  return modules.some((folder) => /^[a-z]:\\Users\\.*PowerShell\\Modules\\?$/i.test(folder))
    ? 'powershell'
    : 'cmd'
}

/** The shell of this process; only the edges call it. */
export function shellHere(env: Env): Shell {
  return shellOf(env, process.platform)
}

/**
 * A text as it can be typed into a shell as one word that means exactly this text. What no command line can say (a line
 * break, what is drawn as nothing, for PowerShell a double quote) is shown in angle brackets: every shell refuses those, so
 * nobody runs the command with another word by mistake. Pure.
 */
export function shellWord(text: string, shell: Shell): string {
  if (plainText(text) !== text) return untypable(text)
  switch (shell) {
    case 'posix':
      return posixWord(text)
    case 'cmd':
      return bothOnWindows(text) ?? cmdWord(text)
    case 'powershell':
      return bothOnWindows(text) ?? powershellWord(text)
  }
}

/** A line that sets a variable for the programs which a shell starts after it. Pure. */
export function variableLine(name: string, value: string, shell: Shell): string {
  switch (shell) {
    case 'posix':
      return `export ${name}=${shellWord(value, shell)}`
    case 'cmd':
      return `set "${name}=${value}"`
    case 'powershell':
      return `$env:${name} = '${value.replaceAll(/['‘’‚‛]/g, '$&$&')}'`
  }
}

function posixWord(text: string): string {
  if (/^[\w@+:,./-][\w@%+=:,./-]*$/.test(text)) return text
  // In fish a backslash means something between single quotes, too, before these and at the end.
  const inside = text.replaceAll(
    /\\{2,}|\\(?='|$)|'/g,
    (found) => `'${found.replaceAll(/./g, '\\$&')}'`,
  )
  return `'${inside}'`
}

/** What cmd and PowerShell read alike, and a Windows program after them. */
function bothOnWindows(text: string): string | undefined {
  if (/^(?:[a-z][\w.:\\/+-]*|\d+)$/i.test(text) && !text.endsWith('\\')) return text
  return /["“”„`$]|%.*%|\\$|^$/.test(text) ? undefined : `"${text}"`
}

/**
 * Within double quotes cmd leaves everything alone but `%`, which stands outside behind a caret. Two double quotes are one
 * to a program and leave cmd within them, also where a script hands its arguments on.
 */
function cmdWord(text: string): string {
  const inside = text.replaceAll(
    /(\\*)(["%]|$)/g,
    (_whole, slashes: string, next: string) =>
      slashes + slashes + (next === '"' ? '""' : next === '%' ? '"^%"' : ''),
  )
  return `"${inside}"`
}

/**
 * PowerShell takes typographic quotes for plain ones. What it makes of a double quote, and whether it hands an empty word
 * on, depends on its version.
 */
function powershellWord(text: string): string {
  return text === '' || text.includes('"')
    ? untypable(text)
    : `'${text.replaceAll(/['‘’‚‛]/g, '$&$&')}'`
}

function untypable(text: string): string {
  return `<${JSON.stringify(text)}>`
}

function nonEmpty(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}
