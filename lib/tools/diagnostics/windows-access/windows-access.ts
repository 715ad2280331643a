import { stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { messageOf } from '../../../kernel/errors.js'
import type { Paths } from '../../../kernel/files/paths.js'
import { type Shell, shellOf, shellWord } from '../../../kernel/text/shell-quote.js'
import type { Runtime } from '../../../runtime.js'
import { failed, type Finding, ok, warning } from '../finding.js'
import type { Access, Other } from './access-list.js'
import { systemTools, type SystemTools } from './system-tools.js'

const ID = 'permissions'

/**
 * Modes say nothing on Windows: what protects the tokens is the access list of each file, which the folder of the profile
 * hands down. Asks the system who besides the user is in it.
 */
export async function windowsAccess(
  runtime: Pick<Runtime, 'paths' | 'env'> & { readonly store: { readonly path: string } },
  signal: AbortSignal,
  profile: string = os.userInfo().homedir,
): Promise<readonly Finding[]> {
  const tools = await systemTools(runtime.env, signal)
  const findings: Finding[] = []
  const open = new Set<string>()
  for (const place of await placesOf(runtime.paths, runtime.store.path)) {
    const access = await tools.access(place.path, signal).catch((error: unknown) => {
      if (signal.aborted) throw error
      return messageOf(error)
    })
    if (typeof access !== 'string' && isSaid(place, access, open)) continue
    const finding = findingOf(place, access, tools, shellOf(runtime.env, 'win32'))
    if (finding === undefined) continue
    open.add(place.path)
    findings.push(finding)
  }
  return findings.length === 0 ? [closed(runtime.store.path, profile)] : findings
}

interface Place {
  readonly path: string
  readonly kind: 'file' | 'folder'
  /** Nobody else's: its list may be changed. */
  readonly isOurs: boolean
}

/** What holds tokens, folders before what lies in them. */
async function placesOf(paths: Paths, accountFile: string): Promise<readonly Place[]> {
  const candidates = [
    { path: paths.root, isOurs: true },
    { path: path.dirname(accountFile), isOurs: true },
    { path: accountFile, isOurs: true },
    { path: paths.flaggedFile, isOurs: true },
    ...paths.spareRefreshDirs.map((dir) => ({ path: dir, isOurs: true })),
    { path: paths.hostAuthFile, isOurs: false },
  ]
  const found = await Promise.all(
    candidates.map(async (one): Promise<Place | undefined> => {
      const there = await stat(one.path).catch(() => undefined)
      return there && { ...one, kind: there.isDirectory() ? 'folder' : 'file' }
    }),
  )
  const places = found.filter((place) => place !== undefined)
  return places.filter(
    (one, index) => places.findIndex(({ path: its }) => its === one.path) === index,
  )
}

/** What a folder hands down is mended, and told, with the folder. */
function isSaid(place: Place, access: Access, open: ReadonlySet<string>): boolean {
  if (![...open].some((folder) => isWithin(folder, place.path))) return false
  return access.kind === 'unguarded' || access.others.every(({ isInherited }) => isInherited)
}

function findingOf(
  place: Place,
  access: Access | string,
  tools: SystemTools,
  shell: Shell,
): Finding | undefined {
  if (typeof access === 'string')
    return warning(ID, `Who can read ${place.path} could not be found out: ${access}`)
  if (access.kind === 'unguarded')
    return failed(
      ID,
      `${place.path} has no access list, as on FAT and exFAT disks, so everybody who gets at the disk can read the tokens in it.`,
      'Keep the home folder (USERPROFILE) and the folders that XDG_* and OPENCODE_* variables name on an NTFS disk, or seal the tokens: {keychain migrate}',
    )
  if (access.others.length === 0) return undefined
  const args = tools.own === undefined ? undefined : closing(place, access.others, tools.own)
  const canChange = access.others.some(({ can }) => can === 'change')
  const fix = async (): Promise<string> => {
    await tools.change(args ?? [])
    return `only you and administrators get at ${place.path} now.`
  }
  return {
    id: ID,
    severity: 'error',
    summary: `${place.path} can be ${canChange ? 'changed' : 'read'} by others of this machine: ${access.others.map(inWords).join(', ')}.`,
    action:
      args === undefined
        ? `Take it from them: Properties of ${place.path}, Security, Advanced.`
        : commandLine(args, shell),
    ...(args !== undefined && place.isOurs && { fix }),
  }
}

function inWords({ name, sid }: Other): string {
  return name === sid ? `the account or group ${sid}` : name
}

/** Arguments for `icacls`: what the folder above gives ends, and the user, the system and administrators stay. */
function closing(
  place: Pick<Place, 'path' | 'kind'>,
  others: readonly Other[],
  own: string,
): readonly string[] {
  const all = place.kind === 'folder' ? '(OI)(CI)F' : 'F'
  const explicit = others.filter(({ isInherited }) => !isInherited).map(({ sid }) => `*${sid}`)
  return [
    place.path,
    '/inheritance:r',
    '/grant:r',
    ...[own, 'S-1-5-18', 'S-1-5-32-544'].map((sid) => `*${sid}:${all}`),
    ...(explicit.length === 0 ? [] : ['/remove:g', ...explicit]),
  ]
}

/** For the shell that this process was started from. Git Bash would take the options for paths below its own folder. */
function commandLine(args: readonly string[], shell: Shell): string {
  const words = args.map((arg) => (/^\/[\w:]+$/.test(arg) ? arg : shellWord(arg, shell)))
  return [...(shell === 'posix' ? ["MSYS2_ARG_CONV_EXCL='*'"] : []), 'icacls', ...words].join(' ')
}

function closed(file: string, profile: string): Finding {
  return ok(
    ID,
    isWithin(profile, file)
      ? 'Only you and administrators can read the account file: it is protected by the profile folder.'
      : `Only you and administrators can read the account file. It lies outside of your profile folder, in ${path.dirname(file)}, and is protected by its own access list.`,
  )
}

function isWithin(folder: string, file: string): boolean {
  const relative = path.relative(folder, file)
  return relative.split(/[\\/]/)[0] !== '..' && !path.isAbsolute(relative)
}
