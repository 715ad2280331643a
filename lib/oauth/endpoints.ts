import { CodexError } from '../kernel/errors.js'

/** Where the identity provider and the backend live. */
export interface Endpoints {
  /** OAuth issuer, without a trailing slash. */
  readonly issuer: string
  /** ChatGPT backend, without a trailing slash: `…/codex/responses` and `…/wham/usage` hang below it. */
  readonly backend: string
  /** npm registry, without a trailing slash, never with a login; undefined where nobody may be asked. */
  readonly registry?: string | undefined
}

/** Public client id of the Codex CLI. */
export const CLIENT_ID = 'app_EMoamEEZ73f0CkXaXp7hrann'

export const DEFAULT_ENDPOINTS: Endpoints = {
  issuer: 'https://auth.openai.com',
  backend: 'https://chatgpt.com/backend-api',
  registry: 'https://registry.npmjs.org',
}

/** Environment names that point the plugin at the simulator. Loopback only: a login must never leave for elsewhere. */
export const ISSUER_ENV = 'OC_CODEX_SIMULATOR_ISSUER'
export const BACKEND_ENV = 'OC_CODEX_SIMULATOR_BACKEND'
const REGISTRY_ENV = 'OC_CODEX_SIMULATOR_REGISTRY'

/**
 * The endpoints in force.
 * @throws CodexError `destination_refused` when an override names anything but a literal loopback address
 */
export function resolveEndpoints(env: NodeJS.ProcessEnv): Endpoints {
  const backend = override(env, BACKEND_ENV)
  return {
    issuer: override(env, ISSUER_ENV) ?? DEFAULT_ENDPOINTS.issuer,
    backend: backend ?? DEFAULT_ENDPOINTS.backend,
    // Who is simulated has no business outside.
    registry:
      override(env, REGISTRY_ENV) ??
      (backend === undefined ? DEFAULT_ENDPOINTS.registry : undefined),
  }
}

function override(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name]?.trim()
  if (value === undefined || value === '') return undefined
  if (!isLoopbackUrl(value)) {
    throw new CodexError(
      'destination_refused',
      `${name} must be an http URL on 127.0.0.1 or [::1].`,
    )
  }
  return value.replace(/\/+$/, '')
}

/** True for `http://127.0.0.1:…` and `http://[::1]:…` without credentials; names such as `localhost` do not count. */
function isLoopbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  const loopback = url.hostname === '127.0.0.1' || url.hostname === '[::1]'
  return url.protocol === 'http:' && loopback && url.username === '' && url.password === ''
}
