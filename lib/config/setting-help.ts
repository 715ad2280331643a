import type { SettingName } from './settings.js'

/** One line about each setting, for documents, the command line and completion: no request waits for these to be loaded. */
export const SETTING_HELP: Readonly<Record<SettingName, string>> = {
  rotationStrategy:
    'How an account is chosen for a new session; a session then stays on its account until that account cannot serve.',
  pidOffsetEnabled: 'Spread new sessions of several processes over equally good accounts.',
  perProjectAccounts:
    'Use the account pool of the current project where one exists; otherwise the global pool serves.',
  modelAccountPools:
    'Accounts that may or should serve a model: model id to a list of account keys.',
  modelAccountPoolModes:
    'preferred: other accounts may help out; strict: nobody else serves the model.',
  creditsPolicy:
    'Whether an account with an exhausted window may continue on paid credits. ask: not until you allow it in the configuration; the message of a blocked request mentions them.',
  retryProfile: 'Retry budget of one request, per class of failure.',
  retryBudgetOverrides: 'Replaces single numbers of the retry profile.',
  retryAllAccountsRateLimited:
    'When every account is blocked, wait for the first to come free, if that is soon enough.',
  retryAllAccountsMaxWaitMs:
    'Longest wait for a blocked pool, in ms; 0 never waits. A request never takes longer than 285 s until its answer begins, because OpenCode gives up after 300 s.',
  retryAllAccountsMaxRetries: 'How often one request may wait for a blocked pool.',
  emptyResponseMaxRetries: 'How often an empty answer is retried.',
  emptyResponseRetryDelayMs: 'Pause before retrying an empty answer, in ms.',
  beginnerSafeMode: 'Conservative retries, no overrides, no waiting for a blocked pool.',
  unsupportedCodexPolicy:
    'What to do when no account may use the model: say so, or try the fallback chain.',
  unsupportedCodexFallbackChain:
    'Fallback models per model, tried in order; replaces the built-in chain of that model.',
  tokenRefreshSkewMs: 'An access token that ends within this time is refreshed before use, in ms.',
  fetchTimeoutMs:
    'Longest wait for the headers of an answer, in ms; less where less of the 285 s of a request is left.',
  streamStallTimeoutMs: 'Longest silence inside a stream, in ms; 0 leaves it to OpenCode (300 s).',
  proactiveRefresh:
    'Refresh the tokens of accounts in use ahead of time, in the background. Idle accounts are never touched.',
  requestTransformMode:
    'native: the request of OpenCode goes out as it is; legacy: requests of old hosts and other SDKs are rebuilt and repaired first.',
  codexMode: 'Legacy mode only: tell the model which tools it has.',
  fastSession:
    'Legacy mode only: send only the end of long conversations, with the least reasoning unless the request names an effort. The model forgets what is left out.',
  fastSessionStrategy:
    'hybrid: not while tools are in use or the prompts have structure (code, lists, tables).',
  fastSessionMaxInputItems:
    'Items of the conversation a fast session sends; more where a tool call would lose its result.',
  responsesLite:
    'auto: models the Codex CLI serves in the Responses Lite shape get that shape; ChatGPT accounts only.',
  transport:
    'auto: ChatGPT accounts are asked over a WebSocket that stays open for the session and takes only what is new; HTTP where that cannot be. http: always HTTP.',
  requestCompression:
    'auto: requests of ChatGPT accounts by HTTP from 32 kB on are compressed (zstd).',
  codexIdentity:
    'Send the identifying headers of the Codex CLI in place of those of OpenCode: as codex_cli_rs from the TUI, as codex_exec from opencode run; ChatGPT accounts only.',
  codexClientVersion:
    'Version of the Codex CLI that the model list is asked for with and that codexIdentity names: a digit, then letters, digits and . + _ - only. auto: the newest of the one installed here, the newest release in the npm registry (asked once a day), and the one this package knows.',
  baseUrl:
    'Endpoint of API keys that name none of their own; before provider.openai.options.baseURL of your own OpenCode configuration and the public API. ChatGPT accounts never go there.',
  tools:
    'Tools offered to the model: none, the few it can use well, or all but those that move tokens or take accounts away. Every definition travels with every request; the command line always has all.',
  allowModelSecrets:
    'Also offer the model the tools that move tokens (export, import, keychain); each call still asks you.',
  allowModelDestroy:
    'Also offer the model the tools that take accounts away (remove); each call still asks you.',
  slashCommands: 'Every tool as a slash command of OpenCode.',
  promptTemplates:
    'The prompts /codex-review, /codex-explain and /codex-refactor as slash commands.',
  accountToasts: 'Show a toast when another account takes over.',
  toastDurationMs: 'How long a toast stays, in ms.',
  rateLimitToastDebounceMs: 'The same message is not shown again within this time, in ms.',
  maskEmail: 'Mask e-mail addresses in toasts, errors and the TUI.',
  history:
    'Keep quota readings and token counts of the last 35 days on this machine, for forecasts and reports (never prompts or answers).',
  requestTrace:
    'Write to ~/.opencode/logs/codex-plugin, never with prompts, answers or tokens. records (once true): a redacted line for each request; snapshots: also the shape of each attempt and of its answer, for a bug report.',
  snapshotTexts:
    'Keep the texts of requests in snapshots, prompts and files among them, in place of their lengths and hashes; tokens and e-mail addresses are hidden in them as far as they can be told.',
  collaboration:
    'codex: planning instructions of the Codex CLI for the plan agent, rules for sub-agents and its header for them, and an agent named orchestrator. Their texts cost tokens (docs/collaboration.md).',
  compactionPrompt:
    'codex: sessions with models of ChatGPT accounts are compacted with the prompt of the Codex CLI and its word before the summary, and may change accounts then (docs/compaction.md).',
  personality:
    'How the model speaks: none, or the name of a personality; or names as default and by agents, models and projects (docs/personalities.md).',
  personalityCommand: 'The slash command /create-personality, and the tool it saves with.',
}
