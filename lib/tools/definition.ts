import type * as z from 'zod'

import type { AccountPool } from '../accounts/account.js'
import type { Config } from '../config/settings.js'
import type { Runtime } from '../runtime.js'

/** Groups of the help page, in its order. */
export const TOOL_GROUPS = [
  'Setup and help',
  'Daily use',
  'Account metadata',
  'Diagnostics',
  'Backup and secrets',
] as const
type ToolGroup = (typeof TOOL_GROUPS)[number]

/**
 * What a tool can do at worst, in rising order: `read` looks, also at the backend; `edit` changes what the user can change
 * back; `spend` uses up something of an account; `secret` writes, reads or moves tokens; `destroy` takes away.
 */
export const RISKS = ['read', 'edit', 'spend', 'secret', 'destroy'] as const
export type Risk = (typeof RISKS)[number]

/** Who called: the user at a terminal or with a slash command, or the model of a session, whose words may be anybody's. */
type Caller = 'user' | 'model'

/** What the tools registered with the model add to every request; tokens are an estimate. */
export interface ProfileCost {
  readonly profile: string
  readonly count: number
  readonly bytes: number
  readonly tokens: number
}

/** What a running tool may do beside answering. */
export interface ToolContext {
  readonly signal: AbortSignal
  /** One line about what is going on; shown while the tool runs, where there is a place for it. */
  progress(line: string): void
  /** Show e-mail addresses and ids in full. */
  readonly includeSensitive: boolean
  /** Columns that fit; Infinity where the width does not matter. */
  readonly width: number
  /** Working folder for relative paths in arguments. */
  readonly directory: string
  readonly caller: Caller
  /** How who reads a preview agrees to it: `press y`; absent where it is the argument. */
  readonly agreeBy?: string
  /** What a profile of tools costs; here because no tool can ask for the list that holds it. */
  profileCost(profile: Config['tools']): ProfileCost
}

/** How who reads a preview agrees to it, inside of a sentence or at its begin. */
export function agreeing(
  { agreeBy = 'pass confirm' }: Pick<ToolContext, 'agreeBy'>,
  isBegin = false,
): string {
  return isBegin ? agreeBy.charAt(0).toUpperCase() + agreeBy.slice(1) : agreeBy
}

/** Seconds between two readings: by default, and at least. */
export interface WatchPace {
  readonly everyS: number
  readonly leastS: number
}

/** What lies on this machine may be looked at often. */
export const LOCAL_PACE: WatchPace = { everyS: 5, leastS: 1 }
/** A look at the backend is a request for each account. */
export const BACKEND_PACE: WatchPace = { everyS: 60, leastS: 30 }

/**
 * One tool, once: from this come the OpenCode tool `codex-<name>`, the command `oc-codex-multi-auth <name>`, the slash
 * command `/codex-<name>` and the row in docs/tools.md.
 */
export interface ToolDefinition<Shape extends z.ZodRawShape = z.ZodRawShape, Data = unknown> {
  readonly name: string
  readonly group: ToolGroup
  /** One sentence; the model reads it with every request when the tool is registered. */
  readonly summary: string
  readonly args: Shape
  /** Arguments that the command line also takes without their flag, in this order. */
  readonly positional?: readonly (keyof Shape & string)[]
  /** Offered to the model under the profile `core`. */
  readonly core?: true
  /** What it can do at worst. */
  readonly risk: Risk
  /** What a call with these arguments can do, where that is less; never more than `risk`. */
  riskOf?(args: z.output<z.ZodObject<Shape>>): Risk
  /** Arguments the model is not shown and may not give: they are the user's word, or the name of a file. */
  readonly userOnly?: readonly (keyof Shape & string)[]
  /** Arguments that name a file; a model may name files of ours alone, and is told so before the user is asked. */
  readonly ownFiles?: readonly (keyof Shape & string)[]
  /** The user cannot allow it to the model once for all, although what it changes can be changed back. */
  readonly asksEachTime?: true
  /** On a slash command the last positional argument is the rest of the line, as it stands. */
  readonly takesRest?: true
  /**
   * What is the user's alone, asked for by a model; looked at before the user is asked, and again by `run`.
   * @throws CodexError naming the command that the user can type
   */
  refuseModel?(runtime: Runtime, pool: AccountPool, args: z.output<z.ZodObject<Shape>>): void
  /** Members of the result whose texts have lines of their own; in every other one a line feed is not ours and goes. */
  readonly multiline?: readonly string[]
  run(runtime: Runtime, args: z.output<z.ZodObject<Shape>>, context: ToolContext): Promise<Data>
  /** @param view `nowMs`: epoch ms, for ages and remaining times */
  render(data: Data, view: { readonly width: number; readonly nowMs: number }): string
  /** How often `--watch` reads it, seconds; undefined where these arguments cannot be watched. Of tools that only read. */
  watch?(args: z.output<z.ZodObject<Shape>>): WatchPace | undefined
  /** True when the command line should end with exit code 1 although there is a result to show. */
  failed?(data: Data): boolean
}

/** A tool whose argument and result types are its own affair. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyTool = ToolDefinition<any, any>

/** Checks a definition's types and returns it. */
export function defineTool<Shape extends z.ZodRawShape, Data>(
  definition: ToolDefinition<Shape, Data>,
): ToolDefinition<Shape, Data> {
  return definition
}
