import { chosenEnvironment, startProgram } from '../kernel/start-program.js'
import { isRemote } from './method-list.js'

/** What a desktop tells its programs. */
const DESKTOP =
  /^(?:BROWSER\w*|DESKTOP_\w+|KDE_\w+|GNOME_\w+|GTK_\w+|QT_\w+|MOZ_\w+|SWAYSOCK|HYPRLAND_\w+|WSL\w+|WT_\w+)$/

/** True when a browser that is started here can be seen by the user. */
export function canShowBrowser(env: NodeJS.ProcessEnv): boolean {
  if (isRemote(env) || env.CI === 'true' || env.BROWSER === 'none') return false
  return (
    process.platform !== 'linux' ||
    env.DISPLAY !== undefined ||
    env.WAYLAND_DISPLAY !== undefined ||
    isWsl(env)
  )
}

/**
 * Opens an address in the user's browser, where there is one to be seen. Never throws and never waits for the browser:
 * the address is on the screen in any case.
 */
export async function openBrowser(url: string, env: NodeJS.ProcessEnv): Promise<void> {
  if (!canShowBrowser(env)) return
  try {
    for (const [program, ...args] of openers(process.platform, env)) {
      const child = startProgram({
        program,
        args: [...args, url],
        env: chosenEnvironment(env, DESKTOP),
        stdio: 'ignore',
        detached: true,
      })
      if (child === undefined) continue
      child.on('error', () => undefined)
      child.unref()
      return
    }
  } catch {
    // No browser could be started; the user opens the address by hand.
  }
}

/** Programs that open an address, the best first. None of them is a shell, so an address is never read as a command. */
export function openers(
  platform: NodeJS.Platform,
  env: NodeJS.ProcessEnv,
): readonly (readonly [program: string, ...args: string[]])[] {
  const windows = 'url.dll,FileProtocolHandler'
  if (platform === 'darwin') return [['open']]
  if (platform === 'win32') return [['rundll32', windows]]
  return [
    ...(isWsl(env)
      ? [['wslview'] as const, ['/mnt/c/Windows/System32/rundll32.exe', windows] as const]
      : []),
    ['xdg-open'],
  ]
}

function isWsl(env: NodeJS.ProcessEnv): boolean {
  return env.WSL_DISTRO_NAME !== undefined
}
