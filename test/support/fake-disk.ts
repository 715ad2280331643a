import { type FileSystem, pathsOf } from '../../lib/kernel/files/same-path.js'

/** A disk of another system, as far as paths go. It is a stand-in: it behaves as documented, not as measured. */
export interface FakeDisk {
  readonly platform: NodeJS.Platform
  /** Every folder and file with its name on the disk, absolute; a folder ends in the separator or has something below it. */
  readonly names: readonly string[]
  /** Links by their path, and second places of a folder (a mount, a drive of SUBST) by theirs. */
  readonly links?: Readonly<Record<string, string>>
  readonly mounts?: Readonly<Record<string, string>>
  /** Short names (8.3) by the path they stand for. */
  readonly short?: Readonly<Record<string, string>>
  /** Whether names in this folder differ by case and composition; by default as the platform has it. */
  readonly isExact?: (folder: string) => boolean
  /** The real path has the case that is on the disk; without it, that which was asked for. */
  readonly tellsCase?: boolean
  /** Folders nobody may look into. */
  readonly closed?: readonly string[]
  /** Real paths cannot be told at all, as on some memory disks. */
  readonly isMute?: boolean
}

export function fakeDisk(disk: FakeDisk): FileSystem {
  const { platform, names, links = {}, mounts = {}, short = {}, closed = [] } = disk
  const { tellsCase = true, isMute = false } = disk
  const system = pathsOf(platform)
  const isExact = disk.isExact ?? (() => platform === 'linux')
  const all = new Set(
    [...names, ...Object.keys(links), ...Object.keys(mounts)].flatMap((name) => {
      const { root } = system.parse(name)
      const parts = name.slice(root.length).split(system.sep).filter(Boolean)
      return [root, ...parts.map((_part, end) => system.join(root, ...parts.slice(0, end + 1)))]
    }),
  )
  const fold = (text: string): string => text.normalize('NFC').toLowerCase()

  function child(folder: string, name: string): string | undefined {
    const exact = system.join(folder, name)
    if (all.has(exact)) return exact
    const long = Object.entries(short).find(
      ([file, alias]) => system.parse(file).dir === folder && fold(alias) === fold(name),
    )
    if (long !== undefined) return long[0]
    const other = isExact(folder)
      ? undefined
      : [...all].find((one) => one !== folder && fold(one) === fold(exact))
    const source = mounted(folder)
    if (other !== undefined || source === folder) return other
    const there = child(source, name)
    return there === undefined ? undefined : system.join(folder, system.parse(there).base)
  }

  /** The path on the disk, and as a system without knowledge of case says it. */
  function walk(file: string, followsLast: boolean, depth = 0): { real: string; asked: string } {
    if (depth > 40) throw Object.assign(new Error('ELOOP'), { code: 'ELOOP' })
    const plain = system.resolve(
      file.replace(/^\\\\[?.]\\UNC\\/i, '\\\\').replace(/^\\\\[?.]\\/, ''),
    )
    const { root } = system.parse(plain)
    let real = [...all].find((one) => fold(one) === fold(root)) ?? root
    let asked = real
    if (!all.has(real)) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' })
    const parts = plain.slice(root.length).split(system.sep).filter(Boolean)
    for (const [index, part] of parts.entries()) {
      if (closed.includes(real)) throw Object.assign(new Error('EACCES'), { code: 'EACCES' })
      const found = child(real, part)
      if (found === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' })
      const rest = parts.slice(index + 1)
      const target = links[found]
      if (target !== undefined && (rest.length > 0 || followsLast))
        return walk(system.join(system.resolve(real, target), ...rest), followsLast, depth + 1)
      real = found
      asked = system.join(asked, part)
    }
    return { real, asked }
  }

  function mounted(real: string): string {
    const [place, source] =
      Object.entries(mounts).find(([one]) => real === one || real.startsWith(one + system.sep)) ??
      []
    return place === undefined || source === undefined ? real : source + real.slice(place.length)
  }

  return {
    platform,
    realpath(file) {
      try {
        const { real, asked } = walk(file, true)
        return isMute ? undefined : tellsCase ? real : asked
      } catch {
        return undefined
      }
    },
    link(file) {
      try {
        return links[walk(file, false).real]
      } catch {
        return undefined
      }
    },
    identity(file) {
      try {
        const id = mounted(walk(file, true).real)
        return {
          id,
          isFolder:
            id.endsWith(system.sep) || [...all].some((one) => one.startsWith(id + system.sep)),
        }
      } catch {
        return undefined
      }
    },
  }
}
