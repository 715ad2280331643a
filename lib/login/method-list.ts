/** Ways to sign in. */
export type LoginMethodId = 'browser' | 'device' | 'paste'

/** A way to sign in as the host lists it. Read at every start: keep this file free of imports. */
export interface LoginMethodInfo {
  readonly id: LoginMethodId
  readonly label: string
}

const BROWSER: LoginMethodInfo = { id: 'browser', label: 'ChatGPT account (browser)' }
const DEVICE: LoginMethodInfo = {
  id: 'device',
  label: 'ChatGPT account (device code, for SSH and containers)',
}
const PASTE: LoginMethodInfo = { id: 'paste', label: 'ChatGPT account (paste the address by hand)' }

/** An API key for another Codex endpoint; the host asks for the key itself. */
export const ENDPOINT_LABEL = 'Third-party Codex API (API Key + URL)'

/** No login: leads to the menu of the accounts. Listed last, and only when there are accounts. */
export const MANAGE_LABEL = 'Manage ChatGPT accounts'

/** Where the user works, as far as a browser is concerned and the environment tells. */
export type Surroundings = 'desktop' | 'wsl' | 'ssh' | 'dev-container' | 'ci' | 'no-screen'

/** Where the user works. Pure; the first sign counts: an SSH session into a WSL is an SSH session. */
export function surroundingsOf(
  env: Readonly<Record<string, string | undefined>>,
  platform: string = process.platform,
): Surroundings {
  const has = (names: string): boolean => names.split(' ').some((name) => env[name])
  const isLinux = platform === 'linux'
  // Over SSH it can be that of the user; other systems show their windows on their own screen.
  const hasScreen = isLinux && has('DISPLAY WAYLAND_DISPLAY')
  if (env.CI && env.CI !== 'false') return 'ci'
  if (has('CODESPACES REMOTE_CONTAINERS DEVCONTAINER GITPOD_WORKSPACE_ID')) return 'dev-container'
  if (has('SSH_CONNECTION SSH_TTY') && !hasScreen) return 'ssh'
  if (env.WSL_DISTRO_NAME) return 'wsl'
  return isLinux && !hasScreen ? 'no-screen' : 'desktop'
}

/** The ways to sign in, the best for these surroundings first: where no browser is in front of the user, a code. */
export function loginMethods(
  at: Surroundings,
): readonly [LoginMethodInfo, ...(readonly LoginMethodInfo[])] {
  return canShowBrowser(at) ? [BROWSER, DEVICE, PASTE] : [DEVICE, BROWSER, PASTE]
}

/** True where a browser that is started here is seen by the user. */
export function canShowBrowser(at: Surroundings): boolean {
  return at === 'desktop' || at === 'wsl'
}
