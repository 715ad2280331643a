import { createInterface } from 'node:readline'

import { parsedJson } from '../../kernel/text/json.js'
import type { startProgram } from '../../kernel/start-program.js'
import type { Job, Told } from './job.js'

/** A process of the drill. */
export interface Helper {
  readonly job: Job
  /** Everything it told so far. */
  readonly told: readonly Told[]
  /** Waits for it to tell something. @throws when it ends before, or the drill is over */
  waitFor<Kind extends Told['told']>(kind: Kind): Promise<Extract<Told, { told: Kind }>>
  go(): void
  stop(): void
  /** Ends it as the system does, in the middle of what it does. Resolves when it is gone. */
  kill(): Promise<void>
  readonly ended: Promise<void>
}

/** Talks with a process that was just started. */
export function helperOf(child: NonNullable<ReturnType<typeof startProgram>>, job: Job): Helper {
  const told: Told[] = []
  const listeners = new Set<() => void>()
  let stderr = ''
  let isOver = false
  const changed = (): void => {
    for (const listener of listeners) listener()
  }
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin?.on('error', () => undefined)
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => {
      // A process that is killed may end in the middle of a line.
      const said = parsedJson(line)
      if (said === undefined) return
      told.push(said as Told)
      changed()
    })
  const ended = new Promise<void>((resolve) => {
    const over = (): void => {
      isOver = true
      changed()
      resolve()
    }
    child.once('close', over)
    child.once('error', over)
  })
  const order = (text: string): void => {
    if (!isOver) child.stdin?.write(`${text}\n`)
  }
  return {
    job,
    told,
    ended,
    waitFor<Kind extends Told['told']>(kind: Kind) {
      return new Promise<Extract<Told, { told: Kind }>>((resolve, reject) => {
        const look = (): void => {
          const found = told.find((one): one is Extract<Told, { told: Kind }> => one.told === kind)
          if (found === undefined && !isOver) return
          listeners.delete(look)
          if (found !== undefined) resolve(found)
          else reject(new HelperFailed(whyOf(told, stderr)))
        }
        listeners.add(look)
        look()
      })
    },
    go: () => order('go'),
    stop: () => order('stop'),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** A process of the drill ended before it was done. */
export class HelperFailed extends Error {
  override readonly name = 'HelperFailed'
}

function whyOf(told: readonly Told[], stderr: string): string {
  const last = told.find((one) => one.told === 'failed')
  return last?.why ?? (stderr.trim().split('\n').slice(-3).join(' ') || 'it ended without a word')
}
