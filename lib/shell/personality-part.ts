import type { PluginInput } from '@opencode-ai/plugin'

import { createListedTexts } from '../catalogue/listed-texts.js'
import { namesIn } from '../config/personality-value.js'
import type { Config } from '../config/settings.js'
import type { Paths } from '../kernel/files/paths.js'
import { chosenFor } from '../personality/choice.js'
import { createPersonalityFiles, personalityFolders } from '../personality/files.js'
import { isHereIn } from '../personality/here.js'
import { spokenBy } from '../personality/spoken.js'
import { createHostPort } from './host-client.js'
import type { InstructionPart } from './instructions.js'
import type { Turns } from './turns.js'

const TOAST_MS = 10_000

/** The personality as a part of the instructions; undefined where the configuration names none. */
export function personalityPart(
  { personality }: Pick<Config, 'personality'>,
  input: Pick<PluginInput, 'client' | 'directory'>,
  {
    paths,
    env,
    turns,
  }: { readonly paths: Paths; readonly env: NodeJS.ProcessEnv; readonly turns: Turns },
): InstructionPart | undefined {
  if (namesIn(personality).length === 0) return undefined
  const { directory } = input
  const files = createPersonalityFiles(personalityFolders({ paths, env, directory }))
  const lists = createListedTexts(paths.catalogueFile)
  const isHere = isHereIn(directory, paths.home)
  const host = createHostPort(input.client)
  const said = new Set<string>()

  /** Once: the next turn goes without it as well, and the user knows why. */
  const say = (problem: string): void => {
    if (said.has(problem)) return
    said.add(problem)
    const message = `${problem} Requests go out without it. Help: {personality list}`
    host.toast({ variant: 'warning', title: 'Personality', message, durationMs: TOAST_MS })
  }

  return async ({ session, agent, model }) => {
    const isChild = (await turns.placeOf(session)) === 'child'
    const name = chosenFor(personality, { agent, model, isChild }, isHere)
    if (name === undefined) return undefined
    const spoken = await spokenBy(name, model, { files, listed: lists.find })
    if (spoken.kind === 'part') return spoken.part
    say(spoken.problem)
    return undefined
  }
}
