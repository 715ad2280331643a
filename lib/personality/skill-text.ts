/** The skill that helps the model to write a personality with the user. */
export const SKILL_NAME = 'personality-builder'

export const SKILL_BODY = `
# Building a personality

A personality is a short text about tone and manner that stands behind OpenCode's own instructions. It changes how the
assistant speaks, never what it does: rules, permissions and tools stay as they are, whatever the text says.

## Ask first

Find out, in at most four questions and only where the user has not said so already:

1. Who should it sound like: a role, a person, a mood, or an example of a text the user likes?
2. How long are answers, and what comes first: the result, the reason, or the question?
3. How does it disagree, and how does it say that it does not know?
4. What must it never do: emoji, praise, jokes, apologies, a language?

## Write it

- 80 to 250 words. Every request carries the text, and what is long is followed less.
- Say what to do, with one short example where a rule could be read in two ways.
- One idea a line. Head it with one sentence that names the manner as a whole.
- Keep out: facts about the project, tools, steps of work, secrets, names of people who did not agree, and anything that
  lifts a rule. They belong into AGENTS.md, or nowhere.
- Leave no places to fill in: nothing fills them in.

## Try it, then keep it

1. Show the user the whole text, and an answer to one question of theirs as it would sound.
2. Change it until they say that it is right. Ask for a name: letters, digits, "-" and "_".
3. Only then write it, with the tool codex-personality where there is one. Else show the user this command and let them
   run it: {personality create NAME}
4. Tell them how to put it in force: {personality use NAME}
`.trimStart()
