import path from 'node:path'

import type { StoredAccount } from '../../accounts/account.js'
import { resolvePoolScope } from '../../accounts/project/project.js'
import { readPoolFile } from '../../accounts/store/pool-file.js'
import { WrongUsage } from '../../kernel/errors.js'
import { resolvePaths } from '../../kernel/files/paths.js'
import { loadConfig } from '../../loaded-config.js'
import { ACCOUNTS_LEGACY_FILE } from '../../runtime.js'
import { defineCommand, jsonText } from '../command.js'
import type { Command, CommandIo } from '../io.js'
import { completionOf } from './candidates.js'
import { SCRIPTS } from './scripts.js'

const SHELLS = Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[]

const HELP = `Usage: oc-codex-multi-auth completion bash|zsh|fish

Prints what makes a shell complete the commands, options, accounts and settings of oc-codex-multi-auth. It needs the program
in the search path: npm install -g oc-codex-multi-auth

  bash   add to ~/.bashrc:  eval "$(oc-codex-multi-auth completion bash)"
  zsh    add to ~/.zshrc, after compinit:  source <(oc-codex-multi-auth completion zsh)
  fish   oc-codex-multi-auth completion fish > ~/.config/fish/completions/oc-codex-multi-auth.fish

  --words   for these scripts: what the last of the words after -- can become
  --json    print JSON
  --help    show this text
`

/**
 * `completion`: the scripts, and the answer they ask for. It reads two files and takes no lock: it runs at every press of Tab.
 * @param commands asked for late: this command is one of them
 */
export function completionCommand(commands: () => readonly Command[]): Command {
  return defineCommand({
    name: 'completion',
    summary: 'Print the completion for bash, zsh or fish.',
    help: HELP,
    options: { words: { type: 'boolean' } },
    takesWords: (given) => (given.length === 0 ? [{ kind: 'words', words: SHELLS }] : []),
    async run({ words: isAsked = false, json = false }, io, words) {
      if (isAsked) {
        const answer = await completionOf(commands(), words, () => accountsHere(io))
        if (json) io.stdout(jsonText(answer))
        else if ('files' in answer) io.stdout(':files\n')
        else io.stdout(answer.words.map(({ value, help }) => `${value}\n${help}\n`).join(''))
        return 0
      }
      const shell = SHELLS.find((one) => one === words[0])
      if (shell === undefined || words.length > 1)
        throw new WrongUsage(`Name the shell: ${SHELLS.join(', ')}.`, 'Help: {completion --help}')
      const script = SCRIPTS[shell]
      io.stdout(json ? jsonText({ shell, script }) : script)
      return 0
    },
  })
}

/** The accounts without their secrets; none where they cannot be read. */
async function accountsHere({ env, directory }: CommandIo): Promise<readonly StoredAccount[]> {
  const paths = resolvePaths(env)
  const { config } = loadConfig(env, paths, directory)
  const { file } = resolvePoolScope(paths, directory, config.perProjectAccounts)
  const legacy =
    file === paths.accountsFile ? path.join(paths.root, ACCOUNTS_LEGACY_FILE) : undefined
  const read = await readPoolFile(file, legacy, {}).catch(() => undefined)
  return read?.pool.accounts ?? []
}
