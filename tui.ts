import { tui } from './lib/tui/plugin.js'

/** OpenCode's TUI plugin, enabled in `tui.json` (docs/development/facts/opencode-host.md#tui-plugins). */
export default { id: 'oc-codex-multi-auth', tui }
