import type { AuthHook, PluginInput } from '@opencode-ai/plugin'

import type { Core } from '../core.js'
import { createHostPort } from '../host-client.js'
import type { Paths } from '../kernel/files/paths.js'
import type { Lazy } from '../kernel/lazily.js'
import { packageVersion } from '../kernel/version.js'
import { MANAGED_AUTH, MANAGED_MARKER } from '../login/managed-entry.js'
import {
  ENDPOINT_LABEL,
  type LoginMethodInfo,
  loginMethods,
  MANAGE_LABEL,
} from '../login/method-list.js'
import { problemOfBaseUrl } from '../oauth/base-url-rules.js'
import { hasAccounts, hasAccountsNow } from './accounts-file.js'

/** Shown to the SDK, which insists on a key; the account's own token takes its place on the way out. */
const PLACEHOLDER_KEY = 'oc-codex-multi-auth'

/** How long after the loader the core is fetched when no request has asked for it yet. */
const PREFETCH_DELAY_MS = 50

/** Name of the prompt for the endpoint; the host stores its answer beside the key. */
const ENDPOINT_INPUT = 'codexBaseUrl'

const endpointMethod: AuthHook['methods'][number] = {
  type: 'api',
  label: ENDPOINT_LABEL,
  prompts: [
    {
      type: 'text',
      key: ENDPOINT_INPUT,
      message: 'Base URL of the endpoint',
      placeholder: 'https://codex.example.com',
      validate(value) {
        const why = problemOfBaseUrl(value)
        return why === undefined ? undefined : `The address ${why}`
      },
    },
  ],
}

interface AuthDeps {
  readonly client: PluginInput['client']
  readonly paths: Paths
  readonly core: Lazy<Core>
}

/** The methods of signing in, and the `fetch` that takes over the provider. */
export function createAuthHook(deps: AuthDeps): AuthHook {
  const { client, paths, core } = deps
  const served = {
    apiKey: PLACEHOLDER_KEY,
    /** The host's time runs from its call on, also while the core is loaded. */
    fetch: async (url: RequestInfo | URL, init?: RequestInit) => {
      const arrivedAt = performance.now()
      return (core.ready() ?? (await core())).fetch(url, init, arrivedAt)
    },
  }
  return {
    provider: 'openai',
    /** Asked for when the host lists them: a start with no login costs no look at the accounts. */
    get methods() {
      const manage = hasAccountsNow(paths.accountsFile)
        ? [methodHook({ id: 'manage', label: MANAGE_LABEL }, core)]
        : []
      return [
        ...loginMethods(process.env).map((info) => methodHook(info, core)),
        endpointMethod,
        ...manage,
      ]
    },
    async loader(getAuth) {
      const stored = await getAuth().catch(() => undefined)
      if (stored?.type === 'api') return takeOverKey(deps, stored, served)
      const isManaged = stored?.type === 'oauth' && stored.refresh === MANAGED_MARKER
      // A login of the host's own stays in charge until there is an account of ours.
      if (!isManaged && !(await hasAccounts(paths.accountsFile))) return {}
      core.prefetch(PREFETCH_DELAY_MS)
      if (process.env.OC_CODEX_SELF_TEST === '1')
        createHostPort(client).log('info', `oc-codex-multi-auth ${packageVersion()} serves openai`)
      return served
    },
  }
}

/**
 * A key that was entered with an endpoint moves into our pool, and the mark takes its place, so that it lies in one file.
 * Any other key is the host's own affair: it goes to the public API without us.
 */
async function takeOverKey(
  { client, core }: AuthDeps,
  stored: { readonly key: string; readonly metadata?: Readonly<Record<string, string>> },
  served: { readonly apiKey: string; readonly fetch: typeof globalThis.fetch },
): Promise<Record<string, unknown>> {
  const baseUrl = stored.metadata?.[ENDPOINT_INPUT]
  if (baseUrl === undefined || baseUrl === '') return {}
  const take = async (): Promise<void> => {
    const [{ saveApiKey }, { runtime }] = await Promise.all([import('../core.js'), core()])
    await saveApiKey(runtime, { apiKey: stored.key, baseUrl }, 'the login')
    await client.auth.set({ path: { id: 'openai' }, body: MANAGED_AUTH }).catch(() => undefined)
  }
  let isTaken = await take().then(
    () => true,
    () => false,
  )
  if (isTaken) return served
  // A loader that throws takes every provider from the host, and without us the key would go to the public API: tried again
  // by each request, which says why it does not work.
  const fetch: typeof globalThis.fetch = async (url, init) => {
    try {
      if (!isTaken) await take()
      isTaken = true
    } catch (error) {
      return (await import('../core.js')).errorAnswer(error)
    }
    return served.fetch(url, init)
  }
  return { ...served, fetch }
}

function methodHook(
  info: { readonly id: LoginMethodInfo['id'] | 'manage'; readonly label: string },
  core: Lazy<Core>,
): AuthHook['methods'][number] {
  return {
    type: 'oauth',
    label: info.label,
    authorize: async () => (await core()).login.authorize(info.id),
  }
}
