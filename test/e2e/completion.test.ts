import { spawnSync } from 'node:child_process'
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { aHome } from '../support/home.js'
import { endOf, startProcess } from '../support/child-process.js'
import { noTerminal, openTerminal } from '../support/tmux.js'
import { packedCli, usePackedCli } from './cli-terminal.js'

usePackedCli()

const HOSTILE = [
  '$(touch pwned)',
  '`touch pwned`',
  "a'; touch pwned; '",
  'b"; touch pwned; "',
  'c; touch pwned',
  'd\\$(touch pwned)',
  '*',
  '(e)touch pwned',
]

/** A home with accounts of these names and the command in the search path. */
async function shellHome(labels: readonly string[]) {
  const home = await aHome(
    labels.map((accountLabel, place) => ({
      refreshToken: `rt-${place}`,
      accountId: `account-${place}`,
      addedAt: 1,
      lastUsed: 0,
      accountLabel,
    })),
  )
  const bin = path.join(home, 'bin')
  const file = path.join(bin, 'oc-codex-multi-auth')
  await mkdir(bin)
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${packedCli()}' "$@"\n`)
  await chmod(file, 0o755)
  const project = path.join(home, 'project')
  await mkdir(project)
  const env = {
    HOME: home,
    PATH: `${bin}:${process.env.PATH ?? ''}`,
    LANG: 'C.UTF-8',
    TERM: 'xterm',
  }
  const run = async (shell: string, args: readonly string[]) => {
    const { stdout } = await endOf(startProcess({ file: shell, args, cwd: project, env }), 60_000)
    return stdout
  }
  return { home, project, env, run }
}

const without = (shell: string): string | undefined =>
  spawnSync(shell, ['-c', 'true']).status === 0 ? undefined : `${shell} is not installed`

const LOADED = 'source <(oc-codex-multi-auth completion bash)'
/** Calls the function as bash does for a line whose last word is being typed, and prints what it offers. */
const bash = (words: readonly string[]): string =>
  `${LOADED}; COMP_WORDS=(oc-codex-multi-auth ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _oc_codex_multi_auth; printf '%s\\n' "\${COMPREPLY[@]}"`

describe.skipIf(without('bash'))('completion in bash', () => {
  it('completes commands, options, accounts and settings', async () => {
    const { run } = await shellHome(['work', 'my home'])
    expect(await run('bash', ['-c', bash(['li'])])).toBe('list\nlimits\n')
    expect(await run('bash', ['-c', bash(['limits', '--cach'])])).toBe('--cached\n')
    expect(await run('bash', ['-c', bash(['switch', ''])])).toBe('1\n2\nwork\nmy\\ home\n')
    expect(await run('bash', ['-c', bash(['switch', 'my\\ h'])])).toBe('my\\ home\n')
    expect(await run('bash', ['-c', bash(['config', 'set', 'rotationS'])])).toBe(
      'rotationStrategy\n',
    )
  })

  it('offers names as text: none of them runs, neither at Tab nor when the line is run', async () => {
    const { run, project } = await shellHome(HOSTILE)
    const script = `${bash(['switch', ''])}; for word in "\${COMPREPLY[@]}"; do eval "set -- $word"; printf '<%s>' "$@"; done`
    const stdout = await run('bash', ['-c', script])
    for (const label of HOSTILE) expect(stdout).toContain(`<${label}>`)
    expect(await readdir(project)).toEqual([])
  })
})

describe.skipIf(without('fish'))('completion in fish', () => {
  const fish = (line: string): string[] => [
    '-N',
    '-c',
    `oc-codex-multi-auth completion fish | source; complete -C '${line}'`,
  ]

  it('completes commands, options and accounts, and runs no name', async () => {
    const { run, project } = await shellHome(['work', ...HOSTILE])
    const listed = await run('fish', fish('oc-codex-multi-auth li'))
    expect(listed).toMatch(/^list\tList the/m)
    expect(listed).toMatch(/^limits\tAsk/m)
    expect(await run('fish', fish('oc-codex-multi-auth limits --cach'))).toMatch(/^--cached\t/)
    const accounts = await run('fish', fish('oc-codex-multi-auth switch '))
    for (const label of ['1', 'work', HOSTILE[0] ?? '']) expect(accounts).toContain(`${label}\t`)
    expect(await readdir(project)).toEqual([])
  })
})

describe.skipIf(without('zsh') ?? noTerminal)('completion in zsh', () => {
  it('completes what is typed, and quotes a name as text', async () => {
    const { home, project, env } = await shellHome(['work', '$(touch pwned)'])
    await writeFile(
      path.join(home, '.zshrc'),
      'PS1="> "\nautoload -Uz compinit\ncompinit -u\nsource <(oc-codex-multi-auth completion zsh)\n',
    )
    const terminal = await openTerminal({ command: ['zsh', '-i'], cwd: project, env, columns: 120 })
    onTestFinished(() => terminal.close())
    await terminal.waitFor(/^>/m)
    await terminal.type('oc-codex-multi-auth lim')
    await terminal.press('Tab')
    await terminal.waitFor('oc-codex-multi-auth limits')
    await terminal.type('--cach')
    await terminal.press('Tab')
    await terminal.waitFor('limits --cached')
    await terminal.press('C-u')
    await terminal.type('oc-codex-multi-auth switch ')
    await terminal.press('Tab')
    await terminal.waitFor(/work {2}\(account 1\)/)
    await terminal.type('\\$')
    await terminal.press('Tab')
    await terminal.waitFor('switch \\$\\(touch\\ pwned\\)')
    await terminal.press('Enter')
    await terminal.waitFor('New sessions go to Account 2')
    expect(await readdir(project)).toEqual([])
  })
})
