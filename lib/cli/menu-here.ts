import { accountsCommand } from './accounts.js'
import { main } from './main.js'
import { terminalIo } from './terminal/terminal.js'

/**
 * The menu of the accounts inside OpenCode, while it has the terminal to itself and waits for us. It runs in this process:
 * a second one would have to be kept from the files of the project one stands in.
 * @param directory the project, for what the menu shows of it
 */
export async function runMenuHere(env: NodeJS.ProcessEnv, directory: string): Promise<void> {
  const abort = new AbortController()
  const stop = (): void => abort.abort()
  process.once('SIGINT', stop)
  try {
    await main([accountsCommand], [accountsCommand.name], {
      ...terminalIo(abort.signal),
      env,
      directory,
    })
  } finally {
    process.off('SIGINT', stop)
  }
}
