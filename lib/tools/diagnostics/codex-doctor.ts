import * as z from 'zod'

import { messageOf } from '../../kernel/errors.js'
import { counted } from '../../kernel/text/plural.js'
import { redactText } from '../../kernel/text/redact.js'
import { type Tone, toned } from '../../kernel/text/tones.js'
import { packageVersion } from '../../kernel/version.js'
import { defineTool } from '../definition.js'
import { CHECKS } from './doctor-checks.js'
import type { Finding, Severity } from './finding.js'
import { selfTest } from './doctor-host.js'

export const codexDoctor = defineTool({
  name: 'doctor',
  group: 'Diagnostics',
  summary:
    'Check storage, logins, permissions, configuration, ports and the network, and say what to do.',
  risk: 'edit',
  args: {
    fix: z.boolean().describe('fix what can be fixed without harm').optional(),
    selfTest: z
      .boolean()
      .describe('also start OpenCode and see that it uses the plugin')
      .optional(),
  },
  riskOf: ({ fix }) => (fix === true ? 'edit' : 'read'),
  userOnly: ['selfTest'],
  async run(runtime, { fix = false, selfTest: isSelfTest = false }, context) {
    const findings: (Omit<Finding, 'fix'> & { readonly fixable: boolean })[] = []
    const repaired = new Set<unknown>()
    const fixed: string[] = []
    const checks = isSelfTest ? { ...CHECKS, 'self-test': selfTest } : CHECKS
    for (const [name, check] of Object.entries(checks)) {
      context.progress(`checking ${name}`)
      for (const finding of await check(runtime, context.signal)) {
        const shown = {
          id: finding.id,
          severity: finding.severity,
          summary: redactText(finding.summary),
          action: finding.action,
          fixable: finding.fix !== undefined,
        }
        findings.push(shown)
        if (fix && finding.fix !== undefined) {
          const done = await finding.fix().then(
            (text) => {
              repaired.add(shown)
              return `fixed: ${text}`
            },
            (error: unknown) => `not fixed: ${messageOf(error)}`,
          )
          fixed.push(redactText(done))
        }
      }
    }
    const count = (severity: Severity): number =>
      findings.filter((one) => one.severity === severity && !repaired.has(one)).length
    return {
      version: packageVersion(),
      findings,
      errors: count('error'),
      warnings: count('warning'),
      /** What was fixed and what could not be; null when no fix was asked for. */
      fixed: fix ? fixed : null,
    }
  },
  render(data) {
    const lines = data.findings.map(
      (one) =>
        `${severityMark(one.severity)}  ${one.id}: ${one.summary}${one.action === '' ? '' : `\n         ${one.action}`}${one.fixable && data.fixed === null ? '\n         --fix repairs it' : ''}`,
    )
    const fixed = data.fixed === null || data.fixed.length === 0 ? [] : ['', ...data.fixed]
    return [
      ...lines,
      ...fixed,
      '',
      `${counted(data.errors, 'error')}, ${counted(data.warnings, 'warning')} (version ${data.version})`,
    ].join('\n')
  },
  failed: (data) => data.errors > 0,
})

const SEVERITY_TONES: Readonly<Record<Severity, Tone>> = {
  ok: 'good',
  warning: 'low',
  error: 'bad',
}

function severityMark(severity: Severity): string {
  return (
    toned({ text: severity, tone: SEVERITY_TONES[severity] }) +
    ' '.repeat('warning'.length - severity.length)
  )
}
