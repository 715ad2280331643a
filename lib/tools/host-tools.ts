import type { Hooks, ToolContext as HostContext } from '@opencode-ai/plugin'
import * as z from 'zod/mini'

import type { Risk } from './definition.js'

type HostTools = NonNullable<Hooks['tool']>

/** An argument as a JSON Schema says it: the few forms that tools use. */
type ModelArgument = (
  | { readonly type: 'string' | 'number' | 'boolean' }
  | { readonly type: 'integer'; readonly minimum: number; readonly maximum: number }
  | { readonly type: 'string'; readonly enum: readonly string[] }
  | { readonly type: 'array'; readonly items: ModelArgument }
  | { readonly type: readonly ('string' | 'number' | 'boolean')[] }
) & { readonly description?: string }

/** What the model is told of a tool. */
export interface ModelTool {
  readonly name: string
  readonly summary: string
  readonly risk: Risk
  readonly core?: true
  readonly args: Readonly<Record<string, ModelArgument>>
  /** Names of arguments that cannot be left out. */
  readonly required: readonly string[]
}

/** Runs the tool of a name for the model; what it comes to is what the model reads. */
export type ModelCall = (
  name: string,
  given: Record<string, unknown>,
  context: HostContext,
) => Promise<string>

/** Tools in the host's shape, for the model (docs/development/facts/opencode-host.md#tools). */
export function hostTools(tools: readonly ModelTool[], call: ModelCall): HostTools {
  return Object.fromEntries(
    tools.map((tool) => [
      `codex-${tool.name}`,
      {
        description: tool.summary,
        // The host's types name its own copy of zod; at run time any copy of version 4 will do.
        args: hostArguments(tool) as never,
        async execute(given: Record<string, unknown>, context) {
          return {
            title: tool.name,
            output: await call(tool.name, given, context),
            metadata: {},
          }
        },
      },
    ]),
  )
}

/**
 * The arguments as schemas. The host takes a JSON Schema too, but calls every argument of it required, and the oldest hosts
 * do not: what makes a schema of the small library comes to a seventh of the large one.
 */
export function hostArguments({ args, required }: Pick<ModelTool, 'args' | 'required'>) {
  return Object.fromEntries(
    Object.entries(args).map(([name, argument]) => {
      const schema = schemaOf(argument)
      return [name, required.includes(name) ? schema : z.optional(schema)]
    }),
  )
}

function schemaOf(argument: ModelArgument): z.ZodMiniType {
  const schema = plainSchemaOf(argument)
  const { description } = argument
  if (description === undefined) return schema
  z.globalRegistry.add(schema, { description })
  // Newer hosts look at the schema itself.
  return Object.assign(schema, { description })
}

function plainSchemaOf(argument: ModelArgument): z.ZodMiniType {
  if (typeof argument.type !== 'string')
    return z.union(argument.type.map((type) => schemaOf({ type })))
  if ('enum' in argument) return z.enum([...argument.enum])
  switch (argument.type) {
    case 'string':
      return z.string()
    case 'number':
      return z.number()
    case 'boolean':
      return z.boolean()
    case 'integer':
      return z.int().check(z.minimum(argument.minimum), z.maximum(argument.maximum))
    case 'array':
      return z.array(schemaOf(argument.items))
  }
}
