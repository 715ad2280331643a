import { codexDashboard } from './daily/codex-dashboard.js'
import { codexDiag } from './diagnostics/codex-diag.js'
import { codexDiff } from './diagnostics/codex-diff.js'
import { codexDoctor } from './diagnostics/codex-doctor.js'
import { codexExport } from './backup/codex-export.js'
import { codexHealth } from './diagnostics/codex-health.js'
import { codexHelp } from './setup/codex-help.js'
import { codexImport } from './backup/codex-import.js'
import { codexKeychain } from './backup/codex-keychain.js'
import { codexLabel } from './accounts/codex-label.js'
import { codexLimits } from './daily/codex-limits.js'
import { codexList } from './daily/codex-list.js'
import { codexMetrics } from './diagnostics/codex-metrics.js'
import { codexNext } from './setup/codex-next.js'
import { codexNote } from './accounts/codex-note.js'
import { codexPool } from './daily/codex-pool.js'
import { codexRefresh } from './accounts/codex-refresh.js'
import { codexRemove } from './accounts/codex-remove.js'
import { codexReset } from './daily/codex-reset.js'
import { codexSetup } from './setup/codex-setup.js'
import { codexStatus } from './daily/codex-status.js'
import { codexSwitch } from './daily/codex-switch.js'
import { codexTag } from './accounts/codex-tag.js'
import { codexToggle } from './accounts/codex-toggle.js'
import { codexWarm } from './daily/codex-warm.js'
import type { AnyTool } from './definition.js'

/** Every tool, in the order of the help page. */
export const TOOLS: readonly AnyTool[] = [
  codexSetup,
  codexHelp,
  codexNext,
  codexList,
  codexSwitch,
  codexStatus,
  codexLimits,
  codexDashboard,
  codexWarm,
  codexPool,
  codexReset,
  codexLabel,
  codexTag,
  codexNote,
  codexRemove,
  codexRefresh,
  codexToggle,
  codexHealth,
  codexMetrics,
  codexDoctor,
  codexDiag,
  codexDiff,
  codexExport,
  codexImport,
  codexKeychain,
]
