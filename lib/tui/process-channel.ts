/**
 * A question from one thread of this process to another: the TUI and its server are two, and some of what there is to tell
 * is in the memory of the server alone.
 */

/** The part of the channel that is used. */
interface Channel {
  onmessage: ((event: { readonly data: unknown }) => void) | null
  postMessage(message: unknown): void
  close(): void
  unref?(): void
}

interface Question {
  readonly kind: 'question'
  readonly id: string
  /** Who is meant: there is a server for each folder. */
  readonly directory: string
  readonly asked: unknown
}

interface Answer {
  readonly kind: 'answer'
  readonly id: string
  readonly answer: unknown
}

/** Of this plugin in this process. */
const NAME = 'oc-codex-multi-auth'

/**
 * Answers the questions for a folder until it is closed.
 * @param answerTo undefined, or an error, gives no answer
 */
export function answerQuestions(
  directory: string,
  answerTo: (asked: unknown) => Promise<unknown>,
): { close(): void } {
  const channel = openChannel()
  channel.onmessage = ({ data }) => {
    const question = data as Partial<Question> | null
    if (question?.kind !== 'question' || question.directory !== directory) return
    const { id = '' } = question
    answerTo(question.asked)
      .then((answer) => {
        const message: Answer = { kind: 'answer', id, answer }
        if (answer !== undefined) channel.postMessage(message)
      })
      .catch(() => undefined)
  }
  return channel
}

/** Asks, and takes the first answer. @returns undefined when there is none in time */
export async function askProcess(
  question: Omit<Question, 'kind'>,
  timeoutMs: number,
): Promise<unknown> {
  const channel = openChannel()
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise((resolve) => {
      timer = setTimeout(() => resolve(undefined), timeoutMs)
      channel.onmessage = ({ data }) => {
        const answer = data as Partial<Answer> | null
        if (answer?.kind === 'answer' && answer.id === question.id) resolve(answer.answer)
      }
      const message: Question = { kind: 'question', ...question }
      channel.postMessage(message)
    })
  } finally {
    clearTimeout(timer)
    channel.close()
  }
}

function openChannel(): Channel {
  const channel = new BroadcastChannel(NAME) as unknown as Channel
  // It keeps no process from ending.
  channel.unref?.()
  return channel
}
