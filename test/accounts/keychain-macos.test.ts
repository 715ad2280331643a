import { describe, expect, it } from 'vitest'

import type { Keychain, Waiting } from '../../lib/accounts/keychain/keychain.js'
import { guarded } from '../../lib/accounts/keychain/keychain-guard.js'
import { bunKeychain, patienceAt } from '../../lib/accounts/keychain/keychain-open.js'
import { memoryOfProgram, systemKeychain } from '../../lib/accounts/keychain/keychain-system.js'
import { typedCommandCode } from '../../lib/accounts/keychain/keychain-problem.js'
import { newDataKey, textOfKey } from '../../lib/accounts/keychain/data-key.js'
import { createVault, keyItemName } from '../../lib/accounts/keychain/vault.js'
import { systemClock } from '../../lib/kernel/clock.js'
import { memoryKeychain } from '../support/memory-keychain.js'
import { securityProgram } from '../support/security-program.js'

type Program = Awaited<ReturnType<typeof securityProgram>>

const SERVICE = 'oc-codex-multi-auth'
const onMac = (env: NodeJS.ProcessEnv, waiting?: Waiting): Keychain =>
  systemKeychain({ env, platform: 'darwin', secrets: undefined }, waiting)

function vaultOn({ env }: Program, waiting?: Waiting, nowMs = () => Date.now()) {
  const clock = { ...systemClock, now: nowMs }
  return createVault({ keychain: onMac(env, waiting), clock, optedIn: true })
}

/** An item that OpenCode has made: `security` is asked about when it reads it. */
function madeByOpenCode() {
  const key = newDataKey()
  const item = { secret: textOfKey(key), trusted: ['opencode'] }
  return { key, items: { [`${SERVICE}/${keyItemName(key.id)}`]: item } }
}

// The stand-in is a shell script.
const noShell = process.platform === 'win32'

describe.skipIf(noShell)('the keychain of macOS', () => {
  it('keeps a key, gives it back, finds and deletes it, asks nobody and shows no process list the secret', async () => {
    const program = await securityProgram()
    const keychain = onMac(program.env)
    const secret = textOfKey(newDataKey())
    expect(await keychain.has?.('pool-key.1')).toBe(false)
    await keychain.set('pool-key.1', secret)
    expect(await keychain.get('pool-key.1')).toBe(secret)
    expect(await keychain.has?.('pool-key.1')).toBe(true)
    expect(await keychain.delete('pool-key.1')).toBe(true)
    expect(await keychain.delete('pool-key.1')).toBe(false)
    expect(await keychain.get('pool-key.1')).toBeUndefined()
    expect((await program.argv()).join('\n')).not.toContain(secret)
    expect(await program.questions()).toEqual([])
  })

  it.each([
    ['locked over SSH', { isLocked: true, hasWindows: false }, /no window.*36/, /unlock-keychain/],
    [
      'locked, and its question is denied',
      { isLocked: true, answer: 'deny' },
      /128.*with no/,
      /Al/,
    ],
    ['given a wrong password', { isLocked: true, answer: 'wrong password' }, /51/, /Always Allow/],
  ] as const)(
    'that is %s is an error that says so, for reads and writes',
    async (_name, state, message, hint) => {
      const { items } = madeByOpenCode()
      const program = await securityProgram({ items, ...state })
      const name = Object.keys(items)[0]!.slice(SERVICE.length + 1)
      const failed = expect.objectContaining({
        code: 'keychain_unreachable',
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      })
      await expect(onMac(program.env).get(name)).rejects.toEqual(failed)
      await expect(onMac(program.env).set('pool-key.new', 'SECRET')).rejects.toEqual(failed)
      expect(await onMac(program.env).has?.(name)).toBe(true)
    },
  )

  it('has not stored what its shell failed at, whatever that shell ends with itself', async () => {
    const program = await securityProgram({
      isLocked: true,
      hasWindows: false,
      interactiveEndsWithZero: true,
    })
    await expect(onMac(program.env).set('pool-key.1', 'SECRET')).rejects.toMatchObject({
      message: expect.stringContaining('36'),
    })
  })

  it.each([
    [0, '', 0],
    [44, 'x: returned 44\n', 44],
    [0, 'security: something\nadd-generic-password: returned 45\n', 45],
    [0, 'add-generic-password: returned -25299\n', 45],
    [0, 'returned 45', 0],
  ])('a shell that ends with %i and says %j ended its command with %i', (code, stderr, wanted) => {
    expect(typedCommandCode(code, stderr)).toBe(wanted)
  })

  it('opens after it was unlocked, without a question in a session that has no window', async () => {
    const { key, items } = madeByOpenCode()
    items[Object.keys(items)[0]!]!.trusted.push('security')
    const program = await securityProgram({ items, isLocked: true, hasWindows: false })
    await expect(vaultOn(program).key(key.id)).rejects.toMatchObject({
      code: 'keychain_unreachable',
    })
    await program.change({ isLocked: false })
    expect((await vaultOn(program).key(key.id)).bytes).toEqual(key.bytes)
    expect(await program.questions()).toEqual([])
  })

  it('whose item is text that security prints in hex holds no key of ours', async () => {
    const { key, items } = madeByOpenCode()
    items[Object.keys(items)[0]!] = { secret: 'schlüssel', trusted: ['security'] }
    const program = await securityProgram({ items })
    await expect(vaultOn(program).key(key.id)).rejects.toMatchObject({
      message: expect.stringContaining('is not a key of this plugin'),
    })
  })
})

describe.skipIf(noShell)('the owner of the keychain', () => {
  it('is asked once by all who want the key at the same time', async () => {
    const { key, items } = madeByOpenCode()
    const program = await securityProgram({ items, answerAfterMs: 100 })
    const vault = vaultOn(program)
    const keys = await Promise.all([vault.key(key.id), vault.key(key.id), vault.key(key.id)])
    expect(keys.map(({ bytes }) => bytes)).toEqual([key.bytes, key.bytes, key.bytes])
    await vault.key(key.id)
    expect(await program.questions()).toEqual(['access'])
  })

  it('who allowed it this once is not asked again by the looks after the item', async () => {
    const { key, items } = madeByOpenCode()
    const program = await securityProgram({ items, answer: 'allow' })
    let nowMs = Date.now()
    const vault = vaultOn(program, undefined, () => nowMs)
    await vault.key(key.id)
    for (let minute = 0; minute < 3; minute += 1) {
      nowMs += 61_000
      expect(await vault.ensureStored(key.id)).toBe('fine')
    }
    expect(await vault.ensureStored(key.id, 'now')).toBe('fine')
    expect(await program.questions()).toEqual(['access'])
  })

  it('who allowed it always is not asked by the next process either', async () => {
    const { key, items } = madeByOpenCode()
    const program = await securityProgram({ items, answer: 'always' })
    await vaultOn(program).key(key.id)
    await vaultOn(program).key(key.id)
    expect(await program.questions()).toEqual(['access'])
  })

  it('who said no is not asked again by the requests of the next 15 s, and by those after them', async () => {
    const { key, items } = madeByOpenCode()
    const program = await securityProgram({ items, answer: 'deny' })
    let nowMs = Date.now()
    const vault = vaultOn(program, undefined, () => nowMs)
    for (let request = 0; request < 3; request += 1) {
      await expect(vault.key(key.id)).rejects.toMatchObject({ code: 'keychain_unreachable' })
      nowMs += 6_000
    }
    expect(await program.questions()).toEqual(['access'])
    await program.change({ answer: 'always' })
    expect((await vault.key(key.id)).bytes).toEqual(key.bytes)
  })

  it('is asked once by a program that works in several projects', async () => {
    const { key } = madeByOpenCode()
    let reads = 0
    const secrets = { get: async () => ((reads += 1), textOfKey(key)) }
    const place = { env: {}, platform: 'darwin' as const, secrets }
    const vaults = [1, 2].map(() =>
      createVault({
        keychain: systemKeychain(place),
        clock: systemClock,
        optedIn: false,
        memory: memoryOfProgram(place),
      }),
    )
    for (const vault of vaults) expect((await vault.key(key.id)).bytes).toEqual(key.bytes)
    expect(reads).toBe(1)
    expect(memoryOfProgram({ ...place, secrets: undefined })).toBeUndefined()
  })

  it('answers every project of a program, also when the one that asked first is closed meanwhile', async () => {
    const { key } = madeByOpenCode()
    let reads = 0
    const never = new Promise<string>(() => undefined)
    const secrets = { get: () => ((reads += 1) === 1 ? never : Promise.resolve(textOfKey(key))) }
    const place = { env: {}, platform: 'darwin' as const, secrets }
    const closed = new AbortController()
    const [first, second] = [closed.signal, undefined].map((signal) =>
      createVault({
        keychain: systemKeychain(place, { signal }),
        clock: systemClock,
        optedIn: false,
        memory: memoryOfProgram(place),
      }),
    )
    const gaveUp = expect(first?.key(key.id)).rejects.toMatchObject({ name: 'AbortError' })
    const asked = second?.key(key.id)
    await expect.poll(() => reads).toBe(1)
    closed.abort()
    await gaveUp
    expect((await asked)?.bytes).toEqual(key.bytes)
  })

  it('who said no to one project of a program is not asked again by the next one', async () => {
    const { key } = madeByOpenCode()
    let reads = 0
    const refusal = Object.assign(new Error('no'), { code: 'ERR_SECRETS_ACCESS_DENIED' })
    const secrets = { get: () => ((reads += 1), Promise.reject(refusal)) }
    const place = { env: {}, platform: 'darwin' as const, secrets }
    const vaults = [1, 2].map(() =>
      createVault({
        keychain: systemKeychain(place),
        clock: systemClock,
        optedIn: false,
        memory: memoryOfProgram(place),
      }),
    )
    const refused = { code: 'keychain_unreachable' }
    await Promise.all(
      vaults.map((vault) => expect(vault.key(key.id)).rejects.toMatchObject(refused)),
    )
    for (const vault of vaults) await expect(vault.key(key.id)).rejects.toMatchObject(refused)
    expect(reads).toBe(1)
  })

  it('hears what is waited for when it takes long, and is waited for', async () => {
    const { key, items } = madeByOpenCode()
    const program = await securityProgram({ items, answerAfterMs: 1_800 })
    const heard: string[] = []
    const vault = vaultOn(program, { onWait: (question) => heard.push(question) })
    expect((await vault.key(key.id)).bytes).toEqual(key.bytes)
    expect(heard).toEqual([expect.stringMatching(/macOS.*security.*Always Allow/)])
  })

  it('who gives up ends the wait and the program that asks', async () => {
    const { key, items } = madeByOpenCode()
    const program = await securityProgram({ items, answer: 'never' })
    const abort = new AbortController()
    const asked = vaultOn(program, { signal: abort.signal }).key(key.id)
    const failed = expect(asked).rejects.toMatchObject({ name: 'AbortError' })
    await expect.poll(() => program.questions()).toEqual(['access'])
    abort.abort()
    await failed
  })
})

describe('the patience with a keychain', () => {
  it.each([
    ['darwin', {}, 60_000, /“security”/],
    ['darwin', { SSH_CONNECTION: '1' }, 60_000, /“security”/],
    ['linux', { DISPLAY: ':0' }, 60_000, /desktop/],
    ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, 60_000, /desktop/],
    ['linux', { DISPLAY: '' }, 5_000, undefined],
    ['win32', {}, 5_000, undefined],
  ] as const)('on %s with %j is %i ms', (platform, env, limitMs, question) => {
    const patience = patienceAt({ env, platform, secrets: undefined })
    expect(patience.limitMs).toBe(limitMs)
    if (question === undefined) expect(patience.question).toBeUndefined()
    else expect(patience.question).toMatch(question)
  })

  it('names OpenCode where OpenCode asks', () => {
    expect(patienceAt({ env: {}, platform: 'darwin', secrets: {} }).question).toContain('OpenCode')
  })
})

describe('the keychain through Bun on macOS', () => {
  const failing = (code: string) =>
    bunKeychain({ get: () => Promise.reject(Object.assign(new Error('SECRET'), { code })) })

  it.each([
    ['ERR_SECRETS_ACCESS_DENIED', /with no/],
    ['ERR_SECRETS_INTERACTION_NOT_ALLOWED', /no window/],
  ])('says what %s means', async (code, message) => {
    await expect(failing(code).get('x')).rejects.toMatchObject({
      code: 'keychain_unreachable',
      message: expect.stringMatching(message),
    })
  })

  it('keeps one question for who asks again after the limit', async () => {
    let asked = 0
    let answer: (text: string) => void = () => undefined
    const slow: Keychain = {
      ...memoryKeychain(),
      get: () => ((asked += 1), new Promise<string>((resolve) => (answer = resolve))),
    }
    const keychain = guarded(slow, { limitMs: 20 })
    await expect(keychain.get('x')).rejects.toMatchObject({ code: 'keychain_unreachable' })
    const again = keychain.get('x')
    answer('key')
    expect(await again).toBe('key')
    expect(asked).toBe(1)
  })
})
