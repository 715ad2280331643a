import { NO_PERSONALITY, PERSONALITY_NAME } from '../config/personality-value.js'

/** Texts of the backend's own, by the name the user gives them. */
export const LISTED = ['friendly', 'pragmatic'] as const
export type ListedName = (typeof LISTED)[number]

/** Names that Windows takes for devices, whatever follows a dot. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$/

/** True for a name whose text is the backend's: no file speaks for it, whoever brings one. */
export function isListed(name: string): name is ListedName {
  return (LISTED as readonly string[]).includes(name)
}

/** A name as somebody typed it, in lower case; or why it is none, in one sentence. Pure. */
export function nameFrom(
  text: string,
): { readonly name: string; readonly problem?: never } | { readonly problem: string } {
  const shown = JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text)
  if (!PERSONALITY_NAME.test(text))
    return {
      problem: `${shown} is no name of a personality: up to 64 letters, digits, "-" and "_", beginning with a letter or digit.`,
    }
  const name = text.toLowerCase()
  return DEVICE.test(name) ? { problem: `${shown} is the name of a device on Windows.` } : { name }
}

/** Why a file may not have this name; undefined when it may. Pure. */
export function problemOfOwnName(name: string): string | undefined {
  if (name === NO_PERSONALITY) return '"none" stands for no personality.'
  return isListed(name)
    ? `"${name}" is a text of the backend’s model list; a file of that name is never read.`
    : undefined
}
