import type { AuthHook, PluginInput } from '@opencode-ai/plugin'

import type { Core } from '../core.js'
import type { Paths } from '../kernel/files/paths.js'
import type { Lazy } from '../kernel/lazy.js'
import type { Place } from '../kernel/text/command-words.js'
import { packageVersion } from '../kernel/version.js'
import { MANAGED_MARKER } from '../login/managed-entry.js'
import {
  ENDPOINT_LABEL,
  type LoginMethodInfo,
  loginMethods,
  MANAGE_LABEL,
  surroundingsOf,
} from '../login/method-list.js'
import { problemOfBaseUrl } from '../oauth/base-url-rules.js'
import { hasAccounts, hasAccountsNow, markAsManaged } from './login-state.js'

/** Shown to the SDK, which insists on a key; the request path puts the account's own token in its place. */
const PLACEHOLDER_KEY = 'oc-codex-multi-auth'

/** How long after the loader the core is fetched when no request has asked for it yet. */
const PREFETCH_DELAY_MS = 50

/** Name of the prompt for the endpoint; the host stores its answer beside the key (docs/development/facts/opencode-host.md#login-methods). */
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

/** What the SDK of the provider is built with. */
interface ProviderOptions {
  readonly apiKey: string
  readonly fetch: (url: RequestInfo | URL, init?: RequestInit) => Promise<Response>
}

/** A key as the host stores it, with the answers to the prompts of its method. */
interface StoredKey {
  readonly key: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** The login methods of the provider openai, and what its requests go through. */
export function authHook(
  { client }: PluginInput,
  { accountsFile }: Pick<Paths, 'accountsFile'>,
  core: Lazy<Core>,
): AuthHook {
  const options: ProviderOptions = {
    apiKey: PLACEHOLDER_KEY,
    /** The host's time runs from its call on, also while the core is loaded. */
    fetch: async (url, init) => {
      const arrivedAt = performance.now()
      return (core.ready() ?? (await core())).fetch(url, init, arrivedAt)
    },
  }
  return {
    provider: 'openai',
    /** Asked for when the host lists them: a start with no login costs no look at the accounts. */
    get methods() {
      const manage = { id: 'manage' as const, label: MANAGE_LABEL }
      return [
        ...loginMethods(surroundingsOf(process.env)).map((info) => methodHook(info, core)),
        endpointMethod,
        ...(hasAccountsNow(accountsFile) ? [methodHook(manage, core)] : []),
      ]
    },
    async loader(getAuth) {
      const stored = await getAuth().catch(() => undefined)
      if (stored?.type === 'api') return { ...(await takeOverKey(stored, client, core, options)) }
      const isManaged = stored?.type === 'oauth' && stored.refresh === MANAGED_MARKER
      // A login of the host’s own stays in charge until there is an account of ours
      // (docs/development/facts/opencode-host.md#conflicts-between-plugins).
      if (!isManaged && !(await hasAccounts(accountsFile))) return {}
      core.prefetch(PREFETCH_DELAY_MS)
      if (process.env.OC_CODEX_SELF_TEST === '1') await tellTheDoctor()
      return { ...options }
    },
  }
}

/** Straight to the pipe of the doctor, who started this host: what goes through the host's log is lost when the host ends first. */
async function tellTheDoctor(): Promise<void> {
  try {
    const { writeSync } = await import('node:fs')
    writeSync(process.stderr.fd, `oc-codex-multi-auth ${packageVersion()} serves openai\n`)
  } catch {
    // Nobody reads; the doctor says what it did not see.
  }
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

/**
 * A key that was entered with an endpoint moves into our pool, and the mark takes its place, so that it lies in one file.
 * Any other key is the host's own affair: it goes to the public API without us.
 */
async function takeOverKey(
  stored: StoredKey,
  client: PluginInput['client'],
  core: Lazy<Core>,
  options: ProviderOptions,
): Promise<Partial<ProviderOptions>> {
  const baseUrl = stored.metadata?.[ENDPOINT_INPUT]
  if (baseUrl === undefined || baseUrl === '') return {}
  let place: Place = 'terminal'
  const take = async (): Promise<void> => {
    const [{ saveApiKey }, { runtime }] = await Promise.all([import('../core-late.js'), core()])
    place = runtime.place()
    await saveApiKey(runtime, { apiKey: stored.key, baseUrl }, 'the login')
    await markAsManaged(client).catch(() => undefined)
  }
  let isTaken = await take().then(
    () => true,
    () => false,
  )
  if (isTaken) return options
  // A loader that throws takes every provider from the host, and without us the key would go to the public API: tried again
  // by each request, which says why it does not work.
  const fetch: ProviderOptions['fetch'] = async (url, init) => {
    try {
      if (!isTaken) await take()
      isTaken = true
    } catch (error) {
      return (await import('../core-late.js')).errorAnswer(error, place)
    }
    return options.fetch(url, init)
  }
  return { ...options, fetch }
}
