import { accountsFileOf, writePool } from './records.js'
import { temporaryFolder } from './temporary.js'

/** A home with these accounts in its pool, gone after the test. */
export async function aHome(accounts: readonly object[] = []): Promise<string> {
  const home = await temporaryFolder()
  await writePool(accountsFileOf(home), accounts)
  return home
}

/** The variables that make a folder the home of a user: Windows takes it from another one than everybody else. */
export function homeIn(home: string): { readonly HOME: string; readonly USERPROFILE: string } {
  return { HOME: home, USERPROFILE: home }
}
