/**
 * A part of this package that is loaded late. An update of the package takes away the files of the copy that runs.
 * @param loading the running `import()`
 * @throws Error with one sentence for the user
 */
export async function loadPart<T>(loading: Promise<T>): Promise<T> {
  return loading.catch((cause: unknown) => {
    throw new Error('The plugin was updated or removed while OpenCode ran. Start OpenCode again.', {
      cause,
    })
  })
}
