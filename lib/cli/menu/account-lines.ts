import { formatDuration, formatWhen } from '../../kernel/moments.js'
import { renderTable } from '../../kernel/table.js'
import { type AccountRow, percentLeft, shortName, windowsCell } from '../../tools/account-row.js'

/** One line per account, in the order of the rows, that fits `width` columns. Pure. */
export function accountLines(rows: readonly AccountRow[], width: number): readonly string[] {
  const [, ...lines] = renderTable(
    rows,
    [
      { title: '', value: (row) => `${row.index}${row.active ? '*' : ' '}`, align: 'right' },
      { title: '', value: shortName },
      { title: '', value: (row) => `${row.status}${row.pinned ? ', pinned' : ''}` },
      { title: '', value: windowsCell },
      { title: '', value: (row) => row.plan ?? '', priority: 2 },
      { title: '', value: (row) => row.tags.join(','), priority: 1 },
    ],
    width,
  ).split('\n')
  return lines
}

/** What is known about an account, one fact a line. Pure. */
export function accountDetails(row: AccountRow, nowMs: number): string {
  const facts: readonly (readonly [string, string])[] = [
    ['Status', `${row.status}${row.pinned ? ', pinned' : ''}`],
    [
      'Kind',
      row.kind === 'api-key' ? 'API key' : `ChatGPT${row.plan === null ? '' : `, ${row.plan}`}`,
    ],
    ...(row.needsLogin === null ? [] : [['Sign in again', row.needsLogin] as const]),
    ...row.windows.map((window) => {
      const name = window.limitId === 'codex' ? window.name : `${window.name} ${window.limitId}`
      const reset =
        window.resetsAtMs === null ? '' : `, resets ${formatWhen(window.resetsAtMs, nowMs)}`
      return [name, `${percentLeft(window.leftPercent)} left${reset}`] as const
    }),
    ...(row.kind === 'api-key'
      ? []
      : [
          [
            'Limits read',
            row.windows.length === 0
              ? 'not yet'
              : `${formatDuration(nowMs - Math.min(...row.windows.map(({ observedAtMs }) => observedAtMs)))} ago`,
          ] as const,
        ]),
    ...row.blocks.map(
      (block) =>
        [
          'Blocked',
          `${block.scope}: ${block.reason.replaceAll('_', ' ')} until ${formatWhen(block.untilMs, nowMs)}`,
        ] as const,
    ),
    ...(row.resetCredits === null || row.resetCredits === 0
      ? []
      : [['Banked resets', String(row.resetCredits)] as const]),
    ['Last used', row.lastUsedMs === 0 ? 'never' : `${formatDuration(nowMs - row.lastUsedMs)} ago`],
    ...(row.tags.length === 0 ? [] : [['Tags', row.tags.join(', ')] as const]),
    ...(row.note === null ? [] : [['Note', row.note] as const]),
  ]
  const width = Math.max(...facts.map(([name]) => name.length))
  return facts.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n')
}
