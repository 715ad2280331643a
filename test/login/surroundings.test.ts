import { chmod, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { loginMethods, surroundingsOf } from '../../lib/login/method-list.js'
import { openBrowser } from '../../lib/login/open-browser.js'
import { aboutSurroundings, isContainer } from '../../lib/login/surroundings.js'
import { temporaryFolder } from '../support/temporary.js'

const SSH = { SSH_CONNECTION: '10.0.0.2 50000 10.0.0.1 22' }
const SCREEN = { DISPLAY: ':0' }
const WSL = { WSL_DISTRO_NAME: 'Ubuntu' }

describe('where the user works', () => {
  it.each([
    ['linux', SCREEN, 'desktop'],
    ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, 'desktop'],
    ['linux', {}, 'no-screen'],
    ['linux', { DISPLAY: '' }, 'no-screen'],
    ['darwin', {}, 'desktop'],
    ['win32', {}, 'desktop'],
    ['linux', SSH, 'ssh'],
    ['linux', { SSH_TTY: '/dev/pts/1' }, 'ssh'],
    ['linux', { SSH_CONNECTION: '' }, 'no-screen'],
    ['linux', { ...SSH, DISPLAY: 'localhost:10.0' }, 'desktop'],
    ['darwin', { ...SSH, DISPLAY: 'localhost:10.0' }, 'ssh'],
    ['win32', SSH, 'ssh'],
    ['linux', WSL, 'wsl'],
    ['linux', { ...WSL, ...SCREEN }, 'wsl'],
    ['linux', { ...WSL, ...SSH }, 'ssh'],
    ['linux', { CODESPACES: 'true' }, 'dev-container'],
    ['linux', { REMOTE_CONTAINERS: 'true', ...SCREEN }, 'dev-container'],
    ['linux', { GITPOD_WORKSPACE_ID: 'x' }, 'dev-container'],
    ['linux', { CI: 'true', ...SCREEN }, 'ci'],
    ['darwin', { CI: '1' }, 'ci'],
    ['linux', { CI: 'false', ...SCREEN }, 'desktop'],
  ] as const)('on %s with %j is: %s', (platform, env, at) => {
    expect(surroundingsOf(env, platform)).toBe(at)
  })

  it.each([
    ['desktop', ['browser', 'device', 'paste']],
    ['wsl', ['browser', 'device', 'paste']],
    ['ssh', ['device', 'browser', 'paste']],
    ['dev-container', ['device', 'browser', 'paste']],
    ['ci', ['device', 'browser', 'paste']],
    ['no-screen', ['device', 'browser', 'paste']],
  ] as const)('(%s) decides which way to sign in comes first', (at, order) => {
    expect(loginMethods(at).map(({ id }) => id)).toEqual(order)
  })

  it.each([
    ['desktop', undefined],
    ['wsl', /Windows.*pasting.*mirrored/],
    ['ssh', /ssh -L 1455:localhost:1455.*device code/],
    ['container', /1455.*host\.docker\.internal.*device code/],
    ['dev-container', /editor forwards port 1455.*device code/],
    ['ci', /device code/],
    ['no-screen', /device code/],
  ] as const)('(%s) decides what is said of a login in the browser', (at, advice) => {
    const { advice: said } = aboutSurroundings(at)
    if (advice === undefined) expect(said).toBeUndefined()
    else expect(said).toMatch(advice)
  })

  it.each([
    ['docker', {}, ['/.dockerenv'], '0::/', true],
    ['podman', {}, ['/run/.containerenv'], '', true],
    ['systemd-nspawn', {}, ['/run/systemd/container'], '', true],
    ['podman’s variable', { container: 'oci' }, [], '', true],
    ['Kubernetes', { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, [], '', true],
    ['cgroups of docker', {}, [], '12:cpu:/docker/0123456789ab\n', true],
    ['cgroups of containerd', {}, [], '0::/kubepods.slice/cri-containerd-01.scope', true],
    ['a machine', {}, [], '0::/init.scope\n', false],
  ])('is known for a container by the traces of %s', (_name, env, files, cgroup, wanted) => {
    const traces = {
      isThere: (file: string) => (files as readonly string[]).includes(file),
      textOf: (file: string) => (file === '/proc/1/cgroup' ? cgroup : ''),
    }
    expect(isContainer(env, traces)).toBe(wanted)
  })
})

const URL_WITH_QUERY = 'https://auth.example.test/authorize?client_id=a&state=%20b&x="y"^z'

/** Programs in a search path of their own; each notes how it was started. */
async function machine(scripts: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder()
  for (const [name, script] of Object.entries(scripts)) {
    const file = path.join(folder, name)
    const note = `printf '%s|' ${name} "$@" >> '${folder}/started'; echo >> '${folder}/started'`
    await writeFile(file, script === 'no program' ? 'MZ\0(\n' : `#!/bin/sh\n${note}\n${script}\n`)
    await chmod(file, 0o755)
  }
  const started = (): Promise<string> =>
    readFile(path.join(folder, 'started'), 'utf8').catch(() => '')
  return { env: { PATH: folder }, started }
}

// The stand-ins are shell scripts.
describe.skipIf(process.platform === 'win32')('the browser of Windows in WSL', () => {
  const open = (env: NodeJS.ProcessEnv): void =>
    openBrowser(URL_WITH_QUERY, env, { at: 'wsl', platform: 'linux' })

  it('is opened with the whole address, whatever stands in it', async () => {
    const { env, started } = await machine({ 'rundll32.exe': 'exit 0', wslview: '' })
    open(env)
    await expect.poll(started).toBe(`rundll32.exe|url.dll,FileProtocolHandler|${URL_WITH_QUERY}|\n`)
  })

  it.each([
    [{ 'rundll32.exe': 'no program', wslview: 'exit 0' }, /^wslview\|/],
    [{ wslview: 'exit 1', 'xdg-open': 'exit 0' }, /^wslview\|[^\n]*\nxdg-open\|/],
    [{ 'xdg-open': 'exit 0' }, /^xdg-open\|/],
  ])('is looked for by one program after the other (%j)', async (programs, wanted) => {
    const { env, started } = await machine(programs)
    open(env)
    await expect.poll(started).toMatch(wanted)
    expect(await started()).toContain(`|${URL_WITH_QUERY}|`)
  })

  it('that cannot be started harms nothing', async () => {
    const { env, started } = await machine({ 'rundll32.exe': 'no program' })
    open(env)
    open({ PATH: '' })
    openBrowser(URL_WITH_QUERY, { ...env, BROWSER: 'none' }, { at: 'desktop', platform: 'linux' })
    openBrowser(URL_WITH_QUERY, env, { at: 'ssh', platform: 'linux' })
    expect(await started()).toBe('')
  })
})
