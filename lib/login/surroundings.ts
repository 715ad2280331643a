import { existsSync, readFileSync } from 'node:fs'

import { type Surroundings, surroundingsOf } from './method-list.js'

/** Where the user of this process works. Never asks the network. */
export function surroundingsHere(env: NodeJS.ProcessEnv): Surroundings {
  return surroundingsOf(env)
}

/** What a disk shows of the place a process runs at. */
interface Traces {
  readonly isThere: (file: string) => boolean
  /** Text of a file; empty where there is none. */
  readonly textOf: (file: string) => string
}

const DISK: Traces = {
  isThere: existsSync,
  textOf(file) {
    try {
      return readFileSync(file, 'utf8')
    } catch {
      return ''
    }
  },
}

/** What those write who make a container. */
const CONTAINER_FILES = ['/.dockerenv', '/run/.containerenv', '/run/systemd/container']

/** True inside a container, whatever it can show. Pure over what it is given. */
export function isContainer(env: NodeJS.ProcessEnv, { isThere, textOf }: Traces = DISK): boolean {
  return (
    [env.container, env.KUBERNETES_SERVICE_HOST].some((value = '') => value !== '') ||
    CONTAINER_FILES.some(isThere) ||
    /docker|kubepods|containerd|libpod|\blxc\b/.test(textOf('/proc/1/cgroup'))
  )
}

const CODE = 'The device code needs no way back.'

/** What a place is called, and what there is to know about signing in there. */
interface AboutSurroundings {
  readonly name: string
  /** For a login in the browser; absent where it just works. */
  readonly advice?: string
}

/** What to say of the place this process runs at. */
export function aboutHere(env: NodeJS.ProcessEnv): AboutSurroundings {
  const at = surroundingsHere(env)
  return aboutSurroundings(at === 'no-screen' && isContainer(env) ? 'container' : at)
}

/** What to say of a place. Pure. */
export function aboutSurroundings(at: Surroundings | 'container'): AboutSurroundings {
  switch (at) {
    case 'desktop':
      return { name: 'a desktop' }
    case 'wsl':
      return {
        name: 'the Windows Subsystem for Linux',
        advice:
          'The browser is that of Windows. If its last page cannot connect, the way from Windows into WSL is closed: sign in by pasting its address, or with the device code. networkingMode=mirrored in .wslconfig opens it for good.',
      }
    case 'ssh':
      return {
        name: 'an SSH session',
        advice: `The browser comes back to the machine it runs on. From yours it gets here when you connect with ssh -L 1455:localhost:1455. ${CODE}`,
      }
    case 'container':
      return {
        name: 'a container',
        advice: `The browser gets back into this container only where port 1455 is forwarded to its localhost; docker -p and host.docker.internal do not do that. ${CODE}`,
      }
    case 'dev-container':
      return {
        name: 'a development container',
        advice: `The browser gets back into this container only where your editor forwards port 1455 to localhost:1455 on your machine; in an editor that runs in the browser it cannot. ${CODE}`,
      }
    case 'ci':
      return { name: 'a CI', advice: `A CI shows no browser. ${CODE}` }
    case 'no-screen':
      return {
        name: 'a terminal without a screen',
        advice: `No browser can be shown here, and one on another machine does not come back. ${CODE}`,
      }
  }
}
