/** A tag of Unicode, which nobody draws: behind a brace it says that the text is somebody else's, whose words are no commands. */
const DATA_MARK = '\u{e0001}'

/** A text that has to be read as it is, whatever it says in braces; `plain-text` takes the marks out of what is shown. Pure. */
export function asData(text: string): string {
  return text.replaceAll('{', `{${DATA_MARK}`)
}

/** The same without the marks. Pure. */
export function withoutDataMarks(text: string): string {
  return text.replaceAll(`{${DATA_MARK}`, '{')
}
