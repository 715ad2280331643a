import { TOOLS } from '../tools/index.js'
import { accountsCommand } from './accounts.js'
import { drillWay } from './drill/command.js'
import { completionCommand } from './completion/command.js'
import { configCommand } from './config.js'
import { installCommand, uninstallCommand, updateCommand } from './install/command.js'
import type { Command } from './io.js'
import { loginCommand } from './login.js'
import { logoutCommand } from './logout.js'
import { personalityCommand } from './personality/command.js'
import { replayCommand } from './replay.js'
import { setupCommand } from './setup/command.js'
import { simulateCommand } from './simulate.js'
import { toolCommand } from './tool-command.js'

/** Every subcommand, in the order of the help text. */
export const commands: readonly Command[] = [
  installCommand,
  updateCommand,
  uninstallCommand,
  loginCommand,
  logoutCommand,
  accountsCommand,
  configCommand,
  personalityCommand,
  setupCommand,
  ...TOOLS.filter(({ name }) => name !== setupCommand.name).map((tool) =>
    toolCommand(tool, tool.name === 'doctor' ? drillWay : undefined),
  ),
  simulateCommand,
  replayCommand,
  completionCommand(() => commands),
]
