/**
 * How often a fuzzer tries: a quick sample in the gate, `FUZZ=n` for n times as much, `FUZZ=all` for a hundred times,
 * `FUZZ_RUNS=n` for exactly so many. The seed stays the same unless `FUZZ_SEED` names another, so that a red gate is red again.
 */
const SEED = Number(process.env.FUZZ_SEED ?? 17)
const ALL = 100

/** Parameters for `fc.assert`. @param quick runs in the gate */
export function runs(quick: number): { readonly numRuns: number; readonly seed: number } {
  const wanted =
    process.env.FUZZ_RUNS ??
    quick * (process.env.FUZZ === 'all' ? ALL : Number(process.env.FUZZ ?? 1))
  return { numRuns: Number(wanted), seed: SEED }
}

/** Time for a fuzzer that tries a sample of `quick`, ms. */
export function timeFor(quick: number): number {
  return 30_000 + runs(quick).numRuns * 2_000
}
