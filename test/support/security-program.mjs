// A stand-in for /usr/bin/security of macOS: the part of it that deals with passwords, with the exit codes, texts and line
// rules of the real one. What a person at the screen does is said in the state file beside it.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

const folder = path.dirname(process.argv[1])
const stateFile = path.join(folder, 'state.json')
const read = () => JSON.parse(readFileSync(stateFile, 'utf8'))
const change = (edit) => {
  const state = read()
  edit(state)
  writeFileSync(stateFile, JSON.stringify(state))
}
const say = (text) => process.stderr.write(`security: ${text}\n`)

// OSStatus is cut to its last byte by exit().
const NOT_FOUND = 44
const DUPLICATE = 45
const WRONG_PASSWORD = 51
const INTERACTION_NOT_ALLOWED = 36
const CANCELED = 128
const USAGE = 2
const TEXTS = {
  [NOT_FOUND]: 'The specified item could not be found in the keychain.',
  [DUPLICATE]: 'The specified item already exists in the keychain.',
  [WRONG_PASSWORD]: 'The user name or passphrase you entered is not correct.',
  [INTERACTION_NOT_ALLOWED]: 'User interaction is not allowed.',
  [CANCELED]: 'User canceled the operation.',
}

/** A window of SecurityAgent: the program hangs until somebody answers. */
async function question(about) {
  const { hasWindows, answer, answerAfterMs } = read()
  if (!hasWindows) return INTERACTION_NOT_ALLOWED
  appendFileSync(path.join(folder, 'questions'), `${about}\n`)
  if (answer === 'never') await sleep(2 ** 30)
  await sleep(answerAfterMs)
  if (answer === 'deny') return CANCELED
  return answer === 'wrong password' ? WRONG_PASSWORD : 0
}

async function unlocked() {
  if (!read().isLocked) return 0
  const code = await question('unlock')
  if (code === 0) change((state) => (state.isLocked = false))
  return code
}

function optionsOf(argv, withValue, flags) {
  const options = {}
  for (let index = 0; index < argv.length; index += 1) {
    const name = argv[index].slice(1)
    if (!argv[index].startsWith('-')) return undefined
    if (flags.includes(name)) options[name] = true
    else if (!withValue.includes(name) || argv[index + 1] === undefined) return undefined
    else options[name] = argv[(index += 1)]
  }
  return options
}

const keyOf = ({ s, a }) => `${s}/${a}`
const isPrintable = (text) => /^[\x20-\x7e]*$/.test(text)
const hexOf = (text) => Buffer.from(text).toString('hex')

const COMMANDS = {
  async 'add-generic-password'(argv) {
    const options = optionsOf(argv, ['a', 's', 'w', 'l', 'T'], ['U', 'A'])
    if (options?.s === undefined || options.a === undefined) return USAGE
    const code = await unlocked()
    const key = keyOf(options)
    const isThere = read().items[key] !== undefined
    const failure = code !== 0 ? code : isThere && options.U !== true ? DUPLICATE : 0
    if (failure !== 0) {
      say(`SecKeychainItemCreateFromContent (<default>): ${TEXTS[failure]}`)
      return failure
    }
    change((state) => {
      // Without -w an item with nothing in it is made, and that is a success.
      state.items[key] = {
        secret: options.w ?? '',
        trusted: state.items[key]?.trusted ?? ['security'],
      }
    })
    return 0
  },

  async 'find-generic-password'(argv) {
    const options = optionsOf(argv, ['a', 's', 'l'], ['w', 'g'])
    if (options === undefined) return USAGE
    const item = read().items[keyOf(options)]
    if (item === undefined) {
      say(`SecKeychainSearchCopyNext: ${TEXTS[NOT_FOUND]}`)
      return NOT_FOUND
    }
    if (options.w !== true && options.g !== true) {
      // Attributes are not secret: nobody is asked.
      process.stdout.write(`class: "genp"\nattributes:\n    "acct"<blob>="${options.a}"\n`)
      return 0
    }
    let code = await unlocked()
    if (code === 0 && !item.trusted.includes('security')) {
      code = await question('access')
      if (code === 0 && read().answer === 'always')
        change(({ items }) => items[keyOf(options)].trusted.push('security'))
    }
    // A locked keychain without a window ends it without a word.
    if (code !== 0) return code
    const { secret } = item
    if (options.w === true)
      process.stdout.write(`${isPrintable(secret) ? secret : hexOf(secret)}\n`)
    else
      process.stderr.write(
        `password: ${isPrintable(secret) ? '' : `0x${hexOf(secret).toUpperCase()}  `}"${secret}"\n`,
      )
    return 0
  },

  async 'delete-generic-password'(argv) {
    const options = optionsOf(argv, ['a', 's', 'l'], [])
    if (options === undefined) return USAGE
    if (read().items[keyOf(options)] === undefined) {
      say(`SecKeychainSearchCopyNext: ${TEXTS[NOT_FOUND]}`)
      return NOT_FOUND
    }
    change(({ items }) => (items[keyOf(options)] = undefined))
    process.stderr.write('password has been deleted.\n')
    return 0
  },

  async 'lock-keychain'() {
    change((state) => (state.isLocked = true))
    return 0
  },

  async 'unlock-keychain'(argv) {
    const { p } = optionsOf(argv, ['p'], []) ?? {}
    if (p !== read().password) {
      say(`SecKeychainUnlock <NULL>: ${TEXTS[WRONG_PASSWORD]}`)
      return WRONG_PASSWORD
    }
    change((state) => (state.isLocked = false))
    return 0
  },
}

async function execute([name, ...argv]) {
  if (name === undefined) return 0
  // A command may be shortened.
  const found = Object.keys(COMMANDS).find((command) => command.startsWith(name))
  if (found === undefined) {
    say(`unknown command "${name}"`)
    return 1
  }
  const code = await COMMANDS[found](argv)
  if (code === USAGE) process.stderr.write(`Usage: ${found} …\n`)
  return code
}

/** Blanks split, quotes of both kinds and backslashes keep together. */
function wordsOf(line) {
  const words = []
  let word
  let quote
  for (let index = 0; index < line.length; index += 1) {
    const letter = line[index]
    if (letter === '\\') word = (word ?? '') + (line[(index += 1)] ?? '')
    else if (quote !== undefined) {
      if (letter === quote) {
        words.push(word)
        word = quote = undefined
      } else word += letter
    } else if (word === undefined && (letter === '"' || letter === "'")) {
      quote = letter
      word = ''
    } else if (/\s/.test(letter)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + letter
  }
  return word === undefined ? words : [...words, word]
}

/** A line is read in pieces of 4,095 bytes, each of them a command. */
function piecesOf(input) {
  return input
    .replace(/\n$/, '')
    .split('\n')
    .flatMap((line) => `${line}\n`.match(/[^]{1,4095}/g) ?? [])
}

async function interactive() {
  let result = 0
  for (const line of piecesOf(readFileSync(0, 'utf8'))) {
    const words = wordsOf(line)
    result = await execute(words)
    if (result !== 0) process.stderr.write(`${words[0]}: returned ${result}\n`)
  }
  return read().interactiveEndsWithZero ? 0 : result
}

const argv = process.argv.slice(2)
appendFileSync(path.join(folder, 'argv'), `${argv.join(' ')}\n`)
process.exitCode = argv[0] === '-i' ? await interactive() : await execute(argv)
