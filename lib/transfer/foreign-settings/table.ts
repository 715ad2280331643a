/** What becomes of something that opencode-codex-auth reads, whatever value it has. */
export type Becomes =
  /** A setting here; `values` are what it may be worth here, the best first: the first one that the setting takes counts. */
  | { readonly setting: string; readonly values: (theirs: unknown) => readonly unknown[] }
  /** It is so here without being set. */
  | { readonly always: string }
  /** It can be had, but not by a setting of this plugin. */
  | { readonly elsewhere: string }
  | { readonly unsupported: string }

/** A key of its configuration, by its path; `*` is any name, and what is below a key goes with it. */
export interface ForeignKey {
  readonly key: string
  /** Environment names that say the same there. */
  readonly env?: readonly string[]
  readonly becomes: Becomes
}

export interface ForeignName {
  readonly name: string
  readonly becomes: Becomes
  /** Others have it, too: by itself it does not tell of that plugin. */
  readonly isCommon?: true
}

/** All its environment names begin with this, but for those that are written in full. */
const ENV = 'OPENCODE_OPENAI_MULTI_'
const env = (...names: string[]): readonly string[] => names.map((name) => ENV + name)

const same = (theirs: unknown): readonly unknown[] => [theirs]
const opposite = (theirs: unknown): readonly unknown[] =>
  typeof theirs === 'boolean' ? [!theirs] : []
/** One of its words in place of another; other words are none of ours. */
const oneOf =
  (words: Readonly<Record<string, unknown>>) =>
  (theirs: unknown): readonly unknown[] =>
    Object.hasOwn(words, String(theirs)) ? [words[String(theirs)]] : []

const option = (name: string): Becomes => ({
  elsewhere: `In opencode.json: provider.openai.models.MODEL.options.${name}, or as options of an agent.`,
})
const trace = (wanted: readonly unknown[]): Becomes => ({
  setting: 'requestTrace',
  values: (theirs) => (theirs === true ? wanted : theirs === false ? ['off', false] : []),
})

/** Every key of `codex-config.jsonc`, of today's version and of those before (docs/development/facts/other-plugins.md). */
export const FOREIGN_KEYS: readonly ForeignKey[] = [
  { key: '$schema', becomes: { always: 'It names the schema for the editor and sets nothing.' } },
  {
    key: 'debug',
    env: [...env('DEBUG'), 'DEBUG_CODEX_PLUGIN', 'CODEX_AUTH_DEBUG'],
    becomes: {
      elsewhere: 'Start OpenCode with --log-level DEBUG; requestTrace records the requests.',
    },
  },
  {
    key: 'quiet',
    env: env('QUIET'),
    becomes: { setting: 'accountToasts', values: opposite },
  },
  {
    key: 'refreshAhead.enabled',
    env: env('PROACTIVE_REFRESH'),
    becomes: { setting: 'proactiveRefresh', values: same },
  },
  {
    key: 'refreshAhead.bufferMs',
    env: env('PROACTIVE_REFRESH_BUFFER_MS'),
    becomes: { setting: 'tokenRefreshSkewMs', values: same },
  },
  {
    key: 'runtime.mode',
    env: env('MODE', 'SPOOF_MODE'),
    becomes: { setting: 'codexIdentity', values: oneOf({ codex: true, native: false }) },
  },
  {
    key: 'runtime.rotationStrategy',
    env: env('ROTATION_STRATEGY'),
    becomes: {
      setting: 'rotationStrategy',
      values: oneOf({ sticky: 'sticky', hybrid: 'hybrid', round_robin: 'round-robin' }),
    },
  },
  {
    key: 'runtime.sanitizeInputs',
    env: env('COMPAT_INPUT_SANITIZER'),
    becomes: {
      always: 'Tool calls without results are repaired where the backend refuses them.',
    },
  },
  {
    key: 'runtime.developerMessagesToUser',
    env: env('REMAP_DEVELOPER_MESSAGES_TO_USER'),
    becomes: { unsupported: 'Messages go out in the role that OpenCode gave them.' },
  },
  {
    key: 'runtime.promptCacheKeyStrategy',
    env: env('PROMPT_CACHE_KEY_STRATEGY'),
    becomes: {
      unsupported: 'Each session has its own key: one for a whole project hits less often.',
    },
  },
  {
    key: 'runtime.codexCompactionOverride',
    env: env('CODEX_COMPACTION_OVERRIDE'),
    becomes: {
      setting: 'compactionPrompt',
      values: (theirs) => (theirs === true ? ['codex'] : theirs === false ? ['host'] : []),
    },
  },
  {
    key: 'runtime.shareableDebug',
    env: env('SHAREABLE_DEBUG'),
    becomes: { elsewhere: '{diag} writes what may be handed on, without names and secrets.' },
  },
  {
    key: 'runtime.headerSnapshots',
    env: env('HEADER_SNAPSHOTS'),
    becomes: trace(['snapshots', true]),
  },
  {
    key: 'runtime.headerSnapshotBodies',
    env: env('HEADER_SNAPSHOT_BODIES'),
    becomes: { setting: 'snapshotTexts', values: same },
  },
  {
    key: 'runtime.headerTransformDebug',
    env: env('HEADER_TRANSFORM_DEBUG'),
    becomes: trace(['records', true]),
  },
  {
    key: 'runtime.pidOffset',
    env: env('PID_OFFSET'),
    becomes: { setting: 'pidOffsetEnabled', values: same },
  },
  {
    key: 'runtime.ultra',
    env: env('ULTRA'),
    becomes: {
      unsupported: 'ultra is a mode of the Codex CLI; OpenCode offers the other efforts.',
    },
  },
  {
    key: 'runtime.ultraReasoningEffort',
    env: env('ULTRA_REASONING_EFFORT'),
    becomes: { always: 'A request that names ultra is sent with the effort the model has for it.' },
  },
  {
    key: 'runtime.collaborationProfile',
    env: env('COLLABORATION_PROFILE'),
    becomes: {
      setting: 'collaboration',
      values: (theirs) => (theirs === true ? ['codex'] : theirs === false ? ['off'] : []),
    },
  },
  {
    key: 'runtime.orchestratorSubagents',
    env: env('ORCHESTRATOR_SUBAGENTS'),
    becomes: { unsupported: 'The orchestrator comes and goes with collaboration as a whole.' },
  },
  {
    key: 'modelAliases.fast',
    becomes: { always: 'Fast forms are offered where an account’s list has them.' },
  },
  {
    key: 'modelAliases.extendedContext',
    becomes: { elsewhere: 'In opencode.json: provider.openai.models.MODEL.limit.' },
  },
  {
    key: 'modelAliases.pro',
    becomes: { elsewhere: 'In opencode.json: a model with options.reasoningMode "pro".' },
  },
  {
    key: 'global.personality',
    env: env('PERSONALITY'),
    becomes: { setting: 'personality', values: same },
  },
  { key: 'global.reasoningEffort', becomes: option('reasoningEffort') },
  { key: 'global.reasoningMode', becomes: option('reasoningMode') },
  { key: 'global.reasoningSummary', becomes: option('reasoningSummary') },
  {
    key: 'global.reasoningSummaries',
    env: env('REASONING_SUMMARIES'),
    becomes: option('reasoningSummary'),
  },
  {
    key: 'global.thinkingSummaries',
    env: env('THINKING_SUMMARIES'),
    becomes: option('reasoningSummary'),
  },
  { key: 'global.textVerbosity', env: env('TEXT_VERBOSITY'), becomes: option('textVerbosity') },
  { key: 'global.verbosity', env: env('VERBOSITY'), becomes: option('textVerbosity') },
  {
    key: 'global.verbosityEnabled',
    env: env('VERBOSITY_ENABLED'),
    becomes: option('textVerbosity'),
  },
  { key: 'global.serviceTier', env: env('SERVICE_TIER'), becomes: option('serviceTier') },
  { key: 'global.include', becomes: option('include') },
  { key: 'global.parallelToolCalls', becomes: option('parallelToolCalls') },
  {
    key: 'perModel.*.personality',
    becomes: {
      elsewhere: 'In the setting personality, by model: {"models": {"MODEL": "NAME"}}.',
    },
  },
  {
    key: 'perModel.*.variants',
    becomes: { elsewhere: 'In opencode.json: provider.openai.models.MODEL.variants.' },
  },
  {
    key: 'perModel.*',
    becomes: {
      elsewhere: 'In opencode.json: provider.openai.models.MODEL.options, with the same names.',
    },
  },
  {
    key: 'customModels.*',
    becomes: {
      elsewhere:
        'In opencode.json: provider.openai.models.NAME with id (its targetModel), name, options and variants.',
    },
  },
]

/** Environment names of it that no key stands for. */
export const FOREIGN_ENV: readonly ForeignName[] = [
  {
    name: `${ENV}CONFIG_PATH`,
    becomes: { always: '{import --from opencode-codex-auth} reads the file it names.' },
  },
  {
    name: 'CODEX_AUTH_DEBUG_MAX_BYTES',
    becomes: { always: 'Every file written here has a bound of its own.' },
  },
  {
    name: 'CODEX_OAUTH_CALLBACK_TIMEOUT_MS',
    becomes: { unsupported: 'The time a sign-in in the browser may take is fixed.' },
  },
  {
    name: 'CODEX_OAUTH_SERVER_SHUTDOWN_GRACE_MS',
    becomes: { unsupported: 'The page after a sign-in ends by itself.' },
  },
  {
    name: 'CODEX_OAUTH_SERVER_SHUTDOWN_ERROR_GRACE_MS',
    becomes: { unsupported: 'The page after a sign-in ends by itself.' },
  },
  {
    name: 'CODEX_OAUTH_HTTP_TIMEOUT_MS',
    becomes: { unsupported: 'How long the identity provider may take is fixed.' },
  },
  {
    name: 'CODEX_DEVICE_AUTH_TIMEOUT_MS',
    becomes: { unsupported: 'A device code is waited for as long as it is good.' },
  },
  {
    name: 'OPENCODE_NO_BROWSER',
    becomes: {
      elsewhere: 'Choose the method with a device code, or the one with a pasted address: {login}.',
    },
  },
  { name: 'NO_COLOR', becomes: { always: 'No colours are shown then.' }, isCommon: true },
  { name: 'CODEX_IN_VIVO', becomes: { always: 'It is a switch of that plugin’s own tests.' } },
]
