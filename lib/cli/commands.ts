import { installCommand, uninstallCommand, updateCommand } from './install/command.js'
import type { Command } from './io.js'
import { simulateCommand } from './simulate.js'

/** Every subcommand, in the order of the help text. */
export const commands: readonly Command[] = [installCommand, updateCommand, uninstallCommand, simulateCommand]
