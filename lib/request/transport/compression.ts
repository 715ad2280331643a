import type { Transform } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import * as zlib from 'node:zlib'

/**
 * Bodies below this are sent as they are, in characters: compression would gain less than a packet
 * (docs/development/facts/codex-backend.md#compression).
 */
export const MIN_COMPRESSED = 32_000

/** The CLI's level: three captured bodies are equal byte for byte. */
const LEVEL = 3

/** What Bun and Node from 22.15 on have; the types of the oldest Node that is served do not know it. */
interface Zstd {
  createZstdCompress(options: { readonly params: Readonly<Record<number, number>> }): Transform
  readonly constants: { readonly ZSTD_c_compressionLevel: number }
}

/** Undefined in a runtime that cannot. */
function zstd(): Zstd | undefined {
  return 'createZstdCompress' in zlib ? (zlib as unknown as Zstd) : undefined
}

/**
 * The text as one zstd frame (RFC 8878) in the form of the Codex CLI: without content size and checksum, which the stream
 * leaves out in Node and in Bun. The work is done off the event loop.
 * @returns undefined in a runtime without zstd
 * @throws what zlib throws
 */
export async function compressed(text: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const found = zstd()
  if (found === undefined) return undefined
  const level = { [found.constants.ZSTD_c_compressionLevel]: LEVEL }
  const stream = found.createZstdCompress({ params: level })
  stream.end(Buffer.from(text, 'utf8'))
  return new Uint8Array(await buffer(stream))
}
