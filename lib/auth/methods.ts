import type { AuthHook, AuthOAuthResult } from '@opencode-ai/plugin'

import type { Clock } from '../kernel/clock.js'
import { messageOf } from '../kernel/errors.js'
import type { HostPort } from '../kernel/host-port.js'
import { beginBrowserLogin, beginDeviceLogin, beginPasteLogin, type PendingLogin } from './login.js'
import { MANAGED_AUTH } from './managed-entry.js'
import type { LoginMethodId } from './method-list.js'
import type { LoginTokens, OAuth } from './oauth.js'
import { openBrowser } from './open-browser.js'

export interface LoginMethodsDeps {
  readonly oauth: OAuth
  readonly clock: Clock
  readonly host: HostPort
  readonly env: NodeJS.ProcessEnv
  /** Leads to the menu of the accounts. */
  readonly manage: () => Promise<AuthOAuthResult>
  /** Looks whether a login could be stored. @throws CodexError that says why not */
  readonly ready: () => Promise<unknown>
  /** Puts the login into the account file. */
  readonly save: (tokens: LoginTokens) => Promise<{ readonly label: string }>
}

type Authorize = Extract<AuthHook['methods'][number], { type: 'oauth' }>['authorize']
type CallbackResult = Awaited<ReturnType<Extract<AuthOAuthResult, { method: 'auto' }>['callback']>>

/** The login methods behind the host's hooks. */
export interface LoginMethods {
  /** Begins a login the way the host asks for it. @throws CodexError, also from its callback: the host prints the message */
  authorize(id: LoginMethodId | 'manage'): ReturnType<Authorize>
  /** Cancels a login that is still waiting. */
  close(): Promise<void>
}

/** Creates the methods. One login at a time: a new one ends the one before, which nobody looks at any more. */
export function createLoginMethods(deps: LoginMethodsDeps): LoginMethods {
  let current: PendingLogin | undefined

  async function finished(login: () => Promise<LoginTokens>): Promise<CallbackResult> {
    try {
      const { label } = await deps.save(await login())
      deps.host.toast({
        variant: 'success',
        title: 'Codex accounts',
        message: `${label} is signed in.`,
      })
      return {
        type: 'success',
        refresh: MANAGED_AUTH.refresh,
        access: MANAGED_AUTH.access,
        expires: MANAGED_AUTH.expires,
      }
    } catch (error) {
      deps.host.log('warn', 'A login did not work.', { reason: messageOf(error) })
      // The host prints the message of what is thrown; for `{ type: 'failed' }` it could only say that it failed.
      throw error
    }
  }

  async function waiting(begin: () => Promise<PendingLogin>): Promise<PendingLogin> {
    await current?.cancel()
    current = undefined
    current = await begin()
    return current
  }

  return {
    async authorize(id) {
      // Nobody is sent through a login that could not be stored.
      if (id !== 'manage') await deps.ready()
      switch (id) {
        case 'manage':
          return deps.manage()
        case 'browser': {
          const login = await waiting(() => beginBrowserLogin(deps))
          // Waiting starts now: the user may be done before the host asks.
          const tokens = login.wait()
          tokens.catch(() => undefined)
          await openBrowser(login.url, deps.env)
          return {
            method: 'auto',
            url: login.url,
            instructions: 'Sign in in your browser; this window goes on by itself.',
            callback: () => finished(() => tokens),
          }
        }
        case 'device': {
          const login = await waiting(() => beginDeviceLogin(deps))
          return {
            method: 'auto',
            url: login.url,
            instructions: `Open the address on any device and enter the code: ${login.userCode ?? ''}`,
            callback: () => finished(() => login.wait()),
          }
        }
        case 'paste': {
          const login = beginPasteLogin(deps)
          return {
            method: 'code',
            url: login.url,
            instructions:
              'Sign in, then paste the address of the page your browser ends at (it may say that it cannot connect).',
            callback: (pasted: string) => finished(() => login.finish(pasted)),
          }
        }
      }
    },
    async close() {
      await current?.cancel()
    },
  }
}
