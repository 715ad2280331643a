import { OLDEST_HOST } from './oldest-host.js'

/** The OpenCode versions that `npm run test:hosts` runs, the oldest first (scripts/opencode-versions.mjs names the same). */
export const TESTED_HOSTS = [OLDEST_HOST, '1.15.13', '1.17.19', '1.18.33'] as const

const NEWEST_HOST = TESTED_HOSTS[TESTED_HOSTS.length - 1] ?? OLDEST_HOST

/** For a sentence: what was tested. */
export const TESTED_RANGE = `${OLDEST_HOST} to ${NEWEST_HOST}`

/** How an OpenCode stands to those that were tested. Patches of a tested minor are as good as the tested one. */
export type HostAge = 'too-old' | 'tested' | 'newer' | 'unknown'

/** Judges by major and minor: what a plugin can do changes with those. */
export function ageOfHost(version: string): HostAge {
  const found = minorOf(version)
  if (found === undefined) return 'unknown'
  if (found < (minorOf(OLDEST_HOST) ?? 0)) return 'too-old'
  return found > (minorOf(NEWEST_HOST) ?? 0) ? 'newer' : 'tested'
}

/** One number that orders versions by major and minor; undefined when it is none. */
function minorOf(version: string): number | undefined {
  const [, major, minor] = /^v?(\d{1,6})\.(\d{1,6})(?:\.|$)/.exec(version) ?? []
  return major === undefined ? undefined : Number(major) * 1_000_000 + Number(minor)
}
