import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { editText } from '../../lib/cli/terminal/editor.js'
import { formatCatalogues } from '../../lib/catalogue/catalogue-text.js'
import { wordsOf } from '../../lib/tools/command-line.js'
import { type CliResult, runCli } from '../support/run-cli.js'
import { temporaryFolder } from '../support/temporary.js'

interface Stage {
  readonly home: string
  readonly project: string
  readonly mine: string
  readonly theirs: string
  readonly config: string
  run(args: readonly string[], more?: Parameters<typeof runCli>[2]): Promise<CliResult>
  /** Runs the line that an answer gives for its undoing. */
  undo(result: CliResult): Promise<CliResult>
}

async function stage(config?: string): Promise<Stage> {
  const home = await temporaryFolder()
  const project = path.join(home, 'work')
  const configFile = path.join(home, '.opencode', 'openai-codex-auth-config.json')
  await mkdir(path.join(project, '.git'), { recursive: true })
  await mkdir(path.dirname(configFile), { recursive: true })
  if (config !== undefined) await writeFile(configFile, config)
  const run: Stage['run'] = (args, more) =>
    runCli(home, ['personality', ...args], { directory: project, ...more })
  return {
    home,
    project,
    mine: path.join(home, '.config', 'opencode', 'personalities'),
    theirs: path.join(project, '.opencode', 'personalities'),
    config: configFile,
    run,
    undo({ stdout }) {
      const line = /^Undo: npx oc-codex-multi-auth personality (.*)$/m.exec(stdout)?.[1]
      if (line === undefined) throw new Error(`no line for undoing in:\n${stdout}`)
      return run(wordsOf(line))
    },
  }
}

describe('personality create, edit and remove', () => {
  it('write a text from a pipe, change it from a file, take it away, and each can be undone', async () => {
    const { run, undo, mine, home } = await stage()
    const file = path.join(mine, 'keeper.md')
    const read = (): Promise<string> => readFile(file, 'utf8')
    const created = await run(['create', 'Keeper', '--from', '-'], { input: 'Speak\tas one.\n' })
    expect(created).toMatchObject({ code: 0, stderr: '' })
    expect(await read()).toBe('Speak\tas one.\n')

    await writeFile(path.join(home, 'work', "it's new.md"), 'Speak as two.\n')
    const edited = await run(['edit', 'keeper', '--from', "it's new.md"])
    expect(await read()).toBe('Speak as two.\n')
    await undo(edited)
    expect(await read()).toBe('Speak\tas one.\n')

    const removed = await run(['remove', 'keeper', '--confirm'])
    expect(removed.code).toBe(0)
    await expect(read()).rejects.toThrow()
    expect((await run(['show', 'keeper'])).code).toBe(1)
    await undo(removed)
    expect(await read()).toBe('Speak\tas one.\n')
    await undo(created)
    await expect(read()).rejects.toThrow()
  })

  it('open the editor with what is there, and leave it when it comes back the same', async () => {
    const { run, mine } = await stage()
    await run(['create', 'keeper'], { edit: () => 'First.' })
    const { stdout } = await run(['edit', 'keeper'], {
      edit: (text) => (text === 'First.' ? undefined : 'lost'),
    })
    expect(stdout).toBe('Nothing was changed.\n')
    expect(await readdir(mine)).toEqual(['keeper.md'])
  })

  it('write into the project when they are told to', async () => {
    const { run, theirs, undo } = await stage()
    const created = await run(['create', 'house', '--project', '--from', '-'], { input: 'Hi.' })
    expect(await readFile(path.join(theirs, 'house.md'), 'utf8')).toBe('Hi.')
    await undo(created)
    expect(await readdir(theirs)).toEqual([expect.stringMatching(/^house\.md\.bak-/)])
  })

  it('show with --dry-run what would be sent, and write nothing', async () => {
    const { run, mine } = await stage()
    const args = ['create', 'keeper', '--from', '-', '--dry-run']
    const { stdout } = await run(args, { input: 'Say {{ name }}.' })
    expect(stdout).toContain('would be written')
    expect(stdout).toContain('you stay a coding assistant')
    expect(stdout).toContain('Nothing fills these in: {{ name }}')
    expect(stdout).not.toContain('Undo')
    await expect(readdir(mine)).rejects.toThrow()
  })

  it.each([
    ['../out', 'is no name'],
    ['a/b', 'is no name'],
    ['a:stream', 'is no name'],
    ['nul', 'device'],
    ['friendly', 'never read'],
    ['none', 'no personality'],
  ])('refuse the name %s', async (name, why) => {
    const { run, home } = await stage()
    const { code, stderr } = await run(['create', name, '--from', '-'], { input: 'x' })
    expect(code).toBe(1)
    expect(stderr).toContain(why)
    await expect(readdir(path.join(home, '.config'))).rejects.toThrow()
  })

  it('name the command for the place that was meant', async () => {
    const { run, theirs } = await stage()
    const create = (name: string) =>
      run(['create', name, '--project', '--from', '-'], { input: 'Hi.' })
    await create('keeper')
    expect((await create('keeper')).stderr).toContain('personality edit keeper --project\n')
    await writeFile(path.join(theirs, 'empty.md'), '')
    expect((await create('empty')).stderr).toContain('personality remove empty --project\n')
  })

  it('refuse a text of 5 MB, an empty one, a name that is taken, and a missing one', async () => {
    const { run } = await stage()
    const create = (input: string) => run(['create', 'keeper', '--from', '-'], { input })
    expect((await create('x'.repeat(33 * 1024))).stderr).toContain('at most 32 KB')
    expect((await create(' \u200b\n')).stderr).toContain('empty')
    expect((await create('Hi.')).code).toBe(0)
    expect((await create('Ho.')).stderr).toContain('There is a text "keeper" already.')
    expect((await run(['edit', 'other', '--from', '-'], { input: 'x' })).stderr).toContain(
      'There is no text "other" there.',
    )
    const big = await run(['create', 'big', '--from', path.join('/', 'no', 'such')])
    expect(big.stderr).toContain('There is no file')
  })

  it.skipIf(process.platform === 'win32')('write through no link', async () => {
    const { run, mine, theirs, home, project } = await stage()
    const secret = path.join(home, 'secret')
    await writeFile(secret, 'mine')
    await mkdir(mine, { recursive: true })
    await symlink(secret, path.join(mine, 'out.md'))
    expect((await run(['edit', 'out', '--from', '-'], { input: 'x' })).code).toBe(1)
    expect((await run(['remove', 'out', '--confirm'])).code).toBe(0)
    expect(await readFile(secret, 'utf8')).toBe('mine')
    await mkdir(path.join(project, '.opencode'))
    await symlink(mine, theirs)
    const through = await run(['create', 'new', '--project', '--from', '-'], { input: 'x' })
    expect(through.stderr).toContain('leads out of the project')
  })

  it('take away also what cannot be used, and say where it is kept where no command brings it back', async () => {
    const { run, mine } = await stage()
    await mkdir(mine, { recursive: true })
    const texts = { big: 'x'.repeat(40_000), empty: '', odd: 'a\0b' }
    for (const [name, text] of Object.entries(texts)) {
      await writeFile(path.join(mine, `${name}.md`), text)
      const created = await run(['create', name, '--from', '-'], { input: 'x' })
      expect(created.stderr).toContain(
        `Take it away: npx oc-codex-multi-auth personality remove ${name}`,
      )
      const { stdout } = await run(['remove', name, '--yes'])
      expect(stdout).not.toContain('Undo:')
      const kept = /^As it was: (.*)$/m.exec(stdout)?.[1] ?? ''
      expect(await readFile(kept, 'utf8')).toBe(text)
    }
  })

  it('show a text as it is sent, also where it says in braces what would be a command of ours', async () => {
    const { run } = await stage()
    const text = 'Say {status}, {login} and {help limits}, and {{status}}.'
    const preview = await run(['create', 'keeper', '--from', '-', '--dry-run'], { input: text })
    expect(preview.stdout).toContain(`\n${text}\n`)
    await run(['create', 'keeper', '--from', '-'], { input: text })
    expect((await run(['show', 'keeper'])).stdout).toContain(`\n${text}\n`)
    const { part, placeholders } = JSON.parse(
      (await run(['show', 'keeper', '--json'])).stdout,
    ) as Record<string, unknown>
    expect(part).toContain(`\n${text}\n`)
    expect(placeholders).toEqual(['{{status}}'])
    await run(['use', 'keeper', '--agent', '{status}'])
    expect((await run(['list'])).stdout).toContain('agent {status}: keeper')
  })

  it('refuse a text that is no UTF-8', async () => {
    const { run, home, mine } = await stage()
    const file = path.join(home, 'odd.txt')
    await writeFile(file, Buffer.from('\ufeffSpeak.', 'utf16le'))
    const { code, stderr } = await run(['create', 'keeper', '--from', file])
    expect([code, stderr]).toEqual([
      1,
      'The text holds characters that are no UTF-8. Save it as UTF-8.\nNothing was changed.\n',
    ])
    await expect(readdir(mine)).rejects.toThrow()
  })

  it('remove nothing without a yes', async () => {
    const { run, mine } = await stage()
    await run(['create', 'keeper', '--from', '-'], { input: 'Hi.' })
    expect((await run(['remove', 'keeper'])).code).toBe(2)
    expect((await run(['remove', 'keeper', '--json'])).code).toBe(2)
    expect((await run(['remove', 'keeper'], { answer: 'n' })).stdout).toBe('Nothing was removed.\n')
    expect((await run(['remove', 'keeper', '--dry-run'])).stdout).toContain('would be removed')
    expect(await readdir(mine)).toEqual(['keeper.md'])
    expect((await run(['remove', 'keeper'], { answer: 'yes' })).code).toBe(0)
  })
})

describe('personality use', () => {
  it('keeps the comments of the file, makes a table of one word, and can be undone', async () => {
    const { run, undo, config, project } = await stage(
      '{\n  // mine\n  "personality": "friendly"\n}\n',
    )
    await run(['create', 'keeper', '--from', '-'], { input: 'Hi.' })
    const value = async (): Promise<unknown> =>
      (
        JSON.parse((await readFile(config, 'utf8')).replace(/\/\/.*/, '')) as Record<
          string,
          unknown
        >
      ).personality
    const agent = await run(['use', 'keeper', '--agent', 'plan'])
    expect(agent).toMatchObject({ code: 0, stderr: '' })
    expect(await value()).toEqual({ default: 'friendly', agents: { plan: 'keeper' } })
    const here = await run(['use', 'KEEPER', '--project'])
    expect(await value()).toMatchObject({ projects: { [project]: 'keeper' } })
    expect(here.stdout).toContain('Here: Personality: keeper (yours')
    await run(['use', 'none', '--model', 'gpt-5.5'])
    await run(['use', 'keeper'])
    expect(await value()).toEqual({
      default: 'keeper',
      agents: { plan: 'keeper' },
      projects: { [project]: 'keeper' },
      models: { 'gpt-5.5': 'none' },
    })
    await undo(here)
    await undo(agent)
    expect(await value()).toMatchObject({ agents: {}, projects: {} })
    expect(await readFile(config, 'utf8')).toContain('// mine')
  })

  it('changes the choice that stands for this project, also where the file names it with ~/', async () => {
    const { run, undo, config } = await stage(
      JSON.stringify({ personality: { projects: { '~/work': 'friendly' } } }),
    )
    await run(['create', 'keeper', '--from', '-'], { input: 'Hi.' })
    const value = async (): Promise<unknown> =>
      (JSON.parse(await readFile(config, 'utf8')) as Record<string, unknown>).personality
    const used = await run(['use', 'keeper', '--project'])
    expect(await value()).toEqual({ projects: { '~/work': 'keeper' } })
    expect(used.stdout).toContain('Here: Personality: keeper')
    await undo(used)
    expect(await value()).toEqual({ projects: { '~/work': 'friendly' } })
    await run(['use', '--unset', '--project'])
    expect(await value()).toEqual({ projects: {} })
  })

  it('with nothing before is undone by taking the choice out', async () => {
    const { run, undo, config } = await stage()
    await run(['create', 'keeper', '--from', '-'], { input: 'Hi.' })
    await undo(await run(['use', 'keeper']))
    expect(JSON.parse(await readFile(config, 'utf8'))).toEqual({})
  })

  it.each(['x; touch /tmp/y', '--dry-run', '../x', ''])(
    'puts no %j that stood there into the line for undoing',
    async (before) => {
      const { run, undo, config } = await stage(JSON.stringify({ personality: before }))
      const used = await run(['use', 'none'])
      expect(used.stdout).toMatch(/^Undo: npx oc-codex-multi-auth personality use --unset$/m)
      expect(await undo(used)).toMatchObject({ code: 0 })
      expect(JSON.parse(await readFile(config, 'utf8'))).toEqual({})
    },
  )

  it('refuses a name without a text, and takes one of the model list with a word of warning', async () => {
    const { run, config } = await stage()
    const missing = await run(['use', 'keeper'])
    expect(missing.code).toBe(1)
    expect(missing.stderr).toContain('personality create keeper')
    await expect(readFile(config)).rejects.toThrow()
    expect((await run(['use', 'friendly'])).stdout).toContain('Requests go out without it until')
    expect((await run(['use', 'friendly', '--model', 'a', '--agent', 'b'])).code).toBe(2)
  })

  it('takes no empty name of an agent or a model', async () => {
    const { run, config } = await stage('{}')
    for (const flag of ['--agent', '--model']) {
      const { code, stderr } = await run(['use', 'none', flag, ' '])
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining(`${flag} takes a name.`) as string,
      ])
    }
    expect(await readFile(config, 'utf8')).toBe('{}')
  })

  it('of a text that cannot be used says what is wrong with it, and not to write it', async () => {
    const { run, mine } = await stage()
    await mkdir(mine, { recursive: true })
    await writeFile(path.join(mine, 'big.md'), 'x'.repeat(40_000))
    const { code, stderr } = await run(['use', 'big'])
    expect(code).toBe(1)
    expect(stderr).toContain('too large')
    expect(stderr).not.toContain('Write it')
  })

  it('shows with --dry-run how the setting would read', async () => {
    const { run } = await stage('{"personality":"none"}')
    expect((await run(['use', 'none', '--agent', 'plan', '--dry-run'])).stdout).toContain(
      '  - "personality": "none"\n  + "personality": {"default":"none","agents":{"plan":"none"}}\n',
    )
  })

  it('changes nothing with --dry-run', async () => {
    const { run, config } = await stage('{}')
    const { stdout } = await run(['use', 'none', '--dry-run'])
    expect(stdout).toContain('would change')
    expect(await readFile(config, 'utf8')).toBe('{}')
  })
})

describe('personality list and show', () => {
  it('say where each text is, what is in force, and what a request costs more', async () => {
    const { run, home } = await stage(
      '{ "personality": { "default": "keeper", "agents": { "plan": "gone" } } }',
    )
    await run(['create', 'keeper', '--from', '-'], { input: 'Speak as one.\u001b]0;x\u0007' })
    const models = [
      {
        id: 'gpt-5.5',
        name: 'x',
        listed: true,
        fast: true,
        images: true,
        manners: { personality_friendly: 'Warm.', personality_pragmatic: undefined },
      },
    ]
    await mkdir(path.join(home, '.opencode', 'cache'))
    await writeFile(
      path.join(home, '.opencode', 'cache', 'catalogue.json'),
      formatCatalogues({ a: { models, etag: undefined, fetchedAtMs: 1, client: '0.169.0' } }),
    )
    const { stdout, code } = await run([])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^friendly +model list +about \d+ +gpt-5\.5$/m)
    expect(stdout).toMatch(/^pragmatic +- +- +The model list/m)
    expect(stdout).toMatch(/^keeper +you +about \d+ /m)
    expect(stdout).toMatch(
      /Personality: keeper \(yours, about \d+ tokens\); agent plan: gone \(not used: /,
    )
    const shown = await run(['show', 'keeper', '--json'])
    expect(JSON.parse(shown.stdout)).toMatchObject({
      name: 'keeper',
      scope: 'user',
      part: expect.stringMatching(/<personality>\nSpeak as one\.\n<\/personality>$/) as string,
    })
    expect((await run(['show', 'friendly'])).stdout).toContain('# Personality\n\nWarm.')
    expect((await run(['show', 'friendly', '--model', 'gpt-5.4'])).code).toBe(1)
  })

  it('and every other command explain themselves and answer in JSON', async () => {
    const { run } = await stage()
    const overview = await run(['--help'])
    for (const name of 'list show use create edit remove install-skill remove-skill'.split(' ')) {
      expect(overview.stdout).toContain(`  ${name} `)
      const { code, stdout } = await run([name, '--help'])
      expect({ name, code }).toEqual({ name, code: 0 })
      expect(stdout).toMatch(new RegExp(`^Usage: oc-codex-multi-auth personality ${name}`))
    }
    expect((await run(['nonsense'])).code).toBe(2)
    const failed = await run(['show', '../x', '--json'])
    expect(JSON.parse(failed.stdout)).toMatchObject({ error: { code: 'invalid_input' } })
  })
})

describe('the skill personality-builder', () => {
  const skillOf = ({ home }: Stage): string =>
    path.join(home, '.config', 'opencode', 'skills', 'personality-builder', 'SKILL.md')

  it('comes by its command alone and goes with it, and with uninstall', async () => {
    const here = await stage()
    const installed = await here.run(['install-skill'])
    expect(installed.code).toBe(0)
    expect(await readFile(skillOf(here), 'utf8')).toMatch(/^---\nname: personality-builder\n/)
    expect((await here.run(['install-skill'])).stdout).toContain('there already')
    await here.undo(installed)
    await expect(readFile(skillOf(here))).rejects.toThrow()
    await here.run(['install-skill'])
    const { stdout } = await runCli(here.home, ['uninstall'])
    expect(stdout).toContain(`removed ${skillOf(here)}`)
    await expect(readFile(skillOf(here))).rejects.toThrow()
    await runCli(here.home, ['install'])
    await expect(readFile(skillOf(here))).rejects.toThrow()
  })

  it('that the user changed is neither replaced nor removed, and they are told', async () => {
    const here = await stage()
    await here.run(['install-skill'])
    const words = (await readFile(skillOf(here), 'utf8')).replace('Ask first', 'Ask me first')
    await writeFile(skillOf(here), words)
    expect((await here.run(['install-skill'])).stderr).toContain('changed by you')
    expect((await here.run(['remove-skill'])).stderr).toContain('--force')
    expect((await runCli(here.home, ['uninstall'])).stdout).toContain('stays: you changed it')
    expect(await readFile(skillOf(here), 'utf8')).toBe(words)
    const forced = await here.run(['install-skill', '--force'])
    const backup = /^As it was: (.*)$/m.exec(forced.stdout)?.[1] ?? ''
    expect(await readFile(backup, 'utf8')).toBe(words)
    await writeFile(skillOf(here), words)
    const removed = await here.run(['remove-skill', '--force'])
    const again = /^As it was: (.*)$/m.exec(removed.stdout)?.[1] ?? ''
    expect(await readFile(again, 'utf8')).toBe(words)
    expect(removed.stdout).not.toContain('Undo:')
    await expect(readFile(skillOf(here))).rejects.toThrow()
  })

  it('of another version is known as ours, and a file of somebody else is not', async () => {
    const { skillState, skillText } = await import('../../lib/personality/skill.js')
    const { sha256Hex } = await import('../../lib/kernel/hash.js')
    const file = path.join(await temporaryFolder(), 'SKILL.md')
    const unsealed = skillText()
      .replace(/^ {2}oc-codex-multi-auth: .*\n/m, '')
      .concat('Older.\n')
    const seal = sha256Hex(unsealed).slice(0, 16)
    await writeFile(
      file,
      unsealed.replace('metadata:\n', `metadata:\n  oc-codex-multi-auth: "${seal}"\n`),
    )
    expect(await skillState(file)).toBe('older')
    await writeFile(file, '---\nname: personality-builder\n---\nMine.\n')
    expect(await skillState(file)).toBe('changed')
    await rm(file)
    expect(await skillState(file)).toBe('absent')
  })
})

describe.skipIf(process.platform === 'win32')('the editor', () => {
  it('gets the text in a file that only the user can read, and its folder goes', async () => {
    const folder = await temporaryFolder()
    const editor = path.join(folder, 'editor')
    await writeFile(
      editor,
      `#!/bin/sh\nls -l "$2" | cut -c1-10 > ${folder}/mode\necho "$1 $2" > ${folder}/seen\necho more >> "$2"\n`,
    )
    await chmod(editor, 0o755)
    const env = { EDITOR: `${editor} --wait`, PATH: process.env.PATH }
    expect(await editText(env, 'keeper', 'one\n')).toBe('one\nmore\n')
    const [flag, file = ''] = (await readFile(path.join(folder, 'seen'), 'utf8')).trim().split(' ')
    expect(flag).toBe('--wait')
    expect(path.basename(file)).toBe('keeper.md')
    expect((await readFile(path.join(folder, 'mode'), 'utf8')).trim()).toBe('-rw-------')
    await expect(readdir(path.dirname(file))).rejects.toThrow()
  })

  it('that fails or is not there changes nothing', async () => {
    await expect(editText({ EDITOR: '/bin/false' }, 'a', '')).rejects.toThrow('ended with an error')
    await expect(editText({ EDITOR: '/no/such' }, 'a', '')).rejects.toThrow('no program')
    await expect(editText({}, 'a', '')).rejects.toThrow('No editor')
  })
})
