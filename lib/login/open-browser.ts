import { chosenEnvironment, startProgram } from '../kernel/start-program.js'
import { canShowBrowser, type Surroundings } from './method-list.js'

/** What a desktop tells its programs. */
const DESKTOP =
  /^(?:BROWSER\w*|DESKTOP_\w+|KDE_\w+|GNOME_\w+|GTK_\w+|QT_\w+|MOZ_\w+|SWAYSOCK|HYPRLAND_\w+|WSL\w+|WT_\w+)$/

/** A program that opens an address, and its arguments before that. */
type Opener = readonly [program: string, ...args: string[]]

/**
 * Opens an address in the user's browser, where there is one to be seen. Never throws and never waits for the browser:
 * the address is on the screen in any case.
 */
export function openBrowser(
  url: string,
  env: NodeJS.ProcessEnv,
  { at, platform = process.platform }: { at: Surroundings; platform?: NodeJS.Platform },
): void {
  if (canShowBrowser(at) && env.BROWSER !== 'none') openWith(openers(platform, at), url, env)
}

/** Tries one program after the other: where WSL was told to start no Windows programs, a shell reads them and fails. */
function openWith(programs: readonly Opener[], url: string, env: NodeJS.ProcessEnv): void {
  const [[program, ...args] = [], ...others] = programs
  if (program === undefined) return
  let isOver = false
  const next = (): void => {
    if (!isOver) openWith(others, url, env)
    isOver = true
  }
  try {
    const child = startProgram({
      program,
      args: [...args, url],
      env: chosenEnvironment(env, DESKTOP),
      stdio: 'ignore',
      detached: true,
    })
    if (child === undefined) {
      next()
      return
    }
    child.on('error', next)
    child.on('exit', (code) => code !== 0 && next())
    child.unref()
  } catch {
    next()
  }
}

/** Programs that open an address, the best first. None of them is a shell, so an address is never read as a command. */
export function openers(platform: NodeJS.Platform, at: Surroundings): readonly Opener[] {
  const windows = 'url.dll,FileProtocolHandler'
  if (platform === 'darwin') return [['open']]
  if (platform === 'win32') return [['rundll32', windows]]
  if (at !== 'wsl') return [['xdg-open']]
  // `explorer.exe` takes an address with a query for a folder, and `cmd /c start` reads its `&`.
  return [
    ['/mnt/c/Windows/System32/rundll32.exe', windows],
    ['rundll32.exe', windows],
    ['wslview'],
    ['xdg-open'],
  ]
}
