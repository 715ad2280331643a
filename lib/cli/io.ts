/** What a command may touch of the terminal. Exit codes are returned, never set. */
export interface CommandIo {
  stdout(text: string): void
  stderr(text: string): void
  /** One line about what is going on, replaced by the next; an empty one clears it. Shown on a terminal only. */
  progress(line: string): void
  /** Asks for one line; undefined where nobody can be asked. */
  ask(question: string): Promise<string | undefined>
  /** What comes through a pipe, to its end; absent where nothing does. @throws CodexError for more than `maxBytes` */
  readonly input?: (maxBytes: number) => Promise<string>
  /** Lets the user change a text in their editor; absent where there is no terminal. Undefined when they leave it alone. */
  readonly edit?: (name: string, text: string) => Promise<string | undefined>
  /** A person sits at a terminal that can show a menu, for input and output. */
  readonly isInteractive: boolean
  /** Width of the terminal; undefined when the output goes elsewhere. */
  readonly columns: number | undefined
  /** Aborted on Ctrl-C. */
  readonly signal: AbortSignal
  readonly env: NodeJS.ProcessEnv
  /** Working folder. */
  readonly directory: string
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
