import type { Clock } from '../kernel/clock.js'
import { CodexError } from '../kernel/errors.js'
import { type CallbackServer, startCallbackServer } from '../oauth/callback-server.js'
import type { LoginTokens, OAuthClient } from '../oauth/oauth-client.js'
import { createPkce, createState } from '../oauth/pkce.js'
import type { LoginMethodId } from './method-list.js'
import { codeFromPaste } from './paste-login.js'

/** Longer than anyone needs to sign in with a browser, ms. */
const BROWSER_LOGIN_TIMEOUT_MS = 10 * 60_000
/** Lifetime of a device code, ms. */
const DEVICE_LOGIN_TIMEOUT_MS = 15 * 60_000
/** The redirect the login server sends pasted logins to; nothing needs to listen there. */
const PASTE_REDIRECT_URI = 'http://localhost:1455/auth/callback'

/** A login under way. */
export interface PendingLogin {
  /** Page where the user signs in. */
  readonly url: string
  /** What the user types in there, for a login by device code. */
  readonly userCode?: string
  /** What the user has to do, in a sentence. */
  readonly instructions: string
  /**
   * Waits for the user.
   * @param pasted what the user pasted, for a login by paste
   * @throws CodexError `oauth_failed`, `login_timeout`, `login_cancelled`
   */
  finish(pasted?: string): Promise<LoginTokens>
  /** Gives up; `finish` rejects and nothing listens any more. */
  cancel(): Promise<void>
}

export interface LoginDeps {
  readonly oauth: OAuthClient
  readonly clock: Clock
  readonly signal?: AbortSignal
}

/** Begins a login. @throws CodexError `callback_port_busy`, `oauth_failed` */
export function beginLogin(method: LoginMethodId, deps: LoginDeps): Promise<PendingLogin> {
  switch (method) {
    case 'browser':
      return beginBrowserLogin(deps)
    case 'device':
      return beginDeviceLogin(deps)
    case 'paste':
      return beginPasteLogin(deps)
  }
}

/** In the browser: authorization code, PKCE, redirect to this machine. */
async function beginBrowserLogin(deps: LoginDeps): Promise<PendingLogin> {
  const { oauth, clock } = deps
  const { verifier, challenge } = createPkce()
  const state = createState()
  const server = await startCallbackServer({ state })
  const { redirectUri } = server
  return pending(deps, {
    url: oauth.authorizeUrl({ redirectUri, state, challenge }),
    instructions: 'Sign in in your browser; this window continues automatically.',
    close: () => server.close(),
    run: async (signal) => {
      const code = await codeWithin(server, clock, signal)
      return oauth.exchangeCode({ code, verifier, redirectUri }, signal)
    },
  })
}

/** With a code typed in on another device. */
async function beginDeviceLogin(deps: LoginDeps): Promise<PendingLogin> {
  const { oauth, clock } = deps
  const start = await oauth.startDevice(deps.signal)
  const { url, userCode, intervalMs } = start
  return pending(deps, {
    url,
    userCode,
    instructions: `Open the address on any device and enter the code: ${userCode}`,
    run: async (signal) => {
      // Pauses and answers are added up: the clock of the machine may jump while the user is away.
      let spentMs = 0
      let last = ''
      while (spentMs < DEVICE_LOGIN_TIMEOUT_MS) {
        await clock.sleep(intervalMs, signal)
        const askedAt = performance.now()
        const answer = await oauth.pollDevice(start, signal)
        if (answer.kind === 'granted') {
          const { code, verifier } = answer
          const redirectUri = oauth.deviceRedirectUri
          return oauth.exchangeCode({ code, verifier, redirectUri }, signal)
        }
        last = answer.kind === 'unavailable' ? ` ${answer.why} when it was last asked.` : ''
        spentMs += intervalMs + performance.now() - askedAt
      }
      throw new CodexError(
        'login_timeout',
        `The device code was not entered within 15 minutes.${last}`,
      )
    },
  })
}

/** With the last address of the login pasted by hand. */
async function beginPasteLogin(deps: LoginDeps): Promise<PendingLogin> {
  const { oauth } = deps
  const { verifier, challenge } = createPkce()
  const state = createState()
  const redirectUri = PASTE_REDIRECT_URI
  return pending(deps, {
    url: oauth.authorizeUrl({ redirectUri, state, challenge }),
    instructions:
      'Sign in, then paste the address of the last page (it may say that it cannot connect).',
    run: async (signal, pasted) => {
      const code = codeFromPaste(pasted, state)
      return oauth.exchangeCode({ code, verifier, redirectUri }, signal)
    },
  })
}

function pending(
  deps: LoginDeps,
  flow: Pick<PendingLogin, 'url' | 'userCode' | 'instructions'> & {
    readonly close?: () => Promise<void>
    readonly run: (signal: AbortSignal, pasted: string) => Promise<LoginTokens>
  },
): PendingLogin {
  const { close = async () => undefined, run, ...shown } = flow
  const abort = new AbortController()
  const signal =
    deps.signal === undefined ? abort.signal : AbortSignal.any([deps.signal, abort.signal])
  let result: Promise<LoginTokens> | undefined
  return {
    ...shown,
    finish(pasted) {
      // Something else may be pasted after a mistake; everything else happens once.
      if (result === undefined || pasted !== undefined)
        result = run(signal, pasted ?? '')
          .catch((error: unknown) => {
            throw signal.aborted
              ? new CodexError('login_cancelled', 'The login was cancelled.')
              : error
          })
          .finally(close)
      return result
    },
    async cancel() {
      abort.abort()
      await close()
    },
  }
}

async function codeWithin(
  server: CallbackServer,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  const over = new AbortController()
  const timeout = clock
    .sleep(BROWSER_LOGIN_TIMEOUT_MS, AbortSignal.any([signal, over.signal]))
    .then(() => {
      throw new CodexError(
        'login_timeout',
        'The login was not completed in the browser within 10 minutes.',
      )
    })
  timeout.catch(() => undefined)
  try {
    return await Promise.race([server.code, timeout])
  } finally {
    over.abort()
  }
}
