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
    project: ANY,
  }),
  pidOffsetEnabled: toggle({
    default: false,
    env: 'CODEX_AUTH_PID_OFFSET_ENABLED',
    project: ANY,
  }),
  perProjectAccounts: toggle({
    default: true,
    env: 'CODEX_AUTH_PER_PROJECT_ACCOUNTS',
    project: ONLY_TRUE,
  }),
  modelAccountPools: setting({
    schema: modelLists,
    default: {},
    project: FEWER_ACCOUNTS,
  }),
  modelAccountPoolModes: setting({
    schema: s.record(s.oneOf(['preferred', 'strict'])),
    default: {},
    project: ONLY_STRICT_MODES,
  }),
  creditsPolicy: setting({
    schema: s.oneOf(['never', 'ask', 'allow']),
    default: 'never',
    env: 'CODEX_AUTH_CREDITS_POLICY',
    project: downTo('never', 'ask', 'allow'),
  }),

  // Waiting and retrying
  retryProfile: setting({
    schema: s.oneOf(['conservative', 'balanced', 'aggressive']),
    default: 'balanced',
    env: 'CODEX_AUTH_RETRY_PROFILE',
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
    project: ONLY_LOWER_NUMBERS,
  }),
  retryAllAccountsRateLimited: toggle({
    default: true,
    env: 'CODEX_AUTH_RETRY_ALL_RATE_LIMITED',
    project: ONLY_FALSE,
  }),
  retryAllAccountsMaxWaitMs: setting({
    schema: milliseconds(0, 280_000),
    default: 30_000,
    env: 'CODEX_AUTH_RETRY_ALL_MAX_WAIT_MS',
    project: ONLY_LOWER,
  }),
  retryAllAccountsMaxRetries: setting({
    schema: s.number({ min: 0 }),
    default: 3,
    env: 'CODEX_AUTH_RETRY_ALL_MAX_RETRIES',
    project: ONLY_LOWER,
  }),
  emptyResponseMaxRetries: setting({
    schema: count(20),
    default: 2,
    env: 'CODEX_AUTH_EMPTY_RESPONSE_MAX_RETRIES',
    project: ONLY_LOWER,
  }),
  emptyResponseRetryDelayMs: setting({
    schema: milliseconds(0, 60_000),
    default: 1000,
    env: 'CODEX_AUTH_EMPTY_RESPONSE_RETRY_DELAY_MS',
    project: ONLY_HIGHER,
  }),
  beginnerSafeMode: toggle({
    default: false,
    env: 'CODEX_AUTH_BEGINNER_SAFE_MODE',
    project: ONLY_TRUE,
  }),
  unsupportedCodexPolicy: setting({
    schema: s.oneOf(['strict', 'fallback']),
    default: 'strict',
    env: 'CODEX_AUTH_UNSUPPORTED_MODEL_POLICY',
    project: downTo('strict', 'fallback'),
  }),
  unsupportedCodexFallbackChain: setting({
    schema: modelLists,
    default: {},
  }),

  // Clocks
  tokenRefreshSkewMs: setting({
    schema: milliseconds(0, 3_600_000),
    default: 300_000,
    env: 'CODEX_AUTH_TOKEN_REFRESH_SKEW_MS',
  }),
  fetchTimeoutMs: setting({
    schema: milliseconds(1000, 290_000),
    default: 60_000,
    env: 'CODEX_AUTH_FETCH_TIMEOUT_MS',
  }),
  streamStallTimeoutMs: setting({
    schema: milliseconds(0, 290_000),
    default: 240_000,
    env: 'CODEX_AUTH_STREAM_STALL_TIMEOUT_MS',
  }),
  proactiveRefresh: toggle({
    default: false,
    env: 'CODEX_AUTH_PROACTIVE_REFRESH',
    project: ONLY_FALSE,
  }),

  // Shape of requests
  requestTransformMode: setting({
    schema: s.oneOf(['native', 'legacy']),
    default: 'native',
    env: 'CODEX_AUTH_REQUEST_TRANSFORM_MODE',
  }),
  codexMode: toggle({
    default: true,
    env: 'CODEX_MODE',
    project: ANY,
  }),
  fastSession: toggle({
    default: false,
    env: 'CODEX_AUTH_FAST_SESSION',
    project: ONLY_FALSE,
  }),
  fastSessionStrategy: setting({
    schema: s.oneOf(['hybrid', 'always']),
    default: 'hybrid',
    env: 'CODEX_AUTH_FAST_SESSION_STRATEGY',
    project: downTo('hybrid', 'always'),
  }),
  fastSessionMaxInputItems: setting({
    schema: s.int({ min: 8, max: 200 }),
    default: 30,
    env: 'CODEX_AUTH_FAST_SESSION_MAX_INPUT_ITEMS',
    project: ONLY_HIGHER,
  }),
  responsesLite: setting({
    schema: s.oneOf(['off', 'auto']),
    default: 'off',
    env: 'CODEX_AUTH_RESPONSES_LITE',
    project: downTo('off', 'auto'),
  }),
  transport: setting({
    schema: s.oneOf(['http', 'auto']),
    default: 'http',
    env: 'CODEX_AUTH_TRANSPORT',
    project: downTo('http', 'auto'),
  }),
  requestCompression: setting({
    schema: s.oneOf(['off', 'auto']),
    default: 'off',
    env: 'CODEX_AUTH_REQUEST_COMPRESSION',
    project: downTo('off', 'auto'),
  }),
  codexIdentity: toggle({
    default: false,
    env: 'CODEX_AUTH_CODEX_IDENTITY',
  }),
  codexClientVersion: setting({
    schema: s.string({ pattern: /^(?:auto|\d[0-9A-Za-z.+_-]{0,31})$/ }),
    default: LEARNED,
    env: 'CODEX_AUTH_CLIENT_VERSION',
  }),

  // What the model is told
  ...TURN_SETTINGS,

  // Endpoints of API keys
  baseUrl: setting({
    schema: s.string(),
    default: '',
    env: 'CODEX_AUTH_BASE_URL',
    project: never('A project cannot say where API keys are sent.'),
  }),

  // What you see
  tools: setting({
    schema: s.oneOf(['off', 'core', 'full']),
    default: 'core',
    env: 'CODEX_AUTH_TOOLS',
    project: downTo('off', 'core', 'full'),
  }),
  allowModelSecrets: toggle({
    default: false,
    env: 'CODEX_AUTH_ALLOW_MODEL_SECRETS',
  }),
  allowModelDestroy: toggle({
    default: false,
    env: 'CODEX_AUTH_ALLOW_MODEL_DESTROY',
  }),
  slashCommands: toggle({
    default: true,
    env: 'CODEX_AUTH_SLASH_COMMANDS',
    project: ONLY_FALSE,
  }),
  promptTemplates: toggle({
    default: false,
    env: 'CODEX_AUTH_PROMPT_TEMPLATES',
    project: ONLY_FALSE,
  }),
  ...PERSONALITY_SETTINGS,
  accountToasts: toggle({
    default: true,
    env: 'CODEX_AUTH_ACCOUNT_TOASTS',
    project: ONLY_TRUE,
  }),
  toastDurationMs: setting({
    schema: milliseconds(1000, 60_000),
    default: 5000,
    env: 'CODEX_AUTH_TOAST_DURATION_MS',
    project: ANY,
  }),
  rateLimitToastDebounceMs: setting({
    schema: milliseconds(0),
    default: 60_000,
    env: 'CODEX_AUTH_RATE_LIMIT_TOAST_DEBOUNCE_MS',
    project: ONLY_LOWER,
  }),
  maskEmail: toggle({
    default: true,
    env: 'CODEX_TUI_MASK_EMAIL',
    project: ONLY_TRUE,
  }),
  history: toggle({
    default: true,
    env: 'CODEX_AUTH_HISTORY',
    project: ONLY_FALSE,
  }),
  requestTrace: setting({
    schema: wordsOnceToggle(['off', 'records', 'snapshots'], { true: 'records', false: 'off' }),
    default: 'off',
    env: 'ENABLE_PLUGIN_REQUEST_LOGGING',
    project: downTo('off', 'records', 'snapshots'),
  }),
  snapshotTexts: toggle({
    default: false,
    env: 'CODEX_AUTH_SNAPSHOT_TEXTS',
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
