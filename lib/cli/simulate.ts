import { BACKEND_ENV, ISSUER_ENV } from '../oauth/endpoints.js'
import { MAX_FOREIGN_BYTES, readBoundedFile } from '../kernel/files/bounded-file.js'
import { dropUndefined } from '../kernel/drop-undefined.js'
import { CodexError, messageOf, WrongUsage } from '../kernel/errors.js'
import { givenPath } from '../kernel/files/given-path.js'
import { resolvePaths } from '../kernel/files/paths.js'
import { shellHere, variableLine } from '../kernel/text/shell-quote.js'
import { startSimulator } from '../../simulator/index.js'
import type { ScenarioRule } from '../../simulator/scenario.js'
import { defineCommand, jsonText } from './command.js'
import type { CommandIo } from './io.js'

const HELP = `Usage: oc-codex-multi-auth simulate [options]

Starts a simulated login server and Codex backend on this machine, for trying things out without an account.

  --port N          port on 127.0.0.1; 0 takes any free one (default 0)
  --accounts a,b    names of the simulated accounts (default personal,work)
  --scenario FILE   JSON file with fault rules
  --seed N          the same seed gives the same answers (default 1)
  --auto-approve A  the sign-in page approves account A at once
  --json            print the addresses as JSON
  --help            show this text
`

/** `simulate`: the shipped simulator as a process, until Ctrl-C. */
export const simulateCommand = defineCommand({
  name: 'simulate',
  summary: 'Start a simulated backend on this machine, for trials and tests.',
  help: HELP,
  options: {
    port: { type: 'string' },
    accounts: { type: 'string' },
    scenario: { type: 'string', of: { kind: 'file' } },
    seed: { type: 'string' },
    'auto-approve': { type: 'string' },
  },
  async run(values, io) {
    const scenario =
      values.scenario === undefined ? undefined : await readScenario(values.scenario, io)
    const approve = values['auto-approve']
    const given = dropUndefined({
      port: wholeNumber(values.port ?? '0', '--port', 65_535),
      seed: wholeNumber(values.seed ?? '1', '--seed', 4_294_967_295),
      accounts: values.accounts?.split(',').map((name) => name.trim()),
      scenario,
      settings: approve === undefined ? undefined : { autoApprove: approve },
    })
    const simulator = await startSimulator(given).catch((error: unknown) => {
      throw new CodexError('invalid_input', `The simulator could not start: ${messageOf(error)}.`)
    })
    const { url, backend } = simulator
    const lineOf = (name: string, value: string): string =>
      variableLine(name, value, shellHere(io.env))
    io.stdout(
      values.json
        ? jsonText({ issuer: url, backend, control: `${url}/__sim/state` })
        : `The simulator answers at ${url}\n\nPoint the plugin at it:\n  ${lineOf(ISSUER_ENV, url)}\n  ${lineOf(BACKEND_ENV, backend)}\n\nState: ${url}/__sim/state\nStop it with Ctrl-C.\n`,
    )
    if (!io.signal.aborted)
      await new Promise((resolve) => io.signal.addEventListener('abort', resolve, { once: true }))
    await simulator.close()
    return 0
  },
})

function wholeNumber(text: string, option: string, most: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && value <= most) return value
  throw new WrongUsage(
    `${option} must be a whole number from 0 to ${most}, not ${JSON.stringify(text)}.`,
  )
}

async function readScenario(given: string, { directory, env }: CommandIo): Promise<ScenarioRule[]> {
  const file = givenPath(given, { directory, home: resolvePaths(env).home })
  try {
    const value: unknown = JSON.parse((await readBoundedFile(file, MAX_FOREIGN_BYTES)) ?? '')
    return (Array.isArray(value) ? value : [value]) as ScenarioRule[]
  } catch (error) {
    throw new CodexError(
      'invalid_input',
      `The scenario ${file} cannot be read: ${messageOf(error)}.`,
    )
  }
}
