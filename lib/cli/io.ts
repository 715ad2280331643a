/** Said when Ctrl-C breaks something off: nothing is taken back. */
export const STOPPED = 'Stopped. What was done until now stays done.'

/** What a command may touch of the terminal. Exit codes are returned, never set. */
export interface CommandIo {
  stdout(text: string): void
  stderr(text: string): void
  /** One line about what is going on, replaced by the next; an empty one clears it. Shown on a terminal only, and only when it takes long. */
  progress(line: string): void
  /** The whole terminal for something that is drawn again and again; undefined where there is none, or it cannot do that. */
  openScreen(): Screen | undefined
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
  /** The output shows colours. */
  readonly hasColours: boolean
  /** Aborted on Ctrl-C, when the process is told to end, and when nobody reads the output any more. */
  readonly signal: AbortSignal
  readonly env: NodeJS.ProcessEnv
  /** Working folder. */
  readonly directory: string
}

/** The terminal while it is drawn on. */
export interface Screen {
  columns(): number
  rows(): number
  /** Replaces what is shown. Lines that are too long or too many are cut. */
  draw(lines: readonly string[]): void
  /** Told of every key, as the terminal sends it, and of a new size. */
  listen(listener: { key(text: string): void; resized(): void }): void
  /** Gives the terminal back as it was. Also happens when the process ends. */
  close(): void
}

/** What a value can be. */
export type Values =
  | { readonly kind: 'account' | 'tag' | 'file' | 'setting' }
  | { readonly kind: 'words'; readonly words: readonly string[] }

/** An option of a command. */
interface OptionTakes {
  readonly name: string
  readonly help: string
  /** Absent: it takes no value. */
  readonly value?: { readonly of?: Values | undefined; readonly isList: boolean }
}

/** What a command takes. */
export interface Takes {
  readonly options: readonly OptionTakes[]
  /** The values of the next word without a flag, after those that are there. */
  words(given: readonly string[]): readonly Values[]
}

/** A subcommand of `oc-codex-multi-auth`. */
export interface Command {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** What may follow it, for completion. */
  readonly takes: Takes
  /**
   * Runs the command.
   * @param argv the arguments after the command's name
   * @returns the exit code: 0 done, 1 failed, 2 wrong usage
   */
  run(argv: readonly string[], io: CommandIo): Promise<number>
}
