import { accountName } from '../../accounts/labels.js'
import { access, constants, stat } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'

import { close, openPlaces, type OpenPlace } from '../../accounts/project/own-folders.js'
import { parseBaseUrl } from '../../oauth/base-url.js'
import { CALLBACK_PORTS } from '../../oauth/callback-server.js'
import { MANAGED_MARKER } from '../../login/managed-entry.js'
import { aboutHere } from '../../login/surroundings.js'
import { isCodexError, messageOf } from '../../kernel/errors.js'
import { counted } from '../../kernel/text/plural.js'
import { readTextFile } from '../../kernel/files/json-file.js'
import { type Shell, shellHere, shellWord } from '../../kernel/text/shell-quote.js'
import { isRecord, parsedJson } from '../../kernel/text/json.js'
import type { Runtime } from '../../runtime.js'
import { disk, leftovers, records } from './doctor-files.js'
import { clientVersion, host as opencode, pluginEntry, version } from './doctor-host.js'
import { keychain } from './doctor-keychain.js'
import { prompts } from './doctor-prompts.js'
import { transport } from './doctor-transport.js'
import { type Check, failed, type Finding, ok, warning } from './finding.js'
import { windowsAccess } from './windows-access/windows-access.js'

/** A clock further off than this breaks tokens and limits, ms. */
const MAX_CLOCK_SKEW_MS = 2 * 60_000
const NETWORK_TIMEOUT_MS = 10_000

/** Every check, in the order of the report. */
export const CHECKS: Readonly<Record<string, Check>> = {
  version,
  'client-version': clientVersion,
  host: opencode,
  'plugin-entry': pluginEntry,
  storage,
  keychain,
  records,
  accounts,
  permissions,
  disk,
  leftovers,
  config,
  prompts,
  'host-login': hostLogin,
  'callback-port': callbackPort,
  surroundings,
  backend,
  transport,
  'host-folder': hostFolder,
}

async function storage(runtime: Runtime): Promise<readonly Finding[]> {
  try {
    const pool = await runtime.store.read()
    return [
      ok('storage', `${counted(pool.accounts.length, 'account')} in ${runtime.store.path}.`),
      ...(runtime.scope.passedOver ?? []).map(passedOver),
    ]
  } catch (error) {
    const hint = isCodexError(error) ? error.hint : ''
    return [{ id: 'storage', severity: 'error', summary: messageOf(error), action: hint }]
  }
}

/** Two spellings of one folder were two projects once, and each may have got accounts of its own. */
function passedOver(file: string): Finding {
  return warning(
    'storage',
    `${file} holds accounts of this project too, under an older spelling of its folder, and is not used.`,
    'Take them over with import and the path of that file, then move it away.',
  )
}

async function accounts(runtime: Runtime): Promise<readonly Finding[]> {
  const findings = (await runtime.tokens.unsaved()).map((summary) =>
    failed(
      'tokens-not-stored',
      summary,
      'Free space on the disk and make it writable; keep every OpenCode window open until this is gone.',
    ),
  )
  const signIn = 'Run: {login}'
  const pool = await runtime.store.read().catch(() => undefined)
  if (pool === undefined) return findings
  if (pool.accounts.length === 0) return [failed('accounts', 'No account is signed in.', signIn)]
  for (const [index, account] of pool.accounts.entries()) {
    const name = accountName(account, index, runtime.config)
    const { needsLogin, kind, refreshToken = '' } = account
    if (needsLogin !== undefined)
      findings.push(failed('login-needed', `${name}: ${needsLogin.reason}`, signIn))
    else if (kind !== 'api-key' && refreshToken === '') {
      const summary = `${name} has no refresh token and will end with its access token.`
      findings.push(warning('login-needed', summary, signIn))
    }
    if (account.enabled === false)
      findings.push(
        warning('account-disabled', `${name} is disabled.`, `Enable it: {toggle ${index + 1}}`),
      )
  }
  const tokens = pool.accounts.flatMap(({ refreshToken }) => refreshToken ?? [])
  if (new Set(tokens).size < tokens.length)
    findings.push(
      warning(
        'shared-login',
        'Two accounts share one login; they are refreshed together.',
        'Remove the one you do not need: {remove NUMBER}',
      ),
    )
  if (findings.length > 0) return findings
  const count = counted(pool.accounts.length, 'account is', 'accounts are')
  return [ok('accounts', `${count} signed in and enabled.`)]
}

async function permissions(runtime: Runtime, signal: AbortSignal): Promise<readonly Finding[]> {
  if (process.platform === 'win32') return windowsAccess(runtime, signal)
  const file = runtime.store.path
  const folder = path.dirname(file)
  const findings = (await openPlaces(runtime.paths)).map((place) =>
    openFinding(place, shellHere(runtime.env)),
  )
  const isThere = await stat(file).catch(() => undefined)
  // What is given for success differs between Node and Bun; that there is an error does not.
  const refusal = await access(folder, constants.W_OK).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (isThere !== undefined && refusal !== undefined) {
    const summary = `${folder} cannot be written, so tokens cannot be refreshed.`
    findings.push(failed('permissions', summary, 'Make the folder writable for you.'))
  }
  return findings.length === 0
    ? [ok('permissions', 'Only you can read the account file and its folders.')]
    : findings
}

function openFinding(place: OpenPlace, shell: Shell): Finding {
  const { path: where, kind, mode, isOurs } = place
  const what = (mode & 0o022) !== 0 ? 'be changed' : kind === 'folder' ? 'be listed' : 'be read'
  const wanted = kind === 'folder' ? (isOurs ? '700' : 'go-w') : '600'
  return {
    id: 'permissions',
    severity: kind === 'file' || (mode & 0o022) !== 0 ? 'error' : 'warning',
    summary: `${where} (mode ${mode.toString(8)}) can ${what} by other users of this machine.`,
    action: `chmod ${wanted} ${shellWord(where, shell)}`,
    ...(isOurs && { fix: () => close(place).then(() => `only its owner gets at ${where} now.`) }),
  }
}

async function config(runtime: Runtime): Promise<readonly Finding[]> {
  const { problems, config: settings } = runtime.loaded
  try {
    if (settings.baseUrl !== '') parseBaseUrl(settings.baseUrl, 'the setting baseUrl')
  } catch (error) {
    return [warning('config', messageOf(error), 'See: {config baseUrl}')]
  }
  if (problems.length === 0) return [ok('config', 'Every setting is valid.')]
  return problems.map(({ where, line, key, message }) =>
    warning(
      'config',
      `${where}${line === undefined ? '' : `, line ${line}`}${key === undefined ? '' : `, ${key}`}: ${message}`,
      'See: {config}',
    ),
  )
}

async function hostLogin({ paths }: Runtime): Promise<readonly Finding[]> {
  const text = (await readTextFile(paths.hostAuthFile).catch(() => undefined))?.text ?? ''
  const logins = parsedJson(text)
  const entry = isRecord(logins) && isRecord(logins.openai) ? logins.openai : undefined
  const warn = (summary: string, action?: string): readonly Finding[] => [
    warning('host-login', summary, action),
  ]
  if (entry === undefined)
    return warn(
      'OpenCode has no entry for openai, so it does not ask the plugin; the next start puts it back.',
      'Start OpenCode once, or run: {login}',
    )
  if (entry.type === 'oauth' && entry.refresh === MANAGED_MARKER)
    return [ok('host-login', 'OpenCode hands requests for openai to this plugin.')]
  if (entry.type === 'api')
    return warn(
      'OpenCode has an API key for openai, so it does not ask the plugin.',
      'Run: {login}, and choose a ChatGPT account',
    )
  return warn(
    'OpenCode has a ChatGPT login of its own for openai; the plugin takes over as soon as it has an account.',
  )
}

async function callbackPort(): Promise<readonly Finding[]> {
  const busy = await Promise.all(CALLBACK_PORTS.map(isBusy))
  if (!busy.every(Boolean))
    return [ok('callback-port', 'A browser login can come back to this machine.')]
  return [
    warning(
      'callback-port',
      `Ports ${CALLBACK_PORTS.join(' and ')} are in use, so a browser login cannot come back.`,
      'Use the device code method, or close the program that holds them.',
    ),
  ]
}

/** Where the user works decides which way to sign in can work. */
async function surroundings({ env }: Runtime): Promise<readonly Finding[]> {
  const { name, advice = '' } = aboutHere(env)
  return [ok('surroundings', `This is ${name}. ${advice}`.trim())]
}

/** The answer needs no login: any status shows that the line works, and its date shows whether the clock is right. */
async function backend(runtime: Runtime, signal: AbortSignal): Promise<readonly Finding[]> {
  const { backend: url } = runtime.endpoints
  const proxy = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY'].find(
    (name) => (runtime.env[name] ?? '') !== '',
  )
  const { host } = new URL(url)
  const through = proxy === undefined ? '' : ` through the proxy of ${proxy}`
  try {
    const response = await runtime.fetch(`${url}/codex/models`, {
      method: 'GET',
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(NETWORK_TIMEOUT_MS)]),
    })
    void response.body?.cancel().catch(() => undefined)
    const theirs = Date.parse(response.headers.get('date') ?? '')
    const skewMs = Number.isFinite(theirs) ? runtime.clock.now() - theirs : 0
    const answers = ok('backend', `${host} answers${through}.`)
    if (Math.abs(skewMs) <= MAX_CLOCK_SKEW_MS) return [answers]
    const minutes = Math.round(Math.abs(skewMs) / 60_000)
    return [
      answers,
      warning(
        'clock',
        `The clock of this machine is ${minutes} min ${skewMs > 0 ? 'ahead' : 'behind'}.`,
        'Set the clock; times of limits and tokens are off otherwise.',
      ),
    ]
  } catch (error) {
    if (signal.aborted) throw error
    const summary = `${host} cannot be reached${through}.`
    return [failed('backend', summary, 'Check the network, the proxy and the firewall.')]
  }
}

async function hostFolder(runtime: Runtime): Promise<readonly Finding[]> {
  const manifest = path.join(runtime.paths.root, 'package.json')
  const found = await readTextFile(manifest).catch(() => undefined)
  if (found !== undefined)
    return [ok('host-folder', 'OpenCode installs nothing into the data folder at start.')]
  if ((await stat(runtime.paths.root).catch(() => undefined)) === undefined) return []
  return [
    warning(
      'host-folder',
      `${runtime.paths.root} makes OpenCode look for a package at every start; without a registry that takes more than a minute.`,
      'Start OpenCode once with this plugin; it settles the folder.',
    ),
  ]
}

function isBusy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', () => resolve(true))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      server.close(() => resolve(false)),
    )
  })
}
