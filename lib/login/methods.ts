import type { AuthOAuthResult } from '@opencode-ai/plugin'

import { messageOf } from '../kernel/errors.js'
import type { HostPort } from '../kernel/host-port.js'
import { beginLogin, type LoginDeps, type PendingLogin } from './login.js'
import { MANAGED_AUTH } from './managed-entry.js'
import type { LoginMethodId } from './method-list.js'
import type { LoginTokens } from '../oauth/oauth-client.js'
import { openBrowser } from './open-browser.js'
import { aboutHere, surroundingsHere } from './surroundings.js'

interface LoginMethodsDeps extends LoginDeps {
  readonly host: HostPort
  readonly env: NodeJS.ProcessEnv
  /** Leads to the menu of the accounts. */
  readonly manage: () => Promise<AuthOAuthResult>
  /** Looks whether a login could be stored. @throws CodexError that says why not */
  readonly ready: () => Promise<unknown>
  /** Puts the login into the account file. */
  readonly save: (tokens: LoginTokens) => Promise<{ readonly label: string }>
}

type CallbackResult = Awaited<ReturnType<Extract<AuthOAuthResult, { method: 'auto' }>['callback']>>

/** The login methods behind the host's hooks. */
export type LoginMethods = ReturnType<typeof createLoginMethods>

/** Creates the methods. One login at a time: a new one ends the one before, which the host has left. */
export function createLoginMethods(deps: LoginMethodsDeps) {
  let current: PendingLogin | undefined

  async function finished(login: () => Promise<LoginTokens>): Promise<CallbackResult> {
    try {
      const { label } = await deps.save(await login())
      deps.host.toast({
        variant: 'success',
        title: 'Codex accounts',
        message: `${label} is signed in.`,
      })
      return { ...MANAGED_AUTH, type: 'success' }
    } catch (error) {
      deps.host.log('warn', 'A login did not work.', { reason: messageOf(error) })
      // The host prints the message of what is thrown; for `{ type: 'failed' }` it could only say that it failed.
      throw error
    }
  }

  return {
    /** Begins a login the way the host asks for it. @throws CodexError, also from its callback: the host prints the message */
    async authorize(id: LoginMethodId | 'manage'): Promise<AuthOAuthResult> {
      if (id === 'manage') return deps.manage()
      // The user is not sent through a login that could not be stored.
      await deps.ready()
      await current?.cancel()
      current = undefined
      const login = await beginLogin(id, deps)
      current = login
      const { url, instructions } = login
      if (id === 'paste') {
        const callback = (pasted: string) => finished(() => login.finish(pasted))
        return { method: 'code', url, instructions, callback }
      }
      if (id === 'browser') {
        // Waiting starts now: the user may be done before the host asks.
        login.finish().catch(() => undefined)
        openBrowser(url, deps.env, { at: surroundingsHere(deps.env) })
      }
      const { advice } = aboutHere(deps.env)
      return {
        method: 'auto',
        url,
        instructions:
          id === 'browser' && advice !== undefined ? `${instructions} ${advice}` : instructions,
        callback: () => finished(() => login.finish()),
      }
    },
    /** Cancels a login that is still waiting. */
    async close(): Promise<void> {
      await current?.cancel()
    },
  }
}
