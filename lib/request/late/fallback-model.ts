import { entryFor, resolveModel } from '../../models/resolve.js'

/**
 * Models tried in turn when no account may use one and the user has opted in; a user's own chain replaces the
 * entry. Newer to older within one size.
 */
const BUILT_IN_CHAIN: Readonly<Record<string, readonly string[]>> = {
  'gpt-6.1-sol': ['gpt-6-sol', 'gpt-5.6-sol', 'gpt-5.5'],
  'gpt-6-astra': ['gpt-6.1-sol', 'gpt-6-sol', 'gpt-5.5'],
  'gpt-6-sol': ['gpt-5.6-sol', 'gpt-5.5'],
  'gpt-6-luna': ['gpt-5.6-luna', 'gpt-5.5'],
  'gpt-6.1-terra': ['gpt-5.6-terra', 'gpt-5.5'],
  'gpt-5.6-sol': ['gpt-5.5'],
  'gpt-5.6-terra': ['gpt-5.5'],
  'gpt-5.6-luna': ['gpt-5.5'],
}

/** The next model to try; undefined at the end of the chain. Pure. */
export function fallbackModel(
  model: string,
  chains: Readonly<Record<string, readonly string[]>>,
  tried: ReadonlySet<string>,
): string | undefined {
  return (entryFor(chains, model) ?? entryFor(BUILT_IN_CHAIN, model) ?? [])
    .map((id) => resolveModel(id).model)
    .find((candidate) => !tried.has(candidate))
}
