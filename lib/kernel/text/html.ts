import { createHash } from 'node:crypto'

import { plainLines } from './plain-text.js'

/**
 * Escapes a text for HTML content and quoted attributes. What no browser shows, what turns the direction of its
 * neighbours and what some parsers trip over is taken out first.
 */
export function escapeHtml(text: string): string {
  return plainLines(text).replace(
    /[&<>"'`]/g,
    (character) => `&#${String(character.charCodeAt(0))};`,
  )
}

/** The content security policy of a page that needs nothing but its one style sheet: no script, no request, no form. */
export function policyFor(style: string): string {
  const hash = createHash('sha256').update(style).digest('base64')
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
}
