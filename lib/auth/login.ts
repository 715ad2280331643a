import type { Clock } from '../kernel/clock.js'
import { abortReason } from '../kernel/clock.js'
import { CodexError } from '../kernel/errors.js'
import { type CallbackServer, startCallbackServer } from './callback-server.js'
import type { LoginTokens, OAuth } from './oauth.js'
import { codeFromPaste } from './paste-login.js'
import { createPkce, createState } from './pkce.js'

/** Nobody who means to sign in needs longer than this in a browser, ms. */
export const BROWSER_LOGIN_TIMEOUT_MS = 10 * 60_000
/** Lifetime of a device code (wire facts §6), ms. */
export const DEVICE_LOGIN_TIMEOUT_MS = 15 * 60_000
/** The redirect the login server sends pasted logins to; nothing needs to listen there. */
export const PASTE_REDIRECT_URI = 'http://localhost:1455/auth/callback'

/** A login on its way: show `url` (and `userCode`), then wait. */
export interface PendingLogin {
  readonly url: string
  readonly userCode?: string
  /**
   * Waits for the user.
   * @throws CodexError `oauth_failed`, `login_timeout`, `login_cancelled`
   */
  wait(): Promise<LoginTokens>
  /** Gives up; `wait` rejects and nothing listens any more. */
  cancel(): Promise<void>
}

/** A login that waits for something pasted. */
export interface PendingPaste {
  readonly url: string
  /** @throws CodexError `oauth_failed` */
  finish(pasted: string): Promise<LoginTokens>
}

export interface LoginDeps {
  readonly oauth: OAuth
  readonly clock: Clock
  readonly signal?: AbortSignal
}

/**
 * Begins a login in the browser (authorization code, PKCE, redirect to this machine).
 * @throws CodexError `callback_port_busy`
 */
export async function beginBrowserLogin(deps: LoginDeps): Promise<PendingLogin> {
  const { oauth, clock } = deps
  const pkce = createPkce()
  const state = createState()
  const server = await startCallbackServer({ state })
  const { redirectUri } = server
  return pending(deps, {
    url: oauth.authorizeUrl({ redirectUri, state, challenge: pkce.challenge }),
    close: () => server.close(),
    run: async (signal) => {
      const code = await firstOf(server, clock, signal)
      return oauth.exchangeCode({ code, verifier: pkce.verifier, redirectUri }, signal)
    },
  })
}

/** Begins a login with a code typed in on another device. @throws CodexError `oauth_failed` */
export async function beginDeviceLogin(deps: LoginDeps): Promise<PendingLogin> {
  const { oauth, clock } = deps
  const start = await oauth.startDevice(deps.signal)
  return {
    ...pending(deps, {
      url: start.url,
      close: async () => undefined,
      run: async (signal) => {
        // Pauses and answers are added up: the clock of the machine may jump while the user is away.
        let spentMs = 0
        let last = ''
        while (spentMs < DEVICE_LOGIN_TIMEOUT_MS) {
          await clock.sleep(start.intervalMs, signal)
          const askedAt = performance.now()
          const answer = await oauth.askDevice(start, signal)
          if (answer.kind === 'granted')
            return oauth.exchangeCode(
              { ...answer.grant, redirectUri: oauth.deviceRedirectUri },
              signal,
            )
          last = answer.kind === 'unheard' ? ` ${answer.why} when it was asked last.` : ''
          spentMs += start.intervalMs + performance.now() - askedAt
        }
        throw new CodexError(
          'login_timeout',
          `The device code was not used within 15 minutes.${last}`,
        )
      },
    }),
    userCode: start.userCode,
  }
}

/** Begins a login whose last address is pasted by hand. */
export function beginPasteLogin({ oauth, signal }: LoginDeps): PendingPaste {
  const pkce = createPkce()
  const state = createState()
  return {
    url: oauth.authorizeUrl({ redirectUri: PASTE_REDIRECT_URI, state, challenge: pkce.challenge }),
    finish: async (pasted) =>
      oauth.exchangeCode(
        {
          code: codeFromPaste(pasted, state),
          verifier: pkce.verifier,
          redirectUri: PASTE_REDIRECT_URI,
        },
        signal,
      ),
  }
}

function pending(
  deps: LoginDeps,
  flow: {
    readonly url: string
    close(): Promise<void>
    run(signal: AbortSignal): Promise<LoginTokens>
  },
): PendingLogin {
  const abort = new AbortController()
  const signal =
    deps.signal === undefined ? abort.signal : AbortSignal.any([deps.signal, abort.signal])
  let result: Promise<LoginTokens> | undefined
  return {
    url: flow.url,
    wait() {
      result ??= flow
        .run(signal)
        .catch((error: unknown) => {
          throw signal.aborted
            ? new CodexError('login_cancelled', 'The login was cancelled.')
            : error
        })
        .finally(() => flow.close())
      return result
    },
    async cancel() {
      abort.abort()
      await flow.close()
    },
  }
}

async function firstOf(server: CallbackServer, clock: Clock, signal: AbortSignal): Promise<string> {
  const over = new AbortController()
  const timeout = clock
    .sleep(BROWSER_LOGIN_TIMEOUT_MS, AbortSignal.any([signal, over.signal]))
    .then(
      () => {
        throw new CodexError(
          'login_timeout',
          'Nobody finished the login in the browser within 10 minutes.',
        )
      },
      () => {
        throw signal.aborted
          ? abortReason(signal)
          : new CodexError('login_cancelled', 'The login was cancelled.')
      },
    )
  timeout.catch(() => undefined)
  try {
    return await Promise.race([server.code, timeout])
  } finally {
    over.abort()
  }
}
