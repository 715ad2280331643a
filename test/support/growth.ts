import { performance } from 'node:perf_hooks'

/** Texts that make careless expressions look again and again at what they have seen: each a unit that is repeated. */
export const ALPHABETS: readonly string[] = [
  'a',
  'A.',
  '.',
  'eyJ',
  'eyJ-',
  '-',
  '@',
  'a@',
  'a@a.',
  ' ',
  '\n',
  '\t ',
  '\\',
  '"',
  "'",
  ':',
  '=',
  '://',
  '{',
  '[',
  ',',
  '0',
  '0a',
  'Zm9v',
  '+/',
  'é',
  '😀',
  '\u0301',
  '\ud800',
  'Bearer ',
  'sk-',
  'token',
  'token=',
  'token: ',
  '"token":"',
  'cookie',
  'Cookie: a',
  '-----BEGIN ',
  '-----BEGIN KEY-----\n',
  'ghp_',
  'xoxb-',
  'AKIA',
  'deadbeef-',
  'encrypted content ',
  'try again in 1',
  "of type 'x",
  'input length exceeds ',
  'rate limit ',
  '429',
  'a1.',
  'a-b_c.d@e ',
  'HTTP 5',
  'x@y.z1@',
  '| ',
  '1. ',
  '```',
]

/** The unit, repeated up to this many characters. */
export function repeated(unit: string, chars: number): string {
  return unit.repeat(Math.ceil(chars / unit.length)).slice(0, chars)
}

const SMALL = 64 * 1024
const TIMES = 16
/** Times shorter than this say nothing, ms. */
const FLOOR_MS = 4
const TRIES = 3

/**
 * How much longer a text 16 times as long takes: about 16 where the work grows with the length, 256 where it grows with its
 * square. The larger text has 1 MB.
 */
export function growth(work: (text: string) => unknown, textOf: (chars: number) => string): number {
  const [small, large] = [textOf(SMALL), textOf(SMALL * TIMES)]
  let least = Infinity
  // What grows with its square does so every time; a machine with other things to do is in the way only now and then.
  for (let tries = 0; tries < TRIES && least >= SQUARE_GROWTH; tries += 1) {
    const long = timed(() => work(large))
    const short = Math.max(
      FLOOR_MS,
      timed(() => work(small)),
    )
    least = Math.min(least, long / short)
  }
  return least
}

/** Work on a text that grows with its square shows more than this. */
export const SQUARE_GROWTH = 100

function timed(work: () => unknown): number {
  const before = performance.now()
  work()
  return performance.now() - before
}
