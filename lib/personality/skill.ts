import path from 'node:path'

import { readBoundedFile } from '../kernel/files/bounded-file.js'
import { sha256Hex } from '../kernel/hash.js'
import { commandsIn } from '../kernel/text/command-words.js'
import { SKILL_BODY, SKILL_NAME } from './skill-text.js'

const FILE = 'SKILL.md'
const MAX_SKILL_BYTES = 64 * 1024
/** The line by which a copy of ours is known, and whether somebody changed it since. */
const SEAL = /^ {2}oc-codex-multi-auth: "([0-9a-f]{16})"\n/m

/** What is in the place of the skill: nothing, our text of today or of another version, or words of somebody else. */
export type SkillState = 'absent' | 'current' | 'older' | 'changed'

/** Where OpenCode looks for the skill. @param folder OpenCode's configuration folder */
export function skillFile(folder: string): string {
  return path.join(folder, 'skills', SKILL_NAME, FILE)
}

/** The whole file, with a seal over its words. */
export function skillText(): string {
  const open = [
    '---',
    `name: ${SKILL_NAME}`,
    'description: Use when the user wants to make or change a personality of oc-codex-multi-auth, a text about how the assistant speaks.',
    'metadata:',
    '  oc-codex-multi-auth: "0000000000000000"',
    '---',
    '',
    commandsIn(SKILL_BODY, 'terminal'),
  ].join('\n')
  return open.replace('0000000000000000', sealOf(open))
}

/** @throws UnreadableFile for what is no file */
export async function skillState(file: string): Promise<SkillState> {
  const text = await readBoundedFile(file, MAX_SKILL_BYTES)
  if (text === undefined) return 'absent'
  if (text === skillText()) return 'current'
  const seal = SEAL.exec(text)?.[1]
  return seal !== undefined && seal === sealOf(text) ? 'older' : 'changed'
}

/** Whether a text began as one of ours, whatever became of it. Pure. */
export function hasOurSeal(text: string): boolean {
  return SEAL.test(text)
}

function sealOf(text: string): string {
  return sha256Hex(text.replace(SEAL, '')).slice(0, 16)
}
