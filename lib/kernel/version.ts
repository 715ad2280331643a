/** Put in by the build; undefined when the sources run unbundled (tests). */
declare const __PACKAGE_VERSION__: string | undefined

/** Version of this package: put in by the build, `0.0.0-source` when the sources run unbundled. */
export function packageVersion(): string {
  return typeof __PACKAGE_VERSION__ === 'string' ? __PACKAGE_VERSION__ : '0.0.0-source'
}
