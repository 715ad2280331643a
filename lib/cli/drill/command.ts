import { WrongUsage } from '../../kernel/errors.js'
import { resolvePaths } from '../../kernel/files/paths.js'
import { type Tone, toned } from '../../kernel/text/tones.js'
import { startSimulator } from '../../../simulator/index.js'
import { jsonText } from '../command.js'
import type { OtherWay } from '../tool-command.js'
import type { DrillReport } from './drill.js'
import type { Verdict } from './verdict.js'

const SECONDS = { usual: 40, least: 10, most: 600 }
const PROCESSES = { usual: 6, least: 2, most: 16 }

/** `doctor --drill`: the faults of refresh and store on this user's disk. */
export const drillWay: OtherWay = {
  flag: 'drill',
  options: [
    {
      name: 'drill',
      type: 'boolean',
      help: 'only this: try on your disk, with made-up accounts, whether anything is lost or doubled',
    },
    {
      name: 'seconds',
      type: 'string',
      help: `about how long the drill takes, ${SECONDS.least} to ${SECONDS.most} (default ${SECONDS.usual})`,
    },
    {
      name: 'processes',
      type: 'string',
      help: `how many processes the drill starts, ${PROCESSES.least} to ${PROCESSES.most} (default ${PROCESSES.usual})`,
    },
  ],
  async run(given, io, json) {
    const options = {
      startSimulator,
      accountsFile: resolvePaths(io.env).accountsFile,
      env: io.env,
      seconds: numberOf(given.seconds, '--seconds', SECONDS),
      processes: numberOf(given.processes, '--processes', PROCESSES),
      signal: io.signal,
      progress: (line: string) => io.progress(line),
    }
    const { runDrill } = await import('./drill.js')
    const report = await runDrill(options)
    io.stdout(json ? jsonText(report, 2) : textOf(report))
    return report.safe ? 0 : 1
  },
}

function numberOf(
  given: unknown,
  option: string,
  { usual, least, most }: { readonly usual: number; readonly least: number; readonly most: number },
): number {
  if (typeof given !== 'string') return usual
  const value = Number(given)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new WrongUsage(
    `${option} must be a whole number from ${least} to ${most}, not ${JSON.stringify(given)}.`,
  )
}

const MARKS: Readonly<Record<Verdict['outcome'], Tone>> = {
  held: 'good',
  broken: 'bad',
  skipped: 'faint',
}

function textOf(report: DrillReport): string {
  const { disk, faults, folder, processes, seconds, safe, summary, action } = report
  const where = disk.name === '' ? folder : `${folder} (${disk.name})`
  const width = Math.max(...faults.map(({ fault }) => fault.length))
  const lines = faults.map(
    ({ fault, outcome, summary: said }) =>
      `${toned({ text: outcome, tone: MARKS[outcome] })}${' '.repeat('skipped'.length - outcome.length)}  ${fault.padEnd(width)}  ${said}`,
  )
  return `${[
    `Drill in ${where}: ${processes} processes, made-up accounts, ${seconds} s`,
    '',
    ...lines,
    '',
    toned({ text: summary, tone: safe ? 'good' : 'bad' }),
    ...(action === '' ? [] : [action]),
  ].join('\n')}\n`
}
