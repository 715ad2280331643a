import { TOOLS } from '../tools/index.js'
import { configCommand } from './config.js'
import { installCommand, uninstallCommand, updateCommand } from './install/command.js'
import type { Command } from './io.js'
import { loginCommand } from './login.js'
import { simulateCommand } from './simulate.js'
import { toolCommand } from './tool-command.js'

/** Every subcommand, in the order of the help text. */
export const commands: readonly Command[] = [installCommand, updateCommand, uninstallCommand, loginCommand, configCommand, ...TOOLS.map(toolCommand), simulateCommand]
