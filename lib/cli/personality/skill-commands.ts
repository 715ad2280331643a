import { rm, rmdir } from 'node:fs/promises'
import path from 'node:path'

import { CodexError } from '../../kernel/errors.js'
import { patiently } from '../../kernel/files/patience.js'
import { type Paths, resolvePaths } from '../../kernel/files/paths.js'
import { writeFileAtomic } from '../../kernel/files/replace-file.js'
import { userFolder } from '../../personality/files.js'
import { skillFile, skillState, skillText } from '../../personality/skill.js'
import { defineCommand } from '../command.js'
import { backupStamp, copyAtomic } from '../../host-setup/file-change.js'
import { answer, keptLine } from './context.js'

const OPTIONS = { force: { type: 'boolean' }, 'dry-run': { type: 'boolean' } } as const

/** `personality install-skill`. */
export const installSkillCommand = defineCommand({
  name: 'install-skill',
  summary: 'Put the skill personality-builder into OpenCode’s skill folder.',
  help: `Usage: oc-codex-multi-auth personality install-skill [options]

OpenCode lists the skill to the model, which reads it when you ask for a personality. It is written once, by this command
alone; uninstall removes it.

  --force    replace a copy that you changed; yours is kept beside it
  --dry-run  show what would be written, and write nothing
  --json     print JSON
`,
  options: OPTIONS,
  async run({ force = false, json, 'dry-run': dryRun = false }, io) {
    const file = skillFile(userFolder(resolvePaths(io.env), io.env))
    const before = await skillState(file)
    const undo = '{personality remove-skill}'
    const data = { action: 'install-skill', file, before, dryRun }
    if (before === 'current')
      return answer(io, json, { ...data, written: false }, `${file}: it is there already\n`)
    if (before === 'changed' && !force) throw changedByUser(file, 'install-skill')
    if (dryRun) return answer(io, json, { ...data, written: false }, `${file}: would be written\n`)
    const backup = before === 'changed' ? backupOf(file) : undefined
    if (backup !== undefined) await copyAtomic(file, backup)
    await writeFileAtomic(file, skillText(), { mode: 0o644 })
    return answer(
      io,
      json,
      { ...data, written: true, backup: backup ?? null, undo },
      `${file}: written. OpenCode lists it when it starts the next time.\n${keptLine(backup)}Undo: ${undo}\n`,
    )
  },
})

/** `personality remove-skill`. */
export const removeSkillCommand = defineCommand({
  name: 'remove-skill',
  summary: 'Take the skill away again; a copy that you changed stays.',
  help: `Usage: oc-codex-multi-auth personality remove-skill [options]

  --force    remove a copy that you changed, too; yours is kept beside it
  --dry-run  show what would be removed, and remove nothing
  --json     print JSON
`,
  options: OPTIONS,
  async run({ force = false, json, 'dry-run': dryRun = false }, io) {
    const file = skillFile(userFolder(resolvePaths(io.env), io.env))
    const before = await skillState(file)
    if (before === 'changed' && !force) throw changedByUser(file, 'remove-skill')
    const isThere = before !== 'absent'
    const backup = before === 'changed' && !dryRun ? backupOf(file) : undefined
    if (backup !== undefined) await copyAtomic(file, backup)
    if (isThere && !dryRun) await removeFile(file)
    const done = isThere ? (dryRun ? 'would be removed' : 'removed') : 'there is none'
    const undo = isThere && !dryRun && before !== 'changed' ? '{personality install-skill}' : null
    return answer(
      io,
      json,
      {
        ...{ action: 'remove-skill', file, before, dryRun, removed: isThere && !dryRun },
        ...{ backup: backup ?? null, undo },
      },
      `${file}: ${done}\n${keptLine(backup)}${undo === null ? '' : `Undo: ${undo}\n`}`,
    )
  },
})

/** For `uninstall`: takes our own copy away, and says in one line what became of it; empty where there is none. */
export async function uninstallSkill(
  paths: Paths,
  env: NodeJS.ProcessEnv,
  dryRun: boolean,
): Promise<string> {
  const file = skillFile(userFolder(paths, env))
  const state = await skillState(file).catch(() => 'absent' as const)
  if (state === 'absent') return ''
  if (state === 'changed')
    return `${file} stays: you changed it. To remove it: {personality remove-skill --force}\n`
  if (!dryRun) await removeFile(file)
  return `${dryRun ? 'would remove' : 'removed'} ${file}\n`
}

function backupOf(file: string): string {
  return `${file}.bak-${backupStamp(Date.now())}`
}

async function removeFile(file: string): Promise<void> {
  await patiently('change', () => rm(file))
  // What else lies in the folder is somebody's.
  await rmdir(path.dirname(file)).catch(() => undefined)
}

function changedByUser(file: string, command: string): CodexError {
  return new CodexError('invalid_input', `${file} was changed by you, so it stays as it is.`, {
    hint: `To do it all the same: {personality ${command} --force}`,
  })
}
