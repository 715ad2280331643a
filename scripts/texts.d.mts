/** A text of the product that a person can read; the name of a value stands in braces. */
export interface Text {
  readonly file: string
  readonly line: number
  readonly text: string
}

/** The texts of a source file. Pure. */
export function textsOf(file: string, source: string): Text[]

/** Every text of the product, in the order of the files. */
export function allTexts(): Text[]
