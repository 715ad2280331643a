export function obstacles(release: {
  readonly tag: string
  readonly changelog: string
  readonly repository: string | undefined
  readonly manifest: {
    readonly name: string
    readonly version: string
    readonly repository?: string | { readonly url?: string }
  }
}): string[]
export function notesOf(changelog: string, version: string): string
