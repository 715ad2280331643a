import type { Hooks, PluginInput } from '@opencode-ai/plugin'

/** What the host hands to `chat.params` and `chat.headers`: the first hooks of a turn that know its agent. */
export type AskedOfHook = Pick<
  Parameters<NonNullable<Hooks['chat.params']>>[0],
  'sessionID' | 'agent' | 'model'
>

/** One request for an answer, as the host describes it: never as its text reads. */
export interface Turn {
  readonly session: string
  /** Name of the agent: `build`, `plan`, `general`, one of the user's own, or one that the host keeps for itself. */
  readonly agent: string
  /** Id of the model in the host's list. */
  readonly model: string
  /** `auxiliary`: the host asks for itself, for a title, a summary or a compaction; nobody reads an answer of it as one. */
  readonly purpose: 'conversation' | 'auxiliary'
}

/** Whether a session is the user's own or a sub-agent's; `unknown` where the host does not say. */
export type Place = 'root' | 'child' | 'unknown'

/** Who asks, from what the host says of the turn and of its session. */
export interface Turns {
  /** The turn behind a call of a hook; undefined when its model is not of the provider that is ours. */
  of(asked: AskedOfHook): Turn | undefined
  /** Asks the host once per session. Never rejects. */
  placeOf(session: string): Promise<Place>
  /** The session is deleted. */
  forget(session: string): void
}

/** The provider whose requests go through the plugin. */
export const PROVIDER = 'openai'

/** Agents that are the host's own and speak to nobody (docs/development/facts/opencode-host.md#who-asks). */
const AUXILIARY = new Set(['title', 'summary', 'compaction', 'project-copy-name'])

/** The host answers from its own memory, in 300 ms at worst right after its start. */
const ANSWER_TIMEOUT_MS = 2_000

/** Sessions remembered; the oldest goes first. */
const MOST_SESSIONS = 500

export function createTurns(client: Pick<PluginInput['client'], 'session'>): Turns {
  const places = new Map<string, Promise<Place>>()

  async function ask(session: string): Promise<Place> {
    const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
    const { data } = await client.session
      .get({ path: { id: session }, signal: timeout })
      .catch(() => ({ data: undefined }))
    if (data === undefined) places.delete(session)
    return placeIn(data)
  }

  return {
    of({ sessionID, agent, model }) {
      if (model.providerID !== PROVIDER) return undefined
      const purpose = AUXILIARY.has(agent) ? 'auxiliary' : 'conversation'
      return { session: sessionID, agent, model: model.id, purpose }
    },
    placeOf(session) {
      const known = places.get(session)
      if (known !== undefined) return known
      const [oldest] = places.keys()
      if (places.size >= MOST_SESSIONS && oldest !== undefined) places.delete(oldest)
      const asked = ask(session)
      places.set(session, asked)
      return asked
    },
    forget: (session) => void places.delete(session),
  }
}

function placeIn(data: { readonly parentID?: string } | undefined): Place {
  if (data === undefined) return 'unknown'
  return typeof data.parentID === 'string' && data.parentID !== '' ? 'child' : 'root'
}
