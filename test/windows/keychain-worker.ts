import { currentPlatform, systemKeychain } from '../../lib/accounts/keychain/keychain-system.js'

/** One call to the keychain of this system, as the product makes it. Prints the way to it and what came back as JSON. */
const [call = '', name = '', secret = ''] = process.argv.slice(2)
const keychain = systemKeychain(currentPlatform(process.env))
if (call === 'set') await keychain.set(name, secret)
const result = call === 'delete' ? await keychain.delete(name) : await keychain.get(name)
process.stdout.write(JSON.stringify({ via: keychain.via, result: result ?? null }))
