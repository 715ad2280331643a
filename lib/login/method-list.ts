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

/** The ways to sign in, the best for this terminal first: over SSH no browser of this machine is in front of the user. */
export function loginMethods(
  env: Readonly<Record<string, string | undefined>>,
): readonly LoginMethodInfo[] {
  return isRemote(env) ? [DEVICE, BROWSER, PASTE] : [BROWSER, DEVICE, PASTE]
}

/** True when a browser started here would not be seen by the user. */
export function isRemote(env: Readonly<Record<string, string | undefined>>): boolean {
  return [env.SSH_CONNECTION, env.SSH_TTY, env.SSH_CLIENT].some(
    (value) => value !== undefined && value !== '',
  )
}
