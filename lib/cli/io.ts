/** What a command may touch of the terminal. Exit codes are returned, never set. */
export interface CommandIo {
  stdout(text: string): void
  stderr(text: string): void
  /** Aborted on Ctrl-C. */
  readonly signal: AbortSignal
  readonly env: NodeJS.ProcessEnv
}

/** A subcommand of `oc-codex-multi-auth`. */
export interface Command {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /**
   * Runs the command.
   * @param argv the arguments after the command's name
   * @returns the exit code: 0 done, 1 failed, 2 wrong usage
   */
  run(argv: readonly string[], io: CommandIo): Promise<number>
}
