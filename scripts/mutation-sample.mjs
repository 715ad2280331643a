/**
 * A plugin of StrykerJS that lets a seeded sample of the mutants through: each gets a hash of the seed, its place and its
 * change, and the lowest hashes are tested. The same code, seed and size give the same mutants.
 */
import { createHash } from 'node:crypto'
import path from 'node:path'

export const OUTSIDE_SAMPLE = 'outside the sample'

/** What StrykerJS looks for in a plugin; a checker is what it asks before it runs the tests for a mutant. */
export const strykerPlugins = [{ kind: 'Checker', name: 'sample', factory: sampleChecker }]

sampleChecker.inject = ['options']

function sampleChecker({ sample: { seed, size } }) {
  const rank = ({ fileName, location: { start, end }, mutatorName, replacement }) =>
    createHash('sha256')
      .update(JSON.stringify([seed, path.basename(fileName), start, end, mutatorName, replacement]))
      .digest('hex')
  return {
    async init() {},
    /** One group of all mutants: a sample can only be drawn by who sees the whole. */
    async group(mutants) {
      return [mutants.map(({ id }) => id)]
    },
    async check(mutants) {
      const ranked = mutants
        .map((mutant) => ({ id: mutant.id, rank: rank(mutant) }))
        .sort((a, b) => (a.rank < b.rank ? -1 : 1))
      return Object.fromEntries(
        ranked.map(({ id }, index) => [
          id,
          index < size ? { status: 'passed' } : { status: 'compileError', reason: OUTSIDE_SAMPLE },
        ]),
      )
    },
  }
}
