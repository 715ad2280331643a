import type { Metafile } from 'esbuild'

/** Writes the bundles to a folder; `hostModules` take the place of those the host supplies. */
export function bundle(
  outdir: string,
  hostModules?: Readonly<Record<string, string>>,
): Promise<Record<'server' | 'cli' | 'tui', Metafile>>
