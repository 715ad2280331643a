import { escapeHtml, policyFor } from '../kernel/text/html.js'

const STYLE = `
:root { color-scheme: light dark; --fg: #1c1c1e; --bg: #f6f6f4; --card: #fff; --soft: #6b6b70; --line: #e2e2de; --ok: #1a7f4b; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --fg: #ececee; --bg: #161618; --card: #202023; --soft: #a0a0a8; --line: #333338; --ok: #5fd39a; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px; font: 16px/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg); }
main { max-width: 30rem; width: 100%; padding: 32px; border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
h1 { margin: 0 0 8px; font-size: 1.35rem; }
h1::before { display: inline-block; width: 1.6em; font-weight: 700; }
.ok h1::before { content: "✓"; color: var(--ok); }
.bad h1::before { content: "✕"; color: var(--bad); }
p { margin: 0 0 8px; overflow-wrap: anywhere; }
footer { margin-top: 24px; font-size: .85rem; color: var(--soft); }
code { font: .95em ui-monospace, monospace; }
`

/** The page allows its one style sheet by hash and nothing else: no script, no request, no frame. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `${policyFor(STYLE)}; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  connection: 'close',
}

/** What the browser shows when the login was taken over. */
export function successPage(): string {
  return page('ok', 'Signed in', [
    'The account is ready. You can close this tab and go back to OpenCode.',
  ])
}

/**
 * What the browser shows when it was not.
 * @param reason one sentence; may come from outside, it is escaped
 */
export function failurePage(reason: string): string {
  return page('bad', 'Not signed in', [reason, 'Go back to OpenCode and start the login again.'])
}

function page(kind: 'ok' | 'bad', title: string, paragraphs: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main class="${kind}">
<h1>${escapeHtml(title)}</h1>
${paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`).join('\n')}
<footer>Answered on this computer by <code>oc-codex-multi-auth</code>.</footer>
</main>
</body>
</html>
`
}
