/** An object of a JSON text; what its members hold is not known. */
export type JsonRecord = Readonly<Record<string, unknown>>

/** True for objects, not for lists and null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a JSON text holds; undefined when it is none. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
