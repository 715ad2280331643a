import { isRemote } from './method-list.js'

/**
 * Opens an address in the user's browser, where there is one to be seen. Never throws and never waits for the browser:
 * the address is on the screen in any case.
 */
export async function openBrowser(url: string, env: NodeJS.ProcessEnv): Promise<void> {
  if (isRemote(env) || env.CI === 'true' || env.BROWSER === 'none') return
  const hasDisplay = process.platform !== 'linux' || env.DISPLAY !== undefined || env.WAYLAND_DISPLAY !== undefined || env.WSL_DISTRO_NAME !== undefined
  if (!hasDisplay) return
  try {
    const { default: open } = await import('open')
    const child = await open(url)
    child.on('error', () => undefined)
    child.unref()
  } catch {
    // No browser could be started; the user opens the address by hand.
  }
}
