import { plainLines } from '../kernel/plain-text.js'

const MARKUP = Symbol('markup')

/** HTML that is safe to put into a page: every part of it came through `html`. */
export interface Markup {
  readonly [MARKUP]: string
}

/** What may stand in a template: texts and numbers are escaped, markup is not, nothing leaves nothing behind. */
export type Part = string | number | Markup | readonly Markup[] | undefined

/**
 * Template tag for HTML: whatever is put in is escaped, so that a forgotten call cannot open a hole. Attributes must stand
 * in double quotes.
 */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return {
    [MARKUP]: texts
      .map((text, index) => text + (index < parts.length ? written(parts[index]) : ''))
      .join(''),
  }
}

/** The HTML as text. */
export function textOf(markup: Markup): string {
  return markup[MARKUP]
}

/** Takes a text that is markup already: our own style sheet, and nothing from outside. */
export function ownText(text: string): Markup {
  return { [MARKUP]: text }
}

/**
 * Escapes a text for HTML content and quoted attributes. What no browser shows, what turns the direction of its
 * neighbours and what some parsers trip over is taken out first.
 */
export function escaped(text: string): string {
  return plainLines(text).replace(
    /[&<>"'`]/g,
    (character) => `&#${String(character.charCodeAt(0))};`,
  )
}

function written(part: Part): string {
  if (part === undefined) return ''
  if (typeof part === 'string') return escaped(part)
  if (typeof part === 'number') return String(part)
  return MARKUP in part ? part[MARKUP] : part.map(textOf).join('\n')
}
