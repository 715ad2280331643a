import { createHash } from 'node:crypto'

/**
 * Plans the backend knows (docs/development/facts/codex-backend.md#plans); a model names the few
 * that lack it or that have it beside them.
 */
const PLANS: readonly string[] = [
  'business',
  'edu',
  'edu_plus',
  'edu_pro',
  'education',
  'ent26',
  'enterprise',
  'enterprise_cbp_automation',
  'enterprise_cbp_trial',
  'enterprise_cbp_usage_based',
  'finserv',
  'free',
  'free_workspace',
  'go',
  'hc',
  'k12',
  'plus',
  'pro',
  'prolite',
  'promax',
  'quorum',
  'sci',
  'self_serve_business_prolite',
  'self_serve_business_usage_based',
  'team',
]

const EFFORTS: Readonly<Record<string, string>> = {
  low: 'Fast responses with lighter reasoning',
  medium: 'Balances speed and reasoning depth for everyday tasks',
  high: 'Greater reasoning depth for complex problems',
  xhigh: 'Extra high reasoning depth for complex problems',
  max: 'Maximum reasoning depth for the hardest problems',
  ultra: 'Maximum reasoning with automatic task delegation',
}
const LADDER = Object.keys(EFFORTS)

interface Model {
  readonly slug: string
  readonly displayName: string
  readonly description: string
  readonly priority: number
  readonly effort: 'low' | 'medium'
  readonly topEffort: 'xhigh' | 'max' | 'ultra'
  readonly client: string
  /** Thousands of tokens. */
  readonly context?: number
  readonly maxContext?: number
  readonly hidden?: true
  readonly verbosity?: 'high'
  readonly lite?: false
  readonly compHash?: string
  readonly tier?: false | 'default'
  readonly multiAgentEffort?: 'xhigh'
  readonly without?: readonly string[]
  readonly also?: readonly string[]
}

/**
 * The catalogue bundled with Codex CLI 0.169.0 (docs/development/facts/codex-backend.md#models).
 */
const MODELS: readonly Model[] = [
  {
    slug: 'gpt-6.1-sol',
    displayName: 'GPT-6.1-Sol',
    description: 'Latest workhorse model for coding and everyday work.',
    priority: 1,
    effort: 'low',
    topEffort: 'ultra',
    client: '0.153.0',
    multiAgentEffort: 'xhigh',
    also: ['law'],
  },
  {
    slug: 'gpt-6-astra',
    displayName: 'GPT-6-Astra',
    description: 'Frontier intelligence for the most demanding work.',
    priority: 2,
    effort: 'low',
    topEffort: 'ultra',
    client: '0.153.0',
    multiAgentEffort: 'xhigh',
  },
  {
    slug: 'gpt-6-sol',
    displayName: 'GPT-6-Sol',
    description: 'Previous generation workhorse model.',
    priority: 3,
    effort: 'medium',
    topEffort: 'ultra',
    client: '0.155.0',
    tier: 'default',
    without: ['promax'],
  },
  {
    slug: 'gpt-6-luna',
    displayName: 'GPT-6-Luna',
    description: 'Fast and affordable model for easier tasks.',
    priority: 4,
    effort: 'medium',
    topEffort: 'max',
    client: '0.155.0',
    tier: 'default',
    without: ['promax'],
  },
  {
    slug: 'gpt-5.6-sol',
    displayName: 'GPT-5.6-Sol',
    description: 'Older generation workhorse model.',
    priority: 5,
    effort: 'low',
    topEffort: 'ultra',
    client: '0.144.0',
  },
  {
    slug: 'gpt-6.1-terra',
    displayName: 'GPT-6.1 Terra',
    description: 'GPT-6.1 Terra Codex model.',
    priority: 7,
    effort: 'low',
    topEffort: 'ultra',
    client: '0.153.0',
    context: 500,
    multiAgentEffort: 'xhigh',
    also: ['hc_consumption', 'law'],
  },
  {
    slug: 'gpt-5.6-terra',
    displayName: 'GPT-5.6-Terra',
    description: 'Older balanced model for straightforward work.',
    priority: 8,
    effort: 'medium',
    topEffort: 'ultra',
    client: '0.144.0',
  },
  {
    slug: 'gpt-5.6-luna',
    displayName: 'GPT-5.6-Luna',
    description: 'Older fast and efficient model.',
    priority: 9,
    effort: 'medium',
    topEffort: 'max',
    client: '0.144.0',
  },
  {
    slug: 'gpt-daybreak-blue-latest',
    displayName: 'Daybreak Blue',
    description: 'Latest frontier agentic coding model for broad defensive cybersecurity work.',
    priority: 11,
    effort: 'low',
    topEffort: 'ultra',
    client: '0.142.2',
    hidden: true,
    tier: false,
    without: ['ent26', 'enterprise_cbp_trial', 'promax'],
  },
  {
    slug: 'gpt-daybreak-red-latest',
    displayName: 'Daybreak Red',
    description:
      'Cyber-permissive variant of our latest frontier agentic coding model for advanced, authorized cybersecurity research.',
    priority: 12,
    effort: 'medium',
    topEffort: 'ultra',
    client: '0.142.2',
    context: 372,
    maxContext: 372,
    hidden: true,
    verbosity: 'high',
    tier: false,
    without: ['ent26', 'enterprise_cbp_trial', 'promax'],
  },
  {
    slug: 'gpt-5.5',
    displayName: 'GPT-5.5',
    description: 'Legacy coding model.',
    priority: 13,
    effort: 'medium',
    topEffort: 'xhigh',
    client: '0.124.0',
    maxContext: 272,
    lite: false,
    compHash: '2911',
  },
  {
    slug: 'codex-auto-review',
    displayName: 'Codex Auto Review',
    description: 'Automatic approval review model for Codex.',
    priority: 43,
    effort: 'medium',
    topEffort: 'max',
    client: '0.98.0',
    hidden: true,
    without: ['free', 'free_workspace', 'k12'],
  },
]

/** What the model list of an account depends on. */
export interface Subscriber {
  readonly plan: string
  readonly models: readonly string[] | undefined
  /** Families of the account; their models are allowed too. */
  readonly families: readonly { readonly models: readonly string[] }[]
}

/** Slugs the account may use: those of its plan (or its own list) and those of its extra limit families. */
function allowedSlugs(subscriber: Subscriber): string[] {
  const own =
    subscriber.models ??
    MODELS.filter((model) => plansOf(model).includes(subscriber.plan)).map(({ slug }) => slug)
  return [...new Set([...own, ...subscriber.families.flatMap(({ models }) => models)])]
}

/** True when the account may use the model. */
export function mayUse(subscriber: Subscriber, slug: string): boolean {
  if (subscriber.models === undefined) {
    const model = MODELS.find((candidate) => candidate.slug === slug)
    if (model && plansOf(model).includes(subscriber.plan)) return true
  }
  return allowedSlugs(subscriber).includes(slug)
}

/** Who asks for the list: a model that needs a newer client is not in it. */
interface AskingClient {
  /** As it named itself; undefined sees every model. */
  readonly version: string | undefined
  readonly minimalClients: Readonly<Record<string, string>>
}

/** The answer of `GET /codex/models` for an account, and its ETag. */
export function modelList(
  subscriber: Subscriber,
  client?: AskingClient,
): { body: string; etag: string } {
  const models = allowedSlugs(subscriber)
    .map((slug) => MODELS.find((model) => model.slug === slug) ?? unlisted(slug))
    .map((model) => ({ ...model, client: client?.minimalClients[model.slug] ?? model.client }))
    .filter((model) => client?.version === undefined || !isOlder(client.version, model.client))
    .sort((a, b) => a.priority - b.priority)
  const body = JSON.stringify({ models: models.map(modelInfo) })
  return { body, etag: `W/"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"` }
}

function isOlder(version: string, minimal: string): boolean {
  return version.localeCompare(minimal, 'en', { numeric: true }) < 0
}

/** A slug given to an account by hand, with the plainest facts. */
function unlisted(slug: string): Model {
  return {
    slug,
    displayName: slug,
    description: `Simulated model ${slug}.`,
    priority: 90,
    effort: 'medium',
    topEffort: 'xhigh',
    client: '0.98.0',
    maxContext: 272,
    lite: false,
    tier: false,
  }
}

function plansOf(model: Model): readonly string[] {
  if (!model.without && !model.also) return PLANS
  return [...PLANS.filter((plan) => !model.without?.includes(plan)), ...(model.also ?? [])]
}

/**
 * Every member a client needs to accept the list, and those it reads
 * (docs/development/facts/codex-backend.md#models).
 */
function modelInfo(model: Model): Record<string, unknown> {
  const lite = model.lite ?? true
  const tiered = model.tier !== false
  return {
    slug: model.slug,
    display_name: model.displayName,
    description: model.description,
    default_reasoning_level: model.effort,
    supported_reasoning_levels: LADDER.slice(0, LADDER.indexOf(model.topEffort) + 1).map(
      (effort) => ({
        effort,
        description: EFFORTS[effort],
      }),
    ),
    shell_type: 'shell_command',
    visibility: model.hidden ? 'hide' : 'list',
    supported_in_api: true,
    minimal_client_version: model.client,
    priority: model.priority,
    upgrade: null,
    availability_nux: null,
    available_in_plans: plansOf(model),
    context_window: (model.context ?? 272) * 1_000,
    max_context_window: (model.maxContext ?? 872) * 1_000,
    auto_compact_token_limit: null,
    comp_hash: model.compHash ?? '3000',
    truncation_policy: { mode: 'tokens', limit: 10_000 },
    input_modalities: ['text', 'image'],
    support_verbosity: true,
    default_verbosity: model.verbosity ?? 'low',
    supports_reasoning_summaries: true,
    supports_reasoning_summary_parameter: true,
    default_reasoning_summary: 'none',
    supports_parallel_tool_calls: true,
    apply_patch_tool_type: 'freeform',
    web_search_tool_type: 'text_and_image',
    supports_search_tool: true,
    supports_image_detail_original: true,
    tool_mode: lite ? 'code_mode_only' : null,
    multi_agent_version: lite ? 'v2' : null,
    multi_agent_reasoning_effort: model.multiAgentEffort ?? null,
    use_responses_lite: lite,
    prefer_websockets: true,
    service_tiers: tiered
      ? [{ id: 'priority', name: 'Fast', description: '1.5x speed, increased usage' }]
      : [],
    additional_speed_tiers: tiered ? ['fast'] : [],
    default_service_tier: model.tier === 'default' ? 'priority' : null,
    experimental_supported_tools: [],
    model_messages: {
      instructions_template: `You are ${model.displayName}, a coding agent of the simulated backend.`,
      instructions_variables: lite
        ? null
        : {
            personality_default: '',
            personality_friendly: 'You are warm and patient, and you say what went well.',
            personality_pragmatic:
              'You are short and direct, and you leave out what is not asked for.',
          },
    },
  }
}
