/** Version of the package, put in by the build; undefined when the sources run unbundled (tests). */
declare const __PACKAGE_VERSION__: string | undefined
