import { spawnSync } from 'node:child_process'
import { lstatSync } from 'node:fs'
import {
  appendFile,
  mkdir,
  readdir,
  readFile,
  readlink,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { readTextFile } from '../../lib/kernel/files/json-file.js'
import { writeFileAtomic } from '../../lib/kernel/files/replace-file.js'
import { temporaryFolder } from '../support/temporary.js'

const isPosix = process.platform !== 'win32'
const TOO_LARGE = 33 * 1024 * 1024

async function special(folder: string): Promise<Record<string, string>> {
  const pipe = path.join(folder, 'pipe')
  spawnSync('mkfifo', [pipe])
  const socket = path.join(folder, 'socket')
  const server = net.createServer().listen(socket)
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => void server.close())
  const directory = path.join(folder, 'directory')
  await mkdir(directory)
  const names: Record<string, string> = {
    'a named pipe': pipe,
    'a socket': socket,
    'a folder': directory,
    'a device': '/dev/null',
  }
  if (process.getuid?.() === 0) {
    const device = path.join(folder, 'device')
    // Where devices cannot be made the machine's own will do: nothing is written to it.
    if (spawnSync('mknod', [device, 'c', '1', '3']).status === 0) names['a device'] = device
  }
  return names
}

describe.skipIf(!isPosix)('writeFileAtomic', () => {
  it('never replaces a device, pipe, socket or folder, also behind a link (an export to /dev/null replaced it for the whole machine)', async () => {
    const folder = await temporaryFolder()
    for (const [kind, file] of Object.entries(await special(folder))) {
      const link = path.join(folder, `link to ${path.basename(file)}`)
      await symlink(file, link)
      const before = lstatSync(file)
      for (const name of [file, link]) {
        await expect(writeFileAtomic(name, 'x'), name).rejects.toMatchObject({
          code: 'store_not_written',
          message: `${name} is ${kind}, so nothing was written there.`,
        })
      }
      expect([lstatSync(file).ino, lstatSync(file).mode]).toEqual([before.ino, before.mode])
      expect(lstatSync(link).isSymbolicLink()).toBe(true)
    }
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('writes through a chain of links to a file that does not exist yet, and every link stays', async () => {
    const folder = await temporaryFolder()
    const target = path.join(folder, 'dotfiles', 'pool.json')
    await symlink(target, path.join(folder, 'b'))
    await symlink('b', path.join(folder, 'a'))
    await writeFileAtomic(path.join(folder, 'a'), 'one')
    await writeFileAtomic(path.join(folder, 'a'), 'two')
    expect(await readFile(target, 'utf8')).toBe('two')
    expect([
      await readlink(path.join(folder, 'a')),
      await readlink(path.join(folder, 'b')),
    ]).toEqual(['b', target])
  })

  it('refuses links in a circle and leaves them', async () => {
    const folder = await temporaryFolder()
    await symlink('b', path.join(folder, 'a'))
    await symlink('a', path.join(folder, 'b'))
    await expect(writeFileAtomic(path.join(folder, 'a'), 'x')).rejects.toMatchObject({
      code: 'store_not_written',
      message: expect.stringContaining('ELOOP'),
    })
    expect(await readdir(folder)).toEqual(['a', 'b'])
  })
})

describe.skipIf(!isPosix)('readTextFile', () => {
  it('refuses everything but regular files without waiting for a pipe (a hang that not even SIGTERM ended)', async () => {
    const folder = await temporaryFolder()
    for (const file of [...Object.values(await special(folder)), '/dev/zero']) {
      await expect(readTextFile(file), file).rejects.toMatchObject({ code: 'store_unreadable' })
    }
  })

  it('stops reading a file that grows beyond all bounds under its hands', async () => {
    const folder = await temporaryFolder()
    const file = path.join(folder, 'grows')
    await writeFile(file, 'x')
    const reading = readTextFile(file)
    const grown = truncate(file, TOO_LARGE)
    const [outcome] = await Promise.allSettled([reading, grown])
    // Which of the two came first is luck; a read of all of it never is.
    if (outcome.status === 'fulfilled') expect(outcome.value?.text.length).toBeLessThan(TOO_LARGE)
    await expect(readTextFile(file)).rejects.toMatchObject({
      code: 'store_unreadable',
      message: expect.stringContaining('too large'),
    })
  })

  it('reads what is longer or shorter than the system said, and files of any small size', async () => {
    const folder = await temporaryFolder()
    const file = path.join(folder, 'file')
    for (const length of [0, 1, 4_095, 4_096, 4_097, 100_000]) {
      await writeFile(file, 'ä'.repeat(length))
      expect((await readTextFile(file))?.text).toBe('ä'.repeat(length))
    }
    // The system says 0 bytes of these.
    if (process.platform === 'linux')
      expect((await readTextFile('/proc/self/status'))?.text).toMatch(/^Name:/)
    await appendFile(file, 'end')
    expect((await readTextFile(file))?.text.endsWith('end')).toBe(true)
  })
})
