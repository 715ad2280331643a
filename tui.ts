import { tui } from './lib/tui/plugin.js'

/** OpenCode's TUI plugin, enabled in `tui.json` (host facts §6). */
export default { id: 'oc-codex-multi-auth', tui }
