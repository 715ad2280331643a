import type { Answer } from './snapshot.js'

/** Where two answers to one request part. */
export interface Parting {
  readonly status: { readonly recorded: number; readonly ours: number } | null
  readonly headers: {
    readonly onlyRecorded: readonly string[]
    readonly onlyOurs: readonly string[]
    /** Of headers whose value says what kind of answer it is. */
    readonly different: readonly {
      readonly name: string
      readonly recorded: string
      readonly ours: string
    }[]
  }
  /** The first events that differ in type; what is null has ended. Repeats of one type count as one. */
  readonly events: {
    readonly position: number
    readonly recorded: string | null
    readonly ours: string | null
  } | null
}

type Compared = Pick<Answer, 'status' | 'headers' | 'events'>

/** The rest differ from one answer to the next. */
const COMPARED = ['content-type', 'content-encoding', 'openai-model']

/** Pure. */
export function partingOf(recorded: Compared, ours: Compared): Parting {
  const names = (one: Compared): string[] => Object.keys(one.headers).sort()
  const isMissing = (from: Compared) => (name: string) => from.headers[name] === undefined
  return {
    status:
      recorded.status === ours.status ? null : { recorded: recorded.status, ours: ours.status },
    headers: {
      onlyRecorded: names(recorded).filter(isMissing(ours)),
      onlyOurs: names(ours).filter(isMissing(recorded)),
      different: COMPARED.flatMap((name) => {
        const [one, other] = [recorded.headers[name], ours.headers[name]]
        return typeof one === 'string' && typeof other === 'string' && kindOf(one) !== kindOf(other)
          ? [{ name, recorded: one, ours: other }]
          : []
      }),
    },
    events: firstDifference(recorded.events, ours.events),
  }
}

/** Spaces and case are nobody's intention. */
function kindOf(value: string): string {
  return value.toLowerCase().replaceAll(' ', '')
}

function firstDifference(
  recorded: Compared['events'],
  ours: Compared['events'],
): Parting['events'] {
  const longest = Math.max(recorded.length, ours.length)
  for (let at = 0; at < longest; at += 1) {
    const one = recorded[at]?.type ?? null
    const other = ours[at]?.type ?? null
    if (one !== other) return { position: at + 1, recorded: one, ours: other }
  }
  return null
}
