import { lstat, readdir, readFile, utimes } from 'node:fs/promises'
import path from 'node:path'

import { type ParseError, parse } from 'jsonc-parser'

import { createCore } from '../../../lib/core.js'
import { runCli } from '../../support/run-cli.js'
import type { Fault, FaultedRun } from './faulted-run.js'
import { accountsOf, type FaultHome, FOREIGN_ENTRY, HOST_CONFIG, nameOf } from './home.js'
import type { Operation } from './operations.js'

/** What is wrong after a fault: a rule, and what was found. */
interface Violation {
  readonly rule:
    | 'files parse'
    | 'accounts are the old or the new'
    | 'foreign text survives'
    | 'modes'
    | 'success has its effect'
    | 'one sentence'
    | 'the next run works'
    | 'no token is spent twice'
    | 'temporary files go'
  readonly found: string
}

/** What one faulted run came to. */
export interface Verdict {
  readonly violations: readonly Violation[]
  /** A login was lost where no program could have kept it: the answer was here and nowhere on the disk. */
  readonly isUnavoidable: boolean
}

interface Found {
  /** From the home. */
  readonly name: string
  readonly full: string
  readonly isFolder: boolean
  readonly mode: number
}

/** A temporary file older than this has to go, ms. */
const SWEPT_AFTER_MS = 3_600_000
/** Calls of the follow-up: one request, its refresh for each account, one second try. */
const MOST_UPSTREAM_CALLS = 12

/** Looks at the home as the fault left it, then works in it as the user would, and looks again. */
export async function judge(
  operation: Operation,
  home: FaultHome,
  run: FaultedRun,
  fault: Fault,
): Promise<Verdict> {
  const violations: Violation[] = []
  const add = (rule: Violation['rule'], found: string | undefined): void => {
    if (found !== undefined) violations.push({ rule, found })
  }
  const isKill = fault.what.startsWith('kill')
  for (const problem of await brokenFiles(operation, home)) add('files parse', problem)
  add('accounts are the old or the new', await mixedAccounts(operation, home))
  add('foreign text survives', await lostDamage(operation, home))
  add('foreign text survives', await lostText(home))
  for (const problem of await openFiles(home))
    if (operation.name !== 'doctor --fix' || !problem.includes('accounts.json'))
      add('modes', problem)
  if (!isKill) {
    // A window goes on after a failure that it has told; a command that could not do its work says so with its exit code.
    if (run.code === 0 && !(operation.program === 'window' && saysFailure(run.stdout)))
      add('success has its effect', await operation.missing(home))
    add('one sentence', badWords(run))
  }
  const { loss, requestProblem } = await followUp(operation, home, add)
  add('foreign text survives', await lostDamage(operation, home))
  const mayBeLost =
    run.isBetweenAnswerAndDisk &&
    (isKill || (fault.span === 'on' && saysFailure(run.stdout + run.stderr)))
  if (loss !== undefined && !mayBeLost) add('no token is spent twice', loss)
  // Who has lost a login that nobody could keep is told what to do.
  if (loss === undefined || requestProblem?.includes('Sign in to this account again') !== true)
    add('the next run works', requestProblem)
  return { violations, isUnavoidable: loss !== undefined && mayBeLost }
}

/** True when the output tells of something that was not stored. */
function saysFailure(text: string): boolean {
  return /not (?:be )?(?:written|stored|renewed|saved|changed)|could not|cannot be/i.test(text)
}

function badWords({ code, signal, stdout, stderr }: FaultedRun): string | undefined {
  const text = stdout + stderr
  if (signal !== null || code === null || ![0, 1, 2].includes(code))
    return `it ended with ${signal ?? code}: ${text.slice(-300)}`
  if (/\n\s+at .*[:(]\d+|\[object |\bundefined\b|node:internal|UnhandledPromise/.test(text))
    return `it shows its inside: ${text.slice(-400)}`
  return code !== 0 && text.trim() === '' ? 'it failed without a word' : undefined
}

async function brokenFiles(operation: Operation, home: FaultHome): Promise<string[]> {
  const problems: string[] = []
  for (const { name, full, isFolder } of await filesBelow(home.home)) {
    if (isFolder || name.includes('.corrupt-') || isTemporary(name)) continue
    const text = await readFile(full, 'utf8')
    if (full === home.paths.accountsFile && operation.damaged === text) continue
    if (isJournal(name)) {
      // The intent came by a rename and is always whole; the line after it goes into the room kept for it and may be cut off.
      const lines = text.split('\n').filter((line) => line.trim() !== '')
      if (lines.length === 0 || !lines.slice(0, lines.length > 1 ? -1 : undefined).every(isJson))
        problems.push(`${name} has no whole line: ${JSON.stringify(text.slice(0, 80))}`)
    } else if (/\.jsonc?$|opencode\.json[^/]*$/.test(name) && !isJson(text))
      problems.push(`${name} does not parse: ${JSON.stringify(text.slice(0, 80))}`)
    // The last line of what is only ever appended to may be cut off; readers pass over it.
    if (name.endsWith('.jsonl') && !text.split('\n').slice(0, -1).every(isJson))
      problems.push(`${name} has a broken line inside`)
  }
  return problems
}

function isJson(text: string): boolean {
  const errors: ParseError[] = []
  parse(text, errors, { allowTrailingComma: true })
  return errors.length === 0
}

/** What was damaged before is nobody's to throw away: it stays where it was or lies beside. */
async function lostDamage({ damaged }: Operation, home: FaultHome): Promise<string | undefined> {
  if (damaged === undefined) return undefined
  const files = (await filesBelow(home.paths.root)).filter(({ isFolder }) => !isFolder)
  const texts = await Promise.all(files.map(({ full }) => readFile(full, 'utf8')))
  return texts.includes(damaged) ? undefined : 'the text of the damaged account file is gone'
}

async function mixedAccounts(operation: Operation, home: FaultHome): Promise<string | undefined> {
  const accounts = await accountsOf(home)
  const found =
    accounts === 'unreadable' ? accounts : accounts.map((account) => nameOf(home, account))
  const isAllowed = operation.sets.some((set) =>
    typeof set === 'string' || found === 'unreadable'
      ? set === found
      : [...set].sort().join() === [...found].sort().join(),
  )
  return isAllowed ? undefined : `found ${String(found)}, allowed ${JSON.stringify(operation.sets)}`
}

async function lostText({ paths }: FaultHome): Promise<string | undefined> {
  const config = await readFile(path.join(paths.hostConfigDir, 'opencode.jsonc'), 'utf8').catch(
    () => '',
  )
  const comments = HOST_CONFIG.match(/(?:\/\/|\/\*).*$/gm) ?? []
  const lost = [
    ...comments.filter((comment) => !comment.includes('://')),
    'another-plugin@1.2.3',
    '600000',
  ].filter((text) => !config.includes(text))
  if (lost.length > 0) return `opencode.jsonc has lost ${JSON.stringify(lost)}`
  const entries = JSON.parse(await readFile(paths.hostAuthFile, 'utf8')) as Record<string, unknown>
  return JSON.stringify(entries.anthropic) === JSON.stringify(FOREIGN_ENTRY.anthropic)
    ? undefined
    : 'the login of another provider is gone from auth.json'
}

/** Files of ours that others could read. */
async function openFiles(home: FaultHome): Promise<string[]> {
  const found = await filesBelow(home.paths.root)
  const state = (await filesBelow(home.paths.stateDir)).filter(({ name }) =>
    name.includes('oc-codex'),
  )
  return [...found, ...state]
    .filter(({ name }) => !name.endsWith('.lock') && !name.includes('.lock/'))
    .filter(({ mode }) => (mode & 0o077) !== 0)
    .map(({ name, mode }) => `${name} has mode ${mode.toString(8)}`)
}

/**
 * Does what the user does next: the same once more, a request, a refresh of everything, and an hour later once more.
 * @returns what was lost of the logins and what is wrong with the request; undefined when nothing is
 */
async function followUp(
  operation: Operation,
  home: FaultHome,
  add: (rule: Violation['rule'], found: string | undefined) => void,
): Promise<{ readonly loss: string | undefined; readonly requestProblem: string | undefined }> {
  const { simulator } = home
  const env = { ...home.env, ...operation.env }
  simulator.clearRules()
  simulator.changeSettings({ accessTokenSeconds: 3_600 })
  const again =
    (operation.repeat ?? 'works') === 'undoes' || operation.program === 'window'
      ? undefined
      : await runCli(home.home, operation.args(home), { env })
  const accounts = await accountsOf(home)
  const serving =
    accounts === 'unreadable'
      ? []
      : accounts.filter(({ kind, enabled }) => kind !== 'api-key' && enabled !== false)
  if (accounts === 'unreadable') add('the next run works', 'the account file is still unreadable')
  const before = simulator.requests.length
  const requestProblem = serving.length > 0 ? await oneRequest(home, env) : undefined
  const calls = simulator.requests.slice(before)
  if (calls.length > MOST_UPSTREAM_CALLS) add('the next run works', `it took ${calls.length} calls`)
  if (serving.length > 0) await runCli(home.home, ['refresh'], { env })
  const lost = await lostLogins(home)
  // A lost login is a violation of its own, or told where nobody could have kept it.
  const isRefused = again !== undefined && again.code !== 0 && operation.repeat !== 'may be refused'
  if (isRefused && lost === undefined)
    add(
      'the next run works',
      `${operation.name} once more ends with ${again.code}: ${again.stdout.slice(-200)}${again.stderr}`,
    )
  await sweepLater(operation, home, add)
  return { loss: lost, requestProblem }
}

async function oneRequest(home: FaultHome, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const core = await createCore({
    host: { log: () => undefined, toast: () => undefined },
    paths: home.paths,
    env,
    directory: home.home,
  })
  try {
    const body = {
      model: 'gpt-5.5',
      instructions: 'x',
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'SIM:say still-here' }] }],
      store: false,
      stream: true,
    }
    const response = await core.fetch('https://api.openai.com/v1/responses', {
      method: 'POST',
      headers: { 'session-id': 'ses_after' },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    return text.includes('still-here') && text.includes('response.completed')
      ? undefined
      : `a request is answered ${response.status}: ${text.slice(0, 300)}`
  } finally {
    await core.close()
  }
}

async function lostLogins(home: FaultHome): Promise<string | undefined> {
  const refused = home.simulator.requests.filter(
    ({ path: to, status }) => to === '/oauth/token' && status === 401,
  ).length
  const accounts = await accountsOf(home)
  const dead =
    accounts === 'unreadable'
      ? []
      : accounts
          .filter(({ needsLogin }) => needsLogin !== undefined)
          .map((account) => `${nameOf(home, account)} (${account.needsLogin?.reason})`)
  return refused === 0 && dead.length === 0
    ? undefined
    : `${refused} refused token requests, to sign in again: ${dead.join('; ') || 'nobody'}`
}

/** What a dead process left is gone after the next writing run and a doctor, an hour later. */
async function sweepLater(
  operation: Operation,
  home: FaultHome,
  add: (rule: Violation['rule'], found: string | undefined) => void,
): Promise<void> {
  const left = await growOld(home)
  if (left.length === 0) return
  if (operation.repeat !== 'undoes' && operation.program === 'cli')
    await runCli(home.home, operation.args(home), { env: { ...home.env, ...operation.env } })
  await runCli(home.home, ['doctor', '--fix'], { env: home.env })
  const stayed = await growOld(home)
  // The folder of a lock has one name for all: it may be a new one.
  const old = stayed.filter((name) => left.includes(name) && !name.endsWith('.lock'))
  // On a busy machine a program ends before it gave back the lock of its last line in the history: what is new is the doctor's own.
  if (stayed.length > 0) await runCli(home.home, ['doctor', '--fix'], { env: home.env })
  const still = [...old, ...(await temporaryFiles(home)).map(({ name }) => name)]
  if (still.length > 0) add('temporary files go', still.join(', '))
}

/** Makes what is temporary as old as the sweep wants it. @returns its names */
async function growOld(home: FaultHome): Promise<string[]> {
  const longAgo = (Date.now() - 2 * SWEPT_AFTER_MS) / 1_000
  const left = await temporaryFiles(home)
  for (const { full } of left) await utimes(full, longAgo, longAgo)
  return left.map(({ name }) => name)
}

async function temporaryFiles(home: FaultHome): Promise<Found[]> {
  return (await filesBelow(home.home)).filter(({ name }) => isTemporary(name))
}

/** Also what is left of locks and leases: their names never come again, so nobody would find them stale. */
function isTemporary(name: string): boolean {
  return name.endsWith('.tmp') || /\.lock(?:\.\d+-[0-9a-f]+-\d+-[0-9a-f]{12})?$/.test(name)
}

function isJournal(name: string): boolean {
  return /refresh\/[0-9a-f]{32}\.json$/.test(name)
}

async function filesBelow(folder: string): Promise<Found[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const found = await Promise.all(
    names.map(async (name) => {
      const full = path.join(folder, name)
      const stats = await lstat(full).catch(() => undefined)
      return stats === undefined
        ? []
        : [{ name, full, isFolder: stats.isDirectory(), mode: stats.mode & 0o777 }]
    }),
  )
  return found.flat()
}
