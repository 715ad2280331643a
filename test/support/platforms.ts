import { mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

import { it } from 'vitest'

/**
 * Why a rule is tested on some systems alone. Whoever uses one of these names the twin that holds on Windows, where there
 * is a rule to hold.
 */
const isWindows = process.platform === 'win32'

/** On Windows bits of a mode protect nothing and refuse nothing: access lists do (test/tools/windows-access.test.ts). */
export const whereModesCount = it.runIf(!isWindows)

/** The same, for modes that refuse: root is refused nothing. */
export const whereModesRefuse = it.runIf(!isWindows && process.getuid?.() !== 0)

/** On Windows no text file with `#!` is a program. */
export const whereScriptsRun = it.runIf(!isWindows)

/** On Windows it takes a right that few users have to make a link to a file. */
export const whereLinksAreFree = it.runIf(!isWindows)

export const onWindows = it.runIf(isWindows)

/** Whether a file keeps its time of birth when its other times are set: Wine gives the time of the last write for both. */
export function keepsBirthTimes(): boolean {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'oc-codex-birth-'))
  try {
    const before = statSync(folder).birthtimeMs
    utimesSync(folder, 1, 1)
    return statSync(folder).birthtimeMs === before
  } finally {
    rmSync(folder, { recursive: true })
  }
}
