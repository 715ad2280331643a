import { isRecord } from '../kernel/json.js'
import { type StoredAccount, storedAccountSchema } from './account.js'

/** Values of known fields that cannot be used wait under this key of their record: nothing of a file is lost. */
const SET_ASIDE = 'unreadFields'

/**
 * The account in a record of the file; undefined when no credential is in it. Any other field may hold anything: what
 * cannot be used is set aside and stays in the record. Pure.
 */
export function readAccount(record: unknown): StoredAccount | undefined {
  if (!isRecord(record)) return undefined
  const parsed = storedAccountSchema.safeParse(record)
  if (!parsed.success || !hasCredential(parsed.data)) return undefined
  const account = Object.fromEntries(
    Object.entries(parsed.data).filter(([, value]) => value !== undefined),
  ) as StoredAccount
  const odd = Object.entries(record).filter(
    ([field, value]) => value !== null && account[field] === undefined,
  )
  const earlier = isRecord(account[SET_ASIDE]) ? account[SET_ASIDE] : {}
  return {
    ...account,
    ...kindOf(account),
    ...(odd.length === 0 ? {} : { [SET_ASIDE]: { ...earlier, ...Object.fromEntries(odd) } }),
  }
}

/** A record with a key and no login is that of a key, whatever stands in the place of its kind: where it is sent hangs on it. */
function kindOf({
  kind,
  apiKey,
  refreshToken,
  accessToken,
  sealed,
}: StoredAccount): Pick<StoredAccount, 'kind'> {
  const isKey =
    kind === undefined &&
    isSaid(apiKey) &&
    !isSaid(refreshToken) &&
    !isSaid(accessToken) &&
    !isSaid(sealed)
  return isKey ? { kind: 'api-key' } : {}
}

function hasCredential({ refreshToken, accessToken, apiKey, sealed }: StoredAccount): boolean {
  return [refreshToken, accessToken, apiKey, sealed].some(isSaid)
}

function isSaid(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}
