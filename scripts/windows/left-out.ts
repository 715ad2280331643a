interface LeftOut {
  readonly file: string
  /** Part of the titles; every test of the file without it. */
  readonly title?: string
  readonly why: string
}

/** Tests whose failure below Wine says nothing about Windows. They run all the same, and count as skipped when they fail. */
const LEFT_OUT: readonly LeftOut[] = [
  {
    file: 'test/tokens/login-copies.test.ts',
    title: 'when the home was named by a link',
    why: 'Wine makes no junctions (ENOTSUP)',
  },
]

/** Why the failure of a test below Wine does not count; undefined when it does. Pure. */
export function whyLeftOut(file: string, title: string): string | undefined {
  return LEFT_OUT.find(
    (one) => one.file === file && (one.title === undefined || title.includes(one.title)),
  )?.why
}
