/** What the chunk beside this bundle offers. */
export interface LimitsChunk {
  /**
   * Asks the backend what is left of an account and writes the reading into the shared file that the view follows.
   * @throws Error with a sentence for the user
   */
  readonly readLimitsNow: (
    uid: string,
    where: { readonly env: NodeJS.ProcessEnv; readonly directory: string },
  ) => Promise<void>
}

/**
 * Reads the limits of an account in this process. What it takes is loaded now: no start of the TUI pays for it.
 * @param uid name of the account, which stays when the list changes
 * @throws Error with a sentence for the user
 */
export async function readLimits(
  uid: string,
  chunk = new URL('limits.js', import.meta.url).href,
): Promise<void> {
  const { readLimitsNow } = (await import(chunk)) as LimitsChunk
  await readLimitsNow(uid, { env: process.env, directory: process.cwd() })
}
