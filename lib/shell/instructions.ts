import type { Turn } from './turns.js'

/** What one capability adds to the instructions of a turn; undefined for nothing. */
export type InstructionPart = (turn: Turn) => Promise<string | undefined>

/** Every part there is, in the order in which they stand behind the host's own instructions. */
export interface InstructionParts {
  /** How the model speaks. */
  readonly personality: InstructionPart
  /** What the model does in its role; last, because it may narrow what stands before it. */
  readonly collaboration: InstructionPart
}

const ORDER = ['personality', 'collaboration'] as const satisfies (keyof InstructionParts)[]

/**
 * The instructions of a turn with what the capabilities in force add to them. Title, summary and compaction stay as they
 * are.
 */
export async function withParts(
  instructions: string,
  turn: Turn,
  parts: Partial<InstructionParts>,
): Promise<string> {
  if (turn.purpose === 'auxiliary') return instructions
  const texts = await Promise.all(ORDER.map(async (name) => parts[name]?.(turn)))
  const added = texts.filter((text) => text !== undefined && text !== '')
  return [instructions, ...added].join('\n\n')
}
