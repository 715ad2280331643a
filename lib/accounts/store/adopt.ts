import type { Clock } from '../../kernel/clock.js'
import { isCodexError } from '../../kernel/errors.js'
import type { AccountPool } from '../account.js'
import { MovedAside, noticeOf } from './moved-aside.js'
import type { AccountStore } from './store.js'
import type { Vault } from '../keychain/vault.js'

/** A login in hand is worth waiting for who holds the file, or for a keychain that is being unlocked. */
const TRIES = 4
/** Longer than a keychain that failed is left alone, ms. */
const PAUSE_MS = 6_000

/**
 * Reads the pool, so that a damaged file is moved aside now and not in the middle of something.
 * @returns what was moved aside, in whole sentences
 * @throws CodexError as `read`, for what stays in its place
 */
export async function moveDamagedAside(store: AccountStore): Promise<string | undefined> {
  try {
    await store.read()
    return undefined
  } catch (error) {
    if (error instanceof MovedAside) return noticeOf(error)
    throw error
  }
}

/**
 * Looks whether a login could be stored, before its owner is sent on the way.
 * @returns what was moved aside, in whole sentences
 * @throws CodexError that would keep a login from being stored: `store_newer`, `store_unreadable`, `keychain_unreachable`
 */
export async function ensureStorable(
  store: AccountStore,
  vault: Vault,
): Promise<string | undefined> {
  const notice = await moveDamagedAside(store)
  // A new file would be sealed from its first write on.
  if (vault.optedIn && (await store.read()).accounts.length === 0) await vault.probe()
  return notice
}

/**
 * Like `update`, for what cannot be had a second time, such as a login that was just approved: a damaged file is moved aside
 * and the change goes into a new one, and what may pass by itself is tried again.
 * @returns `notice`: what was moved aside, in whole sentences
 * @throws CodexError as `update`; nothing is changed then
 */
export async function adopt(
  store: AccountStore,
  clock: Pick<Clock, 'sleep'>,
  change: (pool: AccountPool) => AccountPool,
): Promise<{ readonly pool: AccountPool; readonly notice?: string }> {
  let notice: string | undefined
  for (let tries = 1; ; tries += 1) {
    try {
      const pool = await store.update(change)
      return { pool, ...(notice === undefined ? {} : { notice }) }
    } catch (error) {
      if (tries >= TRIES || !isCodexError(error)) throw error
      if (error instanceof MovedAside) notice = noticeOf(error)
      else if (error.code === 'keychain_unreachable') await clock.sleep(PAUSE_MS)
      else if (error.code !== 'store_busy') throw error
    }
  }
}
