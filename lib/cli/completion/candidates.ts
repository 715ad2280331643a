import type { StoredAccount } from '../../accounts/account.js'
import { ownName } from '../../accounts/labels.js'
import { SETTING_HELP } from '../../config/setting-help.js'
import { SETTING_NAMES } from '../../config/setting-names.js'
import { plainText } from '../../kernel/text/plain-text.js'
import type { Command, Takes, Values } from '../io.js'

/** A word that fits, with a few words about it. */
interface Candidate {
  readonly value: string
  readonly help: string
}

/** What is completed: words, or whatever the shell knows of files. */
type Completion = { readonly files: true } | { readonly words: readonly Candidate[] }

type Accounts = readonly StoredAccount[]

/**
 * What the last of some words can become. Pure.
 * @param words those after the name of the program; the last one is being typed and may be empty
 * @param accounts asked for where names of accounts fit
 */
export async function completionOf(
  commands: readonly Command[],
  words: readonly string[],
  accounts: () => Promise<Accounts>,
): Promise<Completion> {
  const [name, ...rest] = words
  const current = rest.at(-1)
  if (name === undefined || current === undefined) return { words: begin(commands, name ?? '') }
  const command = commands.find((one) => one.name === name)
  if (command === undefined) return { words: [] }
  const { options } = command.takes
  const { given, open } = readWords(command.takes, rest.slice(0, -1))
  // `--interval=5`, and bash takes the sign for a word of its own.
  const [, flag, typed] = /^--([\w-]+)=(.*)$/s.exec(current) ?? []
  const option = open ?? options.find((one) => one.name === flag)
  if (option !== undefined) {
    const { of, isList = false } = option.value ?? {}
    const head = flag === undefined || open !== undefined ? '' : `--${flag}=`
    const text = head === '' ? current : (typed ?? '')
    const before = isList ? text.slice(0, text.lastIndexOf(',') + 1) : ''
    return of === undefined ? { words: [] } : valuesOf([of], text, head, before, accounts)
  }
  if (current.startsWith('-'))
    return {
      words: options
        .map(({ name: value, help }) => ({ value: `--${value}`, help }))
        .filter(({ value }) => value.startsWith(current)),
    }
  return valuesOf(command.takes.words(given), current, '', '', accounts)
}

function begin(commands: readonly Command[], typed: string): readonly Candidate[] {
  return [
    ...commands.map(({ name, summary }) => ({ value: name, help: summary })),
    { value: '--help', help: 'show the commands' },
    { value: '--version', help: 'show the version' },
  ].filter(({ value }) => value.startsWith(typed) && (typed !== '' || !value.startsWith('-')))
}

/** The words without flags, and the option whose value is to follow. */
function readWords({ options }: Takes, words: readonly string[]) {
  const given: string[] = []
  let open: Takes['options'][number] | undefined
  for (const word of words) {
    if (open !== undefined && word !== '=') open = undefined
    else if (word.startsWith('--'))
      open = options.find(({ name, value }) => word === `--${name}` && value !== undefined)
    else if (word !== '=') given.push(word)
  }
  return { given, open }
}

/** @param head stands before the values and stays; `before`: the part of a list that is there already */
async function valuesOf(
  values: readonly Values[],
  typed: string,
  head: string,
  before: string,
  accounts: () => Promise<Accounts>,
): Promise<Completion> {
  if (values.some(({ kind }) => kind === 'file')) return { files: true }
  const prefix = typed === '=' ? '' : typed
  const found: Candidate[] = []
  for (const one of values) found.push(...(await candidatesOf(one, accounts)))
  return {
    words: found
      .map(({ value, help }) => ({ value: before + value, help }))
      .filter(({ value }) => value.startsWith(prefix))
      .map(({ value, help }) => ({ value: plainText(head + value), help: plainText(help) })),
  }
}

async function candidatesOf(
  values: Values,
  accounts: () => Promise<Accounts>,
): Promise<readonly Candidate[]> {
  switch (values.kind) {
    case 'words':
      return values.words.map((value) => ({ value, help: '' }))
    case 'setting':
      return SETTING_NAMES.map((value) => ({ value, help: SETTING_HELP[value] }))
    case 'tag':
      return [...new Set((await accounts()).flatMap(({ accountTags = [] }) => accountTags))].map(
        (value) => ({ value, help: '' }),
      )
    case 'account': {
      const all = await accounts()
      return [
        ...all.map((account, position) => ({
          value: String(position + 1),
          help: ownName(account, { maskEmail: true }) ?? '',
        })),
        ...all.flatMap(({ accountLabel: label }, position) =>
          label === undefined || label === ''
            ? []
            : [{ value: label, help: `account ${position + 1}` }],
        ),
      ]
    }
    case 'file':
      return []
  }
}
