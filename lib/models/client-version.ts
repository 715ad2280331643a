import { CODEX_CLI_VERSION } from './facts.js'

/** A version of the Codex CLI, and how it is known. */
export interface ClientVersion {
  readonly version: string
  /** `setting`: the user named it; `installed`: that of a Codex CLI of this machine; `bundled`: the one this package knows. */
  readonly source: 'setting' | 'installed' | 'registry' | 'bundled'
  /** When it was learned, epoch ms; undefined for what is not learned. */
  readonly atMs?: number
}

/** What was learned of versions elsewhere. */
export interface LearnedVersions {
  readonly installed?: LearnedVersion | undefined
  readonly registry?: LearnedVersion | undefined
}

export interface LearnedVersion {
  readonly version: string
  /** Epoch ms. */
  readonly atMs: number
}

/** Value of the setting that leaves the version to what is learned. */
export const LEARNED = 'auto'

/** A finished release and nothing else: what is learned goes into headers and addresses. */
const RELEASE = /^(?:0|[1-9]\d{0,3})(?:\.(?:0|[1-9]\d{0,3})){2}$/

/** The release that a foreign value names; undefined for previews and for what is none. Pure. */
export function releaseIn(value: unknown): string | undefined {
  return typeof value === 'string' && RELEASE.test(value) ? value : undefined
}

/** Whether a release is newer than another. Pure. */
export function isNewer(release: string, other: string): boolean {
  const [left, right] = [release, other].map((one) => one.split('.').map(Number))
  const place = left?.findIndex((part, index) => part !== right?.[index]) ?? -1
  return place >= 0 && (left?.[place] ?? 0) > (right?.[place] ?? 0)
}

/**
 * The version that requests name: the user's own word, else the newest that is known, and never one older than this
 * package knows how to speak. Pure.
 * @param setting value of `codexClientVersion`
 */
export function clientVersionOf(setting: string, learned: LearnedVersions): ClientVersion {
  if (setting !== LEARNED) return { version: setting, source: 'setting' }
  const candidates = (['installed', 'registry'] as const).flatMap((source) => {
    const one = learned[source]
    return one === undefined ? [] : [{ ...one, source }]
  })
  return candidates.reduce<ClientVersion>(
    (best, one) =>
      isNewer(one.version, best.version) ||
      (one.version === best.version && best.source === 'bundled')
        ? one
        : best,
    { version: CODEX_CLI_VERSION, source: 'bundled' },
  )
}
