/** Somebody besides the owner, the system and its administrators who gets at a place. */
export interface Other {
  readonly sid: string
  /** In English, whatever language Windows speaks; the SID where it has no name of its own. */
  readonly name: string
  readonly can: 'read' | 'change'
  /** The folder above gives it. */
  readonly isInherited: boolean
}

/** Who gets at a place. `unguarded`: there is no list, so everybody does, as on FAT and exFAT. */
export type Access =
  { readonly kind: 'unguarded' } | { readonly kind: 'list'; readonly others: readonly Other[] }

interface Entry {
  readonly allows: boolean
  readonly flags: ReadonlySet<string>
  readonly mask: number
  readonly sid: string
}

/** What SDDL writes for well-known identities; domain-relative ones have no SID of their own here. */
const SHORT: Readonly<Record<string, string>> = {
  WD: 'S-1-1-0',
  CO: 'S-1-3-0',
  CG: 'S-1-3-1',
  OW: 'S-1-3-4',
  NU: 'S-1-5-2',
  IU: 'S-1-5-4',
  SU: 'S-1-5-6',
  AN: 'S-1-5-7',
  PS: 'S-1-5-10',
  AU: 'S-1-5-11',
  RC: 'S-1-5-12',
  SY: 'S-1-5-18',
  LS: 'S-1-5-19',
  NS: 'S-1-5-20',
  BA: 'S-1-5-32-544',
  BU: 'S-1-5-32-545',
  BG: 'S-1-5-32-546',
  PU: 'S-1-5-32-547',
  BO: 'S-1-5-32-551',
  RD: 'S-1-5-32-555',
  AC: 'S-1-15-2-1',
}

const NAMES: Readonly<Record<string, string>> = {
  'S-1-1-0': 'Everyone',
  'S-1-2-0': 'Local',
  'S-1-2-1': 'Console Logon',
  'S-1-5-2': 'Network',
  'S-1-5-4': 'Interactive',
  'S-1-5-7': 'Anonymous Logon',
  'S-1-5-11': 'Authenticated Users',
  'S-1-5-15': 'This Organization',
  'S-1-5-113': 'Local account',
  'S-1-5-32-545': 'Users',
  'S-1-5-32-546': 'Guests',
  'S-1-5-32-547': 'Power Users',
  'S-1-5-32-555': 'Remote Desktop Users',
  DU: 'Domain Users',
  DG: 'Domain Guests',
  DC: 'Domain Computers',
  LG: 'Guest',
}

/**
 * The system, its services and administrators, who get at everything anyhow; stand-ins for the owner; sessions; and apps in a
 * container, which never get more than the user who runs them.
 */
const TRUSTED =
  /^(?:S-1-3-\d+|S-1-5-(?:6|10|12|18|19|20)|S-1-5-32-(?:544|549|550|551)|S-1-5-5-.*|S-1-5-8\d-.*|S-1-15-.*|S-1-5-21-.*-(?:500|512|519)|LA|DA|EA)$/
/** An account or group of this machine, of a domain or of Entra. */
const ACCOUNT = /^S-1-(?:5-21|12-1)-/
const EVERYONE = 'S-1-1-0'

const FILE_ALL = 0x1f01ff
const FILE_READ = 0x120089
const FILE_WRITE = 0x120116
const FILE_RUN = 0x1200a0
const RIGHTS: Readonly<Record<string, number>> = {
  GA: FILE_ALL,
  GR: FILE_READ,
  GW: FILE_WRITE,
  GX: FILE_RUN,
  FA: FILE_ALL,
  FR: FILE_READ,
  FW: FILE_WRITE,
  FX: FILE_RUN,
  CC: 0x1,
  DC: 0x2,
  LC: 0x4,
  SW: 0x8,
  RP: 0x10,
  WP: 0x20,
  DT: 0x40,
  LO: 0x80,
  CR: 0x100,
  SD: 0x10000,
  RC: 0x20000,
  WD: 0x40000,
  WO: 0x80000,
}
/** Bits that stand for several others in a number. */
const GENERIC = [
  [0x10000000, FILE_ALL],
  [0x80000000, FILE_READ],
  [0x40000000, FILE_WRITE],
] as const
const READ = 0x1
/** Write or add data, delete, delete what is inside, give rights away, take the place over. */
const CHANGE = 0x2 | 0x4 | 0x40 | 0x10000 | 0x40000 | 0x80000

/** The line of the list in what `icacls /save` writes: a name, then the list; UTF-16 in every version of Windows so far. */
export function listIn(saved: Uint8Array): string | undefined {
  const bytes = Buffer.from(saved)
  const text = bytes.toString(bytes.includes(0) ? 'utf16le' : 'utf8').replace(/^\uFEFF/, '')
  // No name holds a colon, so that none looks like a list.
  return text.split(/\r?\n/).find((line) => /^D:(?:[A-Z_]*$|[A-Z]*\()/.test(line.trim()))
}

/**
 * Who besides the owner gets at a file or folder, by identity and not by name: names are in the language of Windows.
 * @param sddl the list in the security descriptor definition language
 * @param own the SID of who asks; without it other accounts cannot be told from the own and are left out
 * @returns undefined when the list is not understood
 */
export function accessIn(
  sddl: string,
  kind: 'file' | 'folder',
  own: string | undefined,
): Access | undefined {
  const list = /^D:([A-Z_]*)/.exec(sddl.trim())
  if (list === null) return undefined
  if (list[1]?.includes('NO_ACCESS_CONTROL') === true) return { kind: 'unguarded' }
  const entries = entriesOf(sddl.trim().slice(list[0].length))
  if (entries === undefined) return undefined
  // What is only for things inside says nothing of the place itself, but gives the files of a folder away.
  const effective = entries.filter(
    ({ flags }) => !flags.has('IO') || (kind === 'folder' && flags.has('OI')),
  )
  const sids = [...new Set(effective.map(({ sid }) => sid))]
  return {
    kind: 'list',
    others: sids.filter((sid) => isOther(sid, own)).flatMap((sid) => otherOf(sid, effective)),
  }
}

function isOther(sid: string, own: string | undefined): boolean {
  if (sid === own || TRUSTED.test(sid)) return false
  return !ACCOUNT.test(sid) || own !== undefined || /-51[345]$/.test(sid)
}

/** Entries count in their order: what was refused before is not given any more. */
function otherOf(sid: string, entries: readonly Entry[]): Other[] {
  let refused = 0
  let given = 0
  let isInherited = true
  for (const entry of entries) {
    if (entry.allows && entry.sid === sid) {
      const adds = entry.mask & ~refused & (READ | CHANGE)
      given |= adds
      if (adds !== 0) isInherited &&= entry.flags.has('ID')
    } else if (!entry.allows && (entry.sid === sid || entry.sid === EVERYONE)) refused |= entry.mask
  }
  if ((given & (READ | CHANGE)) === 0) return []
  return [{ sid, name: nameOf(sid), can: (given & CHANGE) === 0 ? 'read' : 'change', isInherited }]
}

function nameOf(sid: string): string {
  const group = /^S-1-5-21-.*-51([345])$/.exec(sid)?.[1]
  const relative = { 3: 'DU', 4: 'DG', 5: 'DC' }[group ?? ''] ?? sid
  return NAMES[relative] ?? sid
}

/** The parts in brackets; undefined when one of them is none of a list of rights. */
function entriesOf(text: string): Entry[] | undefined {
  const entries: Entry[] = []
  for (let at = 0; text[at] === '(';) {
    const end = endOfBrackets(text, at)
    if (end === undefined) return undefined
    const entry = entryOf(text.slice(at + 1, end))
    if (entry === undefined) return undefined
    entries.push(entry)
    at = end + 1
    // The list of what is audited comes behind.
    if (at === text.length || text.startsWith('S:', at)) return entries
    if (text[at] !== '(') return undefined
  }
  return text === '' || text.startsWith('S:') ? entries : undefined
}

/** Where the bracket that opens at `from` closes: a condition has brackets and quoted words of its own. */
function endOfBrackets(text: string, from: number): number | undefined {
  let depth = 0
  let isQuoted = false
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '"') isQuoted = !isQuoted
    if (isQuoted) continue
    if (text[at] === '(') depth += 1
    if (text[at] === ')') depth -= 1
    if (depth === 0) return at
  }
  return undefined
}

function entryOf(text: string): Entry | undefined {
  const [type = '', flags = '', rights = '', , , identity = ''] = text.split(';')
  const sid = SHORT[identity] ?? identity
  const mask = maskOf(rights)
  // A right under a condition counts as given, and a refusal under one as none: nobody here can tell whether it holds.
  const allows = /^(?:A|OA|XA|ZA)$/.test(type)
  if (!/^(?:S-1(?:-\d+)+|[A-Z]{2})$/.test(sid) || mask === undefined) return undefined
  if (!allows && !/^(?:D|OD|XD)$/.test(type)) return undefined
  const isConditional = type === 'XD'
  return {
    allows,
    flags: new Set(flags.match(/../g) ?? []),
    mask: isConditional ? 0 : mask,
    sid,
  }
}

function maskOf(rights: string): number | undefined {
  if (/^(?:0x[0-9a-f]{1,8}|\d{1,10})$/i.test(rights)) {
    const number = Number(rights)
    return GENERIC.reduce(
      (mask, [bit, meant]) => ((number & bit) === 0 ? mask : mask | meant),
      number | 0,
    )
  }
  let mask = 0
  if (rights.length % 2 !== 0) return undefined
  for (const word of rights.match(/../g) ?? []) {
    const bits = RIGHTS[word]
    if (bits === undefined) return undefined
    mask |= bits
  }
  return mask
}
