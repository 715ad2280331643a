/**
 * Keys of the earlier plugin that have no effect here, because what they governed is gone or always on. A
 * file that holds them is not wrong.
 */
export const RETIRED_SETTINGS: readonly string[] = [
  'autoResume',
  'autoUpdate',
  'codexTuiColorProfile',
  'codexTuiGlyphMode',
  'codexTuiV2',
  'fallbackOnUnsupportedCodexModel',
  'fallbackToGpt52OnUnsupportedGpt53',
  'maskEmailInQuotaDetails',
  'parallelProbing',
  'parallelProbingMaxConcurrency',
  'sessionRecovery',
]
