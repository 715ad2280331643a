import * as z from 'zod'

import { retryLimitsOf } from '../../request/failures/retry.js'
import { CodexError } from '../../kernel/errors.js'
import { givenPath } from '../../kernel/files/given-path.js'
import { renderTable } from '../../kernel/text/table.js'
import { defineTool } from '../definition.js'
import { EXPORT_FORMATS, EXPORT_MARKS, type ExportFormat, metricsExport } from './metrics-export.js'
import { writeOwnFile } from '../own-file.js'
import { POLICY_CONSTANTS } from './policy-constants.js'

export const codexMetrics = defineTool({
  name: 'metrics',
  group: 'Diagnostics',
  summary:
    'Show counters and the last requests of this OpenCode process, or export them with the quota of every account.',
  risk: 'read',
  args: {
    constants: z.boolean().describe('Show the numbers of every policy.').optional(),
    format: z
      .enum(EXPORT_FORMATS)
      .describe('print for another program, with the quota of every account')
      .optional(),
    out: z.string().describe('write to this file instead; needs format').optional(),
  },
  userOnly: ['out'],
  multiline: ['exported'],
  async run(runtime, { constants, format, out }, context) {
    if (out !== undefined && format === undefined)
      throw new CodexError('invalid_input', 'Argument out needs a format.', {
        hint: `Formats: ${EXPORT_FORMATS.join(', ')}`,
      })
    if (out === '') throw new CodexError('invalid_input', 'Argument out needs the name of a file.')
    const exportedAs = async (wanted: ExportFormat) => {
      const text = await metricsExport(runtime, wanted)
      if (out === undefined) return { format: wanted, text }
      const file = givenPath(out, { directory: context.directory, home: runtime.paths.home })
      await writeOwnFile(file, `${text.trimEnd()}\n`, EXPORT_MARKS[wanted])
      return { format: wanted, path: file }
    }
    const { counters } = runtime.metrics.snapshot()
    return {
      counters,
      /** Always empty; kept because programs read this output. */
      histograms: {},
      retryProfile: runtime.config.retryProfile,
      retryBudget: retryLimitsOf(runtime.config),
      registeredTools: context.profileCost(runtime.config.tools),
      constants: POLICY_CONSTANTS,
      /** Only to tell the text. */
      showConstants: constants === true,
      lastRequests: runtime.trace
        .recent()
        .slice(-20)
        .map((record) => ({
          startedAtMs: record.startedAtMs,
          model: record.model,
          outcome: record.outcome ?? null,
          attempts: record.attempts.length,
          durationMs: record.durationMs ?? null,
          firstOutputMs: record.firstOutputMs ?? null,
        })),
      ...(format !== undefined && { exported: await exportedAs(format) }),
    }
  },
  render(data, view) {
    if (data.exported !== undefined)
      return 'path' in data.exported
        ? `Metrics written to ${data.exported.path}.`
        : data.exported.text.trimEnd()
    const counters = Object.entries(data.counters)
    const { profile, count, bytes, tokens } = data.registeredTools
    return [
      counters.length === 0
        ? 'This process has sent no request yet.'
        : namedNumbers('Counter', counters, view.width),
      `Tools registered with the model: ${count} (profile ${profile}), ${bytes} bytes in every request, about ${tokens} tokens.`,
      namedNumbers(
        `Retries of a request (${data.retryProfile})`,
        Object.entries(data.retryBudget),
        view.width,
      ),
      ...(data.showConstants
        ? Object.entries(data.constants).map(([policy, numbers]) =>
            namedNumbers(capitalised(policy), flat(numbers), view.width),
          )
        : []),
    ].join('\n\n')
  },
})

function namedNumbers(
  title: string,
  rows: readonly (readonly [name: string, value: number])[],
  width: number,
): string {
  return renderTable(
    rows,
    [
      { title, value: ([name]) => name },
      { title: 'Value', value: ([, value]) => String(value), align: 'right' },
    ],
    width,
  )
}

function flat(numbers: (typeof POLICY_CONSTANTS)[string]): [string, number][] {
  return Object.entries(numbers).flatMap(([name, value]) =>
    typeof value === 'number'
      ? [[name, value] as [string, number]]
      : Object.entries(value).map(([key, one]): [string, number] => [`${name}.${key}`, one]),
  )
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
