import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'

import type { PackageManifest } from './repository.js'

/** A packed package to be served. */
export interface PublishedPackage {
  readonly manifest: PackageManifest
  /** Path of the `.tgz`. */
  readonly tarball: string
}

/** A package registry on loopback, good for `npm install <name>`. */
export interface Registry {
  readonly url: string
  /** Paths asked for, in order. */
  readonly requests: readonly string[]
  close(): Promise<void>
}

/** Serves the packages; everything else is 404, as on a registry that does not have it. */
export async function startRegistry(packages: readonly PublishedPackage[]): Promise<Registry> {
  const requests: string[] = []
  const contents = new Map<string, { type: string; body: Buffer | string }>()
  const server = http.createServer((request, response) => {
    const wanted = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
    requests.push(wanted)
    const found = contents.get(wanted)
    response.writeHead(found ? 200 : 404, { 'content-type': found?.type ?? 'application/json' })
    response.end(found?.body ?? '{"error":"not found"}')
  })
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(0, '127.0.0.1', resolve),
  )
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

  for (const { manifest, tarball } of packages) {
    const bytes = await readFile(tarball)
    const file = `/-/${path.basename(tarball)}`
    contents.set(file, { type: 'application/octet-stream', body: bytes })
    contents.set(`/${manifest.name}`, {
      type: 'application/json',
      body: JSON.stringify(packument(manifest, url, file, bytes)),
    })
  }

  return {
    url,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function packument(
  manifest: PackageManifest,
  registry: string,
  file: string,
  bytes: Buffer,
): unknown {
  const { name, version } = manifest
  const dist = {
    tarball: new URL(file, registry).href,
    integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
    shasum: createHash('sha1').update(bytes).digest('hex'),
  }
  return { name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } }
}
