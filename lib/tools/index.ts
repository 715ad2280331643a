import { codexDashboard } from './codex-dashboard.js'
import { codexDiag } from './codex-diag.js'
import { codexDiff } from './codex-diff.js'
import { codexDoctor } from './codex-doctor.js'
import { codexExport } from './codex-export.js'
import { codexHealth } from './codex-health.js'
import { codexHelp } from './codex-help.js'
import { codexImport } from './codex-import.js'
import { codexKeychain } from './codex-keychain.js'
import { codexLabel } from './codex-label.js'
import { codexLimits } from './codex-limits.js'
import { codexList } from './codex-list.js'
import { codexMetrics } from './codex-metrics.js'
import { codexNext } from './codex-next.js'
import { codexNote } from './codex-note.js'
import { codexPool } from './codex-pool.js'
import { codexRefresh } from './codex-refresh.js'
import { codexRemove } from './codex-remove.js'
import { codexReset } from './codex-reset.js'
import { codexSetup } from './codex-setup.js'
import { codexStatus } from './codex-status.js'
import { codexSwitch } from './codex-switch.js'
import { codexTag } from './codex-tag.js'
import { codexToggle } from './codex-toggle.js'
import { codexWarm } from './codex-warm.js'
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
