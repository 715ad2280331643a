import { systemCode } from './system-code.js'

/**
 * A part of this package that is loaded late. An update of the package takes away the files of the copy that runs.
 * @param loading the running `import()`
 * @throws Error with one sentence for the user; what else went wrong as it is
 */
export async function loadPart<T>(loading: Promise<T>): Promise<T> {
  return loading.catch((cause: unknown) => {
    if (!isGone(cause)) throw cause
    throw new Error('The plugin was updated or removed while OpenCode ran. Start OpenCode again.', {
      cause,
    })
  })
}

/** Bun says it without a code, and not as an `Error`, of a file that it has seen in its folder before. */
function isGone(cause: unknown): boolean {
  const { message } = (cause ?? {}) as { readonly message?: unknown }
  return systemCode(cause) === 'ERR_MODULE_NOT_FOUND' || /^ENOENT\b/.test(String(message))
}
