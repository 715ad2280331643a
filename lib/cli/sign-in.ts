import type { Account } from '../accounts/account.js'
import { beginBrowserLogin, beginDeviceLogin, beginPasteLogin, type LoginDeps, type PendingLogin } from '../auth/login.js'
import type { LoginMethodId } from '../auth/method-list.js'
import { createOAuth, type LoginTokens } from '../auth/oauth.js'
import { openBrowser } from '../auth/open-browser.js'
import { saveLogin } from '../core.js'
import { CodexError } from '../kernel/errors.js'
import type { Runtime } from '../runtime.js'

/** How a login speaks with the user. */
export interface SignInUi {
  say(text: string): void
  /** Shown on a line of its own, so that it can be copied. */
  address(url: string): void
  /** Undefined where nobody can be asked, or nobody wants to answer. */
  ask(question: string): Promise<string | undefined>
  /** Shows that something is awaited; the signal is the user giving up. */
  waitFor<T>(text: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>
}

/** A finished login. */
export interface SignedIn {
  readonly label: string
  /** False when the account was there already. */
  readonly added: boolean
  /** The login is that of the account that was asked for; true when none was. */
  readonly isWanted: boolean
}

/**
 * Signs an account in and puts it into the pool.
 * @param wanted the account that should sign in again; another one is put into the pool too, and told apart
 * @throws CodexError `oauth_failed`, `login_timeout`, `login_cancelled`, `callback_port_busy`; nothing listens any more then
 */
export async function signIn(runtime: Runtime, method: LoginMethodId, ui: SignInUi, wanted?: Account): Promise<SignedIn> {
  const { label, uid, added } = await saveLogin(runtime, await tokensBy(runtime, method, ui))
  return { label, added, isWanted: wanted === undefined || wanted.uid === uid }
}

/** One or two sentences about a finished login. */
export function signedInText(runtime: Runtime, { label, added, isWanted }: SignedIn, wanted?: Account): string {
  if (wanted === undefined || isWanted) return `${label} is signed in.`
  return `That login belongs to another account: ${label}, which was ${added ? 'added' : 'updated'}. ${runtime.label(wanted)} is as before.`
}

async function tokensBy({ endpoints, fetch, clock, env }: Runtime, method: LoginMethodId, ui: SignInUi): Promise<LoginTokens> {
  const deps: LoginDeps = { oauth: createOAuth({ endpoints, fetch, clock }), clock }
  switch (method) {
    case 'browser': {
      const login = await beginBrowserLogin(deps)
      ui.say('Sign in in your browser; if none opens, go to:')
      ui.address(login.url)
      void openBrowser(login.url, env)
      return ui.waitFor('Waiting for the browser', (signal) => until(login, signal))
    }
    case 'device': {
      const login = await ui.waitFor('Asking for a code', (signal) => beginDeviceLogin({ ...deps, signal }))
      ui.say(`Open ${login.url} on any device and enter the code ${login.userCode ?? ''}`)
      return ui.waitFor('Waiting for the code to be entered', (signal) => until(login, signal))
    }
    case 'paste': {
      const login = beginPasteLogin(deps)
      ui.say('Sign in at:')
      ui.address(login.url)
      const pasted = await ui.ask('Address of the last page: ')
      if (pasted === undefined) throw new CodexError('login_cancelled', 'Nothing was pasted.', { hint: 'Pasting needs a terminal; --device does not.' })
      return ui.waitFor('Signing in', () => login.finish(pasted))
    }
  }
}

async function until(login: PendingLogin, signal: AbortSignal): Promise<LoginTokens> {
  const cancel = (): void => void login.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  if (signal.aborted) cancel()
  try {
    return await login.wait()
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}
