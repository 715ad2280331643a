import type { SlashCommand } from './commands.js'

/** The prompt that lets the model draft a personality with the user; a user prompt like any other. */
export function personalityCommands(): Record<string, SlashCommand> {
  return {
    'create-personality': {
      description:
        'Draft a personality together: how the assistant speaks. Saves it once you agree.',
      template: `I want a personality for you: a short text about tone and manner. It will stand behind your instructions and changes how you speak, never what you do; rules, permissions and tools stay as they are.

What I have in mind: $ARGUMENTS

1. Ask me at most four questions about what I have not said: whom you should sound like, how long answers are and what they begin with, how you disagree, and what you must never do.
2. Draft the text in 80 to 250 words: one sentence that names the manner, then one idea a line. Keep out facts about projects, steps of work, secrets and {{placeholders}}.
3. Show me the whole text, and your answer to one small question as it would sound. Change it until I say that it is right, and ask me for a name.
4. Only after that save it with the tool codex-personality, exactly the text I have read; OpenCode asks me once more. Write no file in any other way. Without that tool, show me this line instead: npx oc-codex-multi-auth personality create NAME
5. Tell me how to put it in force: npx oc-codex-multi-auth personality use NAME`,
    },
  }
}
