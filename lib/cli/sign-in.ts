import type { Account } from '../accounts/account.js'
import { beginLogin, type PendingLogin } from '../login/login.js'
import type { LoginMethodId } from '../login/method-list.js'
import { OAuthClient, type LoginTokens } from '../oauth/oauth-client.js'
import { openBrowser } from '../login/open-browser.js'
import { aboutHere, surroundingsHere } from '../login/surroundings.js'
import { labelIn, readyForLogin, saveLogin } from '../core-late.js'
import { CodexError } from '../kernel/errors.js'
import type { Runtime } from '../runtime.js'

/** How a login speaks with the user. */
export interface SignInUi {
  say(text: string): void
  /** Shown on a line of its own, so that it can be copied. */
  address(url: string): void
  /** A code to type in at an address. */
  showCode(url: string, code: string): void
  /** Undefined where nobody can be asked, or nobody wants to answer. */
  ask(question: string): Promise<string | undefined>
  /** Shows that something is awaited; the signal is the user giving up. */
  waitFor<T>(text: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>
}

/**
 * Signs an account in and puts it into the pool.
 * @param wanted the account that should sign in again; another one is put into the pool too, and told apart
 * @returns number and name of the account, whether it is the one that was asked for, and sentences for the user
 * @throws CodexError what would keep the login from being stored, before it starts; `oauth_failed`, `login_timeout`, `login_cancelled`, `callback_port_busy`; nothing listens any more then
 */
export async function signIn(
  runtime: Runtime,
  method: LoginMethodId,
  ui: SignInUi,
  wanted?: Account,
) {
  const moved = await readyForLogin(runtime)
  if (moved !== undefined) ui.say(moved)
  const saved = await saveLogin(runtime, await tokensBy(runtime, method, ui))
  const { uid, label: name, added, notice } = saved
  if (notice !== undefined) ui.say(notice)
  if (wanted === undefined || wanted.uid === uid)
    return { name, isWanted: true, message: `${name} is signed in.` }
  return {
    name,
    isWanted: false,
    message: `That login belongs to another account: ${name}, which was ${added ? 'added' : 'updated'}. ${labelIn(await runtime.store.read(), wanted.uid, runtime)} is as before.`,
  }
}

async function tokensBy(
  runtime: Runtime,
  method: LoginMethodId,
  ui: SignInUi,
): Promise<LoginTokens> {
  const deps = { oauth: new OAuthClient(runtime), clock: runtime.clock }
  const login =
    method === 'device'
      ? await ui.waitFor('Asking for a code', (signal) => beginLogin(method, { ...deps, signal }))
      : await beginLogin(method, deps)
  switch (method) {
    case 'device':
      ui.showCode(login.url, login.userCode ?? '')
      return ui.waitFor('Waiting for the code to be entered', (signal) => until(login, signal))
    case 'browser': {
      ui.say('Sign in in your browser; if none opens, go to:')
      ui.address(login.url)
      const { advice } = aboutHere(runtime.env)
      if (advice !== undefined) ui.say(advice)
      openBrowser(login.url, runtime.env, { at: surroundingsHere(runtime.env) })
      return ui.waitFor('Waiting for the browser', (signal) => until(login, signal))
    }
    case 'paste': {
      ui.say('Sign in at:')
      ui.address(login.url)
      const pasted = await ui.ask('Address of the last page: ')
      if (pasted === undefined)
        throw new CodexError('login_cancelled', 'Nothing was pasted.', {
          hint: 'Pasting needs a terminal; --device does not.',
        })
      return ui.waitFor('Signing in', (signal) => until(login, signal, pasted))
    }
  }
}

async function until(
  login: PendingLogin,
  signal: AbortSignal,
  pasted?: string,
): Promise<LoginTokens> {
  const cancel = (): void => void login.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  if (signal.aborted) cancel()
  try {
    return await login.finish(pasted)
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}
