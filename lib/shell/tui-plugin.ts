import path from 'node:path'

import { MAX_CONFIG_BYTES, readBoundedFile } from '../kernel/files/bounded-file.js'
import { foldersAbove } from '../kernel/files/folders-above.js'
import type { Paths } from '../kernel/files/paths.js'
import { isMainThread } from '../kernel/main-thread.js'
import { isRecord, parsedJson } from '../kernel/text/json.js'
import { packageVersion } from '../kernel/version.js'
import { programMark } from '../slash-commands/same-machine.js'

/** Texts, which stay, and comments and the commas before an end, which JSON does not have. */
const NO_JSON = /("(?:[^"\\\n]|\\.)*")|\/\*[^]*?\*\/|\/\/.*$|,(?=\s*[\]}])/gm
const NAMED = /(?:^|[/\\])oc-codex-multi-auth(?:@([^/\\]*))?(?:$|[/\\])/
const SWITCHED_OFF = /"oc-codex-multi-auth"\s*:\s*false/

/** What the answer depends on. */
interface TuiPlace {
  readonly directory: string
  readonly paths: Pick<Paths, 'hostConfigDir' | 'stateDir' | 'root' | 'tuiFile'>
  readonly env: NodeJS.ProcessEnv
  /** The TUI runs the server in a thread of its own; `run`, `serve` and `acp` run it in the first. */
  readonly isMainThread?: boolean
}

/**
 * Whether this server is that of a TUI in this process that has our TUI plugin, which runs the commands itself. OpenCode waits
 * for the answer at every start. What is in doubt is a no: a TUI that has the commands leaves those of the server out of its
 * list, and one whose OpenCode cannot load the plugin has no others.
 */
export async function isTuiPluginHere({
  directory,
  paths,
  env,
  isMainThread: isFirst = isMainThread(),
}: TuiPlace): Promise<boolean> {
  if (isFirst || !(await hadCommands(paths.tuiFile))) return false
  const projects = env.OPENCODE_DISABLE_PROJECT_CONFIG === undefined ? foldersAbove(directory) : []
  const named = env.OPENCODE_CONFIG_DIR === undefined ? [] : [env.OPENCODE_CONFIG_DIR]
  const folders = [
    paths.hostConfigDir,
    paths.root,
    ...named,
    ...projects.flatMap((folder) => [folder, path.join(folder, '.opencode')]),
  ]
  const files = folders.flatMap((folder) => [
    path.join(folder, 'tui.json'),
    path.join(folder, 'tui.jsonc'),
  ])
  const texts = await Promise.all(
    [
      path.join(paths.stateDir, 'kv.json'),
      ...files,
      ...(env.OPENCODE_TUI_CONFIG === undefined ? [] : [env.OPENCODE_TUI_CONFIG]),
    ].map((file) => readBoundedFile(file, MAX_CONFIG_BYTES).catch(() => undefined)),
  )
  const plain = texts.map((text) =>
    (text ?? '').replace(NO_JSON, (_found, kept?: string) => kept ?? ''),
  )
  // The first is what the TUI remembers: it names what was switched, and loads nothing.
  return plain.slice(1).some(loadsUs) && !plain.some((text) => SWITCHED_OFF.test(text))
}

/** Whether the TUI plugin of this version had its commands in this very program: its own word for it (lib/tui/plugin.ts). */
async function hadCommands(file: string): Promise<boolean> {
  const text = await readBoundedFile(file, MAX_CONFIG_BYTES).catch(() => undefined)
  const said = parsedJson(text ?? '')
  const mark = programMark()
  return mark !== '' && isRecord(said) && said.program === mark && said.version === packageVersion()
}

/** Whether the TUI loads our plugin for this file, which it passes over when it is broken. A version that is not this one may know no commands. */
function loadsUs(text: string): boolean {
  if (text === '') return false
  const file = parsedJson(text)
  const plugins: unknown = isRecord(file) ? file.plugin : undefined
  return (
    Array.isArray(plugins) &&
    plugins.some((plugin: unknown) => {
      const spec: unknown = Array.isArray(plugin) ? plugin[0] : plugin
      const [named, version = 'latest'] = (typeof spec === 'string' && NAMED.exec(spec)) || []
      return named !== undefined && (!/^\d+\.\d+\.\d/.test(version) || version === packageVersion())
    })
  )
}
