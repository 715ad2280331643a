import * as s from '../kernel/shape.js'
import { LEARNED } from '../models/client-version.js'
import { PERSONALITY_SETTINGS } from './personality-value.js'
import {
  ANY,
  downTo,
  FEWER_ACCOUNTS,
  never,
  ONLY_FALSE,
  ONLY_HIGHER,
  ONLY_LOWER,
  ONLY_LOWER_NUMBERS,
  ONLY_STRICT_MODES,
  ONLY_TRUE,
  type Setting,
  setting,
  toggle,
  wordsOnceToggle,
} from './setting.js'
import { TURN_SETTINGS } from './turn-settings.js'

const milliseconds = (min: number, max = 86_400_000) => s.number({ min, max })
const count = (maximum: number): s.Shape<number> => s.int({ min: 0, max: maximum })
const modelLists = s.record(s.array(s.string()))

/**
 * Every setting, once. The loader, the `Config` type, `config/codex-plugin.schema.json` and the table in
 * `docs/configuration.md` come from here. Names and ranges are those of the earlier plugin of this name where it had the setting.
 */
export const SETTINGS = {
  // Choice of account
  rotationStrategy: setting({
    schema: s.oneOf(['hybrid', 'sticky', 'round-robin', 'drain-first']),
    default: 'hybrid',
    env: 'CODEX_AUTH_ROTATION_STRATEGY',
    help: 'How an account is chosen for a new session; a session then stays on its account until that account cannot serve.',
    project: ANY,
  }),
  pidOffsetEnabled: toggle({
    default: false,
    env: 'CODEX_AUTH_PID_OFFSET_ENABLED',
    help: 'Spread new sessions of several processes over equally good accounts.',
    project: ANY,
  }),
  perProjectAccounts: toggle({
    default: true,
    env: 'CODEX_AUTH_PER_PROJECT_ACCOUNTS',
    help: 'Use the account pool of the current project where one exists; otherwise the global pool serves.',
    project: ONLY_TRUE,
  }),
  modelAccountPools: setting({
    schema: modelLists,
    default: {},
    help: 'Accounts that may or should serve a model: model id to a list of account keys.',
    project: FEWER_ACCOUNTS,
  }),
  modelAccountPoolModes: setting({
    schema: s.record(s.oneOf(['preferred', 'strict'])),
    default: {},
    help: 'preferred: other accounts may help out; strict: nobody else serves the model.',
    project: ONLY_STRICT_MODES,
  }),
  creditsPolicy: setting({
    schema: s.oneOf(['never', 'ask', 'allow']),
    default: 'never',
    env: 'CODEX_AUTH_CREDITS_POLICY',
    help: 'Whether an account with an exhausted window may continue on paid credits. ask: not until you allow it in the configuration; the message of a blocked request mentions them.',
    project: downTo('never', 'ask', 'allow'),
  }),

  // Waiting and retrying
  retryProfile: setting({
    schema: s.oneOf(['conservative', 'balanced', 'aggressive']),
    default: 'balanced',
    env: 'CODEX_AUTH_RETRY_PROFILE',
    help: 'Retry budget of one request, per class of failure.',
    project: downTo('conservative', 'balanced', 'aggressive'),
  }),
  retryBudgetOverrides: setting({
    schema: s.strictObject({
      authRefresh: count(100).optional(),
      network: count(100).optional(),
      server: count(100).optional(),
      rateLimitShort: count(100).optional(),
      rateLimitGlobal: count(100).optional(),
      emptyResponse: count(100).optional(),
    }),
    default: {},
    help: 'Replaces single numbers of the retry profile.',
    project: ONLY_LOWER_NUMBERS,
  }),
  retryAllAccountsRateLimited: toggle({
    default: true,
    env: 'CODEX_AUTH_RETRY_ALL_RATE_LIMITED',
    help: 'When every account is blocked, wait for the first to come free, if that is soon enough.',
    project: ONLY_FALSE,
  }),
  retryAllAccountsMaxWaitMs: setting({
    schema: milliseconds(0, 280_000),
    default: 30_000,
    env: 'CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS',
    help: 'Longest wait for a blocked pool, in ms; 0 never waits. A request never takes longer than 285 s until its answer begins, because OpenCode gives up after 300 s.',
    project: ONLY_LOWER,
  }),
  retryAllAccountsMaxRetries: setting({
    schema: s.number({ min: 0 }),
    default: 3,
    env: 'CODEX_AUTH_RETRY_ALL_MAX_RETRIES',
    help: 'How often one request may wait for a blocked pool.',
    project: ONLY_LOWER,
  }),
  emptyResponseMaxRetries: setting({
    schema: count(20),
    default: 2,
    env: 'CODEX_AUTH_EMPTY_RESPONSE_MAX_RETRIES',
    help: 'How often an empty answer is retried.',
    project: ONLY_LOWER,
  }),
  emptyResponseRetryDelayMs: setting({
    schema: milliseconds(0, 60_000),
    default: 1000,
    env: 'CODEX_AUTH_EMPTY_RESPONSE_RETRY_DELAY_MS',
    help: 'Pause before retrying an empty answer, in ms.',
    project: ONLY_HIGHER,
  }),
  beginnerSafeMode: toggle({
    default: false,
    env: 'CODEX_AUTH_BEGINNER_SAFE_MODE',
    help: 'Conservative retries, no overrides, no waiting for a blocked pool.',
    project: ONLY_TRUE,
  }),
  unsupportedCodexPolicy: setting({
    schema: s.oneOf(['strict', 'fallback']),
    default: 'strict',
    env: 'CODEX_AUTH_UNSUPPORTED_MODEL_POLICY',
    help: 'What to do when no account may use the model: say so, or try the fallback chain.',
    project: downTo('strict', 'fallback'),
  }),
  unsupportedCodexFallbackChain: setting({
    schema: modelLists,
    default: {},
    help: 'Fallback models per model, tried in order; replaces the built-in chain of that model.',
  }),

  // Clocks
  tokenRefreshSkewMs: setting({
    schema: milliseconds(0, 3_600_000),
    default: 300_000,
    env: 'CODEX_AUTH_TOKEN_REFRESH_SKEW_MS',
    help: 'An access token that ends within this time is refreshed before use, in ms.',
  }),
  fetchTimeoutMs: setting({
    schema: milliseconds(1000, 290_000),
    default: 60_000,
    env: 'CODEX_AUTH_FETCH_TIMEOUT_MS',
    help: 'Longest wait for the headers of an answer, in ms; less where less of the 285 s of a request is left.',
  }),
  streamStallTimeoutMs: setting({
    schema: milliseconds(0, 290_000),
    default: 240_000,
    env: 'CODEX_AUTH_STREAM_STALL_TIMEOUT_MS',
    help: 'Longest silence inside a stream, in ms; 0 leaves it to OpenCode (300 s).',
  }),
  proactiveRefresh: toggle({
    default: false,
    env: 'CODEX_AUTH_PROACTIVE_REFRESH',
    help: 'Refresh the tokens of accounts in use ahead of time, in the background. Idle accounts are never touched.',
    project: ONLY_FALSE,
  }),

  // Shape of requests
  requestTransformMode: setting({
    schema: s.oneOf(['native', 'legacy']),
    default: 'native',
    env: 'CODEX_AUTH_REQUEST_TRANSFORM_MODE',
    help: 'native: the request of OpenCode goes out as it is; legacy: requests of old hosts and other SDKs are rebuilt and repaired first.',
  }),
  codexMode: toggle({
    default: true,
    env: 'CODEX_MODE',
    help: 'Legacy mode only: tell the model which tools it has.',
    project: ANY,
  }),
  fastSession: toggle({
    default: false,
    env: 'CODEX_AUTH_FAST_SESSION',
    help: 'Legacy mode only: send only the end of long conversations, with the least reasoning unless the request names an effort. The model forgets what is left out.',
    project: ONLY_FALSE,
  }),
  fastSessionStrategy: setting({
    schema: s.oneOf(['hybrid', 'always']),
    default: 'hybrid',
    env: 'CODEX_AUTH_FAST_SESSION_STRATEGY',
    help: 'hybrid: not while tools are in use or the prompts have structure (code, lists, tables).',
    project: downTo('hybrid', 'always'),
  }),
  fastSessionMaxInputItems: setting({
    schema: s.int({ min: 8, max: 200 }),
    default: 30,
    env: 'CODEX_AUTH_FAST_SESSION_MAX_INPUT_ITEMS',
    help: 'Items of the conversation a fast session sends; more where a tool call would lose its result.',
    project: ONLY_HIGHER,
  }),
  responsesLite: setting({
    schema: s.oneOf(['off', 'auto']),
    default: 'off',
    env: 'CODEX_AUTH_RESPONSES_LITE',
    help: 'auto: models the Codex CLI serves in the Responses Lite shape get that shape; ChatGPT accounts only.',
    project: downTo('off', 'auto'),
  }),
  transport: setting({
    schema: s.oneOf(['http', 'auto']),
    default: 'http',
    env: 'CODEX_AUTH_TRANSPORT',
    help: 'auto: ChatGPT accounts are asked over a WebSocket that stays open for the session and takes only what is new; HTTP where that cannot be. http: always HTTP.',
    project: downTo('http', 'auto'),
  }),
  requestCompression: setting({
    schema: s.oneOf(['off', 'auto']),
    default: 'off',
    env: 'CODEX_AUTH_REQUEST_COMPRESSION',
    help: 'auto: requests of ChatGPT accounts by HTTP from 32 kB on are compressed (zstd).',
    project: downTo('off', 'auto'),
  }),
  codexIdentity: toggle({
    default: false,
    env: 'CODEX_AUTH_CODEX_IDENTITY',
    help: 'Send the identifying headers of the Codex CLI in place of those of OpenCode: as codex_cli_rs from the TUI, as codex_exec from opencode run; ChatGPT accounts only.',
  }),
  codexClientVersion: setting({
    schema: s.string({ pattern: /^[0-9A-Za-z.+_-]{1,32}$/ }),
    default: LEARNED,
    env: 'CODEX_AUTH_CLIENT_VERSION',
    help: 'Version of the Codex CLI that the model list is asked for with and that codexIdentity names; letters, digits and . + _ - only. auto: the newest of the one installed here, the newest release in the npm registry (asked once a day), and the one this package knows.',
  }),

  // What the model is told
  ...TURN_SETTINGS,

  // Endpoints of API keys
  baseUrl: setting({
    schema: s.string(),
    default: '',
    env: 'CODEX_AUTH_BASE_URL',
    help: 'Endpoint of API keys that name none of their own; before provider.openai.options.baseURL of your own OpenCode configuration and the public API. ChatGPT accounts never go there.',
    project: never('A project cannot say where API keys are sent.'),
  }),

  // What you see
  tools: setting({
    schema: s.oneOf(['off', 'core', 'full']),
    default: 'core',
    env: 'CODEX_AUTH_TOOLS',
    help: 'Tools offered to the model: none, the few it can use well, or all but those that move tokens or take accounts away. Every definition travels with every request; the command line always has all.',
    project: downTo('off', 'core', 'full'),
  }),
  allowModelSecrets: toggle({
    default: false,
    env: 'CODEX_AUTH_ALLOW_MODEL_SECRETS',
    help: 'Also offer the model the tools that move tokens (export, import, keychain); each call still asks you.',
  }),
  allowModelDestroy: toggle({
    default: false,
    env: 'CODEX_AUTH_ALLOW_MODEL_DESTROY',
    help: 'Also offer the model the tools that take accounts away (remove); each call still asks you.',
  }),
  slashCommands: toggle({
    default: true,
    env: 'CODEX_AUTH_SLASH_COMMANDS',
    help: 'Every tool as a slash command of OpenCode.',
    project: ONLY_FALSE,
  }),
  promptTemplates: toggle({
    default: false,
    env: 'CODEX_AUTH_PROMPT_TEMPLATES',
    help: 'The prompts /codex-review, /codex-explain and /codex-refactor as slash commands.',
    project: ONLY_FALSE,
  }),
  ...PERSONALITY_SETTINGS,
  accountToasts: toggle({
    default: true,
    env: 'CODEX_AUTH_ACCOUNT_TOASTS',
    help: 'Show a toast when another account takes over.',
    project: ONLY_TRUE,
  }),
  toastDurationMs: setting({
    schema: milliseconds(1000, 60_000),
    default: 5000,
    env: 'CODEX_AUTH_TOAST_DURATION_MS',
    help: 'How long a toast stays, in ms.',
    project: ANY,
  }),
  rateLimitToastDebounceMs: setting({
    schema: milliseconds(0),
    default: 60_000,
    env: 'CODEX_AUTH_RATE_LIMIT_TOAST_DEBOUNCE_MS',
    help: 'The same message is not shown again within this time, in ms.',
    project: ONLY_LOWER,
  }),
  maskEmail: toggle({
    default: true,
    env: 'CODEX_TUI_MASK_EMAIL',
    help: 'Mask e-mail addresses in toasts, errors and the TUI.',
    project: ONLY_TRUE,
  }),
  history: toggle({
    default: true,
    env: 'CODEX_AUTH_HISTORY',
    help: 'Keep quota readings and token counts of the last 35 days on this machine, for forecasts and reports (never prompts or answers).',
    project: ONLY_FALSE,
  }),
  requestTrace: setting({
    schema: wordsOnceToggle(['off', 'records', 'snapshots'], { true: 'records', false: 'off' }),
    default: 'off',
    env: 'ENABLE_PLUGIN_REQUEST_LOGGING',
    help: 'Write to ~/.opencode/logs/codex-plugin, never with prompts, answers or tokens. records (once true): a redacted line for each request; snapshots: also the shape of each attempt and of its answer, for a bug report.',
    project: downTo('off', 'records', 'snapshots'),
  }),
  snapshotTexts: toggle({
    default: false,
    env: 'CODEX_AUTH_SNAPSHOT_TEXTS',
    help: 'Keep the texts of requests in snapshots, prompts and files among them, in place of their lengths and hashes; tokens and e-mail addresses are hidden in them as far as they can be told.',
    project: ONLY_FALSE,
  }),
} as const satisfies Record<string, Setting>

/**
 * Keys of the earlier plugin of this name that have no effect here, because what they governed is gone or always on. A
 * file that holds them is not wrong.
 */
export const RETIRED_SETTINGS: readonly string[] = [
  'autoResume',
  'autoUpdate',
  'codexTuiColorProfile',
  'codexTuiGlyphMode',
  'codexTuiV2',
  'fallbackOnUnsupportedCodexModel',
  'fallbackToGpt52OnUnsupportedGpt53',
  'maskEmailInQuotaDetails',
  'parallelProbing',
  'parallelProbingMaxConcurrency',
  'sessionRecovery',
]

/** Name of a setting. */
export type SettingName = keyof typeof SETTINGS

/** Every setting with its value. */
export type Config = { readonly [Name in SettingName]: s.Infer<(typeof SETTINGS)[Name]['schema']> }

/** All settings at their defaults. */
export const DEFAULT_CONFIG: Config = Object.freeze(
  Object.fromEntries(
    Object.entries(SETTINGS).map(([name, definition]) => [name, definition.default]),
  ),
) as Config
