import * as zlib from 'node:zlib'

import { describe, expect, it } from 'vitest'

import { compressed } from '../../../lib/request/transport/compression.js'

const BODY = JSON.stringify({ text: 'Grüße aus der Datei, Zeile für Zeile\n'.repeat(2_000) })
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Uint8Array) => Buffer }

describe.runIf(zstdDecompressSync)('a compressed body', () => {
  it('is the same text, in a frame like that of the Codex CLI: no content size, no checksum', async () => {
    const bytes = await compressed(BODY)
    expect(zstdDecompressSync?.(bytes!).toString('utf8')).toBe(BODY)
    expect([...bytes!.subarray(0, 5)]).toEqual([0x28, 0xb5, 0x2f, 0xfd, 0x00])
    expect(bytes!.byteLength).toBeLessThan(BODY.length / 4)
  })
})

it.skipIf(zstdDecompressSync)('a runtime without zstd compresses nothing', async () => {
  expect(await compressed(BODY)).toBeUndefined()
})
