/** Severity, in the host's own words (`client.app.log`). */
type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/**
 * Where messages go. Inside OpenCode stdout and stderr belong to the screen, so the plugin logs through the host's
 * client; the command line prints. `extra` is redacted by the sink, never by the caller.
 */
export interface Logger {
  log(level: LogLevel, message: string, extra?: Readonly<Record<string, unknown>>): void
}

/** Keeps nothing; for tests and for code that runs before a host is known. */
export const silentLogger: Logger = { log: () => undefined }
