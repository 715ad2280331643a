import type { SlashCommand } from './commands.js'

/** What every template says of its subject; OpenCode puts in what follows the command, and the text of files named with @. */
const SUBJECT = `The subject: $ARGUMENTS

If no subject is named, take the changes of this repository that are not committed yet; if there are none, ask what to look at.`

/**
 * Prompts for three everyday jobs, as slash commands for those who enable them. They are user prompts like any
 * other: each costs a turn, and nothing is added to other requests.
 */
export function promptCommands(): Record<string, SlashCommand> {
  return {
    'codex-review': {
      description: 'Review code: defects, security, speed, clarity. Changes nothing.',
      template: `${SUBJECT}

Review it. Read what it depends on before you judge it, and change no file.

Report only what you can point to, the most serious first: file and line, what goes wrong and when, and the smallest change that mends it. Look for
- defects: wrong results, unhandled errors and edge cases, races, leaks;
- security: input that is trusted, secrets that can get out, rights that are too wide;
- speed: work that grows faster than its input, or is done again for nothing;
- clarity: names, structure and comments that mislead a reader.

Say which of these you found nothing in. Do not praise and do not restate the code.`,
    },
    'codex-explain': {
      description:
        'Explain code: purpose, flow, and what to know before changing it. Changes nothing.',
      template: `${SUBJECT}

Explain it to an engineer who is new to this repository, and change no file.

Begin with one sentence on what it is for. Then follow the main path from its entry to its effect, naming files and functions. Then say what is not obvious: assumptions, states and their transitions, concurrency, failure paths. End with what to keep in mind when changing it, and which tests would notice a mistake.`,
    },
    'codex-refactor': {
      description: 'Improve the structure of code without changing its behaviour.',
      template: `${SUBJECT}

Improve its structure and keep its behaviour as it is, seen from outside.

First find the tests that cover it and run them; where none would notice a mistake, add the few that would. Then make small steps, each of which leaves the tests green: names that say what things are, functions with one job, no repetition, simpler control flow, narrower interfaces. Keep to the style of the files around it and add no dependency. Leave public interfaces alone unless I asked for them.

At the end list what you changed and why, and what you left because it would have changed behaviour.`,
    },
  }
}
