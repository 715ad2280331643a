import { redactText } from '../../kernel/text/redact.js'
import type { PlannedChange } from '../../host-setup/file-change.js'

/** A line with other members than these holds more than what changes, and perhaps a key. */
const OURS = new Set(['plugin', '$schema'])
const MEMBER = /"([^"]*)"\s*:/g
const SIGNS = { added: '+', removed: '-', changed: '~' } as const

/**
 * What a change does to a file, line by line without what stays; where a line holds more than that, the places that change.
 * Pure.
 */
export function previewOf({ file, before, after, changes }: PlannedChange): string {
  const [old, next] = [linesOf(before ?? ''), linesOf(after)]
  const same = (left: number, right: number): boolean => old[left] === next[right]
  let start = 0
  while (start < Math.min(old.length, next.length) && same(start, start)) start += 1
  let end = 0
  while (
    end < Math.min(old.length, next.length) - start &&
    same(old.length - 1 - end, next.length - 1 - end)
  )
    end += 1
  const gone = old.slice(start, old.length - end)
  const come = next.slice(start, next.length - end)
  const holdsMore = [...gone, ...come].some((line) =>
    [...line.matchAll(MEMBER)].some(([, name = '']) => !OURS.has(name)),
  )
  const lines = holdsMore
    ? changes.map(({ kind, path }) => `${SIGNS[kind]} ${path}`)
    : [...gone.map((line) => `- ${line}`), ...come.map((line) => `+ ${line}`)].map(redactText)
  return [`${file}${before === undefined ? ' (new)' : ''}`, ...lines].join('\n')
}

function linesOf(text: string): string[] {
  const lines = text.replace('\uFEFF', '').split(/\r?\n/)
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}
