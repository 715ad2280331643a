import { promisify } from 'node:util'
import zlib from 'node:zlib'

/** More than any request of a client, also when it is unpacked, bytes. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

/** The encoding of a body, `identity` when it is not packed. */
export function encodingOf(header: string | undefined): string {
  const named = (header ?? '').trim().toLowerCase()
  return named === '' ? 'identity' : named
}

/**
 * The bytes of a request as they were before the client packed them. Codex CLI packs the bodies of
 * its turns with zstd (docs/development/facts/codex-backend.md#transport), others with gzip.
 * @param encoding as `encodingOf` names it
 * @returns undefined for an encoding that nobody knows, and for bytes that are not in it
 */
export async function unpacked(
  bytes: Buffer,
  encoding: string,
  understood: readonly string[],
): Promise<Buffer | undefined> {
  if (encoding === 'identity') return bytes
  if (!understood.includes(encoding)) return undefined
  try {
    switch (encoding) {
      case 'gzip':
        return await promisify(zlib.gunzip)(bytes, { maxOutputLength: MAX_BODY_BYTES })
      case 'deflate':
        return await promisify(zlib.inflate)(bytes, { maxOutputLength: MAX_BODY_BYTES })
      case 'br':
        return await promisify(zlib.brotliDecompress)(bytes, { maxOutputLength: MAX_BODY_BYTES })
      case 'zstd': {
        // Node has it from version 22 on only.
        const { decompress } = await import('fzstd')
        return Buffer.from(decompress(bytes))
      }
      default:
        return undefined
    }
  } catch {
    return undefined
  }
}
