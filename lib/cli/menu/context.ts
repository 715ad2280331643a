import type { Runtime } from '../../runtime.js'
import type { CommandIo } from '../io.js'
import type { Prompts } from './prompts.js'

/** What every part of the menu works with. */
export interface MenuContext {
  readonly runtime: Runtime
  readonly io: CommandIo
  readonly prompts: Prompts
}
