import { statfs } from 'node:fs/promises'
import path from 'node:path'

/** What kind of disk holds a folder. */
export interface DiskKind {
  /** `network`: other machines may write to it; `modeless`: it keeps no permissions; `foreign`: a program stands in for it. */
  readonly kind: 'local' | 'network' | 'modeless' | 'foreign' | 'unknown'
  /** As people call it; empty where that is not known. */
  readonly name: string
}

/** Numbers of `statfs(2)` on Linux. Other systems have numbers of their own that change. */
const ON_LINUX: Readonly<Record<number, readonly [kind: DiskKind['kind'], name: string]>> = {
  0x6969: ['network', 'NFS'],
  0x517b: ['network', 'SMB'],
  0xff534d42: ['network', 'SMB'],
  0xfe534d42: ['network', 'SMB'],
  0x5346414f: ['network', 'AFS'],
  0x00c36400: ['network', 'Ceph'],
  0x0bd00bd0: ['network', 'Lustre'],
  0x47504653: ['network', 'GPFS'],
  0x01161970: ['network', 'GFS2'],
  0x01021997: ['foreign', '9p, as a Windows disk in WSL or a shared folder'],
  0x65735546: ['foreign', 'FUSE'],
  0x786f4256: ['foreign', 'a shared folder of VirtualBox'],
  0x4d44: ['modeless', 'FAT'],
  0x2011bab0: ['modeless', 'exFAT'],
  0xef53: ['local', 'ext4'],
  0x58465342: ['local', 'XFS'],
  0x9123683e: ['local', 'Btrfs'],
  0x2fc12fc1: ['local', 'ZFS'],
  0xf2f52010: ['local', 'F2FS'],
  0x01021994: ['local', 'memory'],
  0x794c7630: ['local', 'overlay'],
}

/** Pure. @param type what `statfs` tells; some systems tell it as a negative number */
export function diskKindOf(folder: string, type: number, platform: NodeJS.Platform): DiskKind {
  if (platform === 'win32' && /^\\\\(?![?.]\\)/.test(folder))
    return { kind: 'network', name: 'a network share' }
  const [kind, name] = (platform === 'linux' ? ON_LINUX[type >>> 0] : undefined) ?? ['unknown', '']
  return { kind, name }
}

/** What holds a folder, or the nearest one above it that is there. Never throws. */
export async function diskKindAt(folder: string): Promise<DiskKind> {
  const type = await statfs(folder).then(
    (found) => found.type,
    () => undefined,
  )
  const parent = path.dirname(folder)
  if (type === undefined && parent !== folder) return diskKindAt(parent)
  return diskKindOf(folder, type ?? 0, process.platform)
}
