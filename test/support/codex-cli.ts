import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { endOf, type Ended, startProcess } from './child-process.js'
import { repositoryRoot } from './repository.js'
import type { Simulator } from '../../simulator/index.js'
import { homeIn } from './home.js'

/** What the tests were written against; a newer one may ask for more. */
export const CODEX_CLI_OF_TESTS = '0.171.0'
const INSTALL_TIMEOUT_MS = 150_000

/**
 * The real Codex CLI. It is far too large for a development dependency (over 400 MB unpacked), so it is installed when a
 * test first wants it, below `.tmp`, and kept there. `CODEX_CLI` names one that is there already.
 * @returns its path, or why it cannot be had
 */
export async function codexCli(): Promise<
  { readonly file: string } | { readonly missing: string }
> {
  const given = process.env.CODEX_CLI
  if (given !== undefined && given !== '')
    return existsSync(given)
      ? { file: given }
      : { missing: `CODEX_CLI names ${given}, which is not there` }
  const folder = path.join(repositoryRoot, '.tmp', `codex-cli-${CODEX_CLI_OF_TESTS}`)
  const file = path.join(folder, 'node_modules', '@openai', 'codex', 'bin', 'codex.js')
  if (existsSync(file)) return { file }
  await mkdir(path.dirname(folder), { recursive: true })
  const making = await mkdtemp(`${folder}-`)
  try {
    await writeFile(path.join(making, 'package.json'), '{"private":true}')
    execFileSync(
      'npm',
      [
        'install',
        '--no-audit',
        '--no-fund',
        '--silent',
        '--ignore-scripts',
        `@openai/codex@${CODEX_CLI_OF_TESTS}`,
      ],
      {
        cwd: making,
        timeout: INSTALL_TIMEOUT_MS,
        stdio: 'pipe',
        shell: process.platform === 'win32',
      },
    )
    await rename(making, folder).catch(() => undefined)
    return existsSync(file)
      ? { file }
      : { missing: `@openai/codex ${CODEX_CLI_OF_TESTS} has no program for this system` }
  } catch {
    return {
      missing: `@openai/codex ${CODEX_CLI_OF_TESTS} could not be installed: no registry, or no room`,
    }
  } finally {
    await rm(making, { recursive: true, force: true })
  }
}

/** A certificate and the authority that signed it. */
export interface TestCertificate {
  readonly key: string
  readonly cert: string
  /** File of the authority, in PEM. */
  readonly caFile: string
}

/**
 * Makes one, for 127.0.0.1 or for other names, with the `openssl` of the system; nothing is put into any trust store.
 * Undefined where there is no such program.
 */
export async function testCertificate(
  folder: string,
  names = 'IP:127.0.0.1',
): Promise<TestCertificate | undefined> {
  if (spawnSync('openssl', ['version'], { stdio: 'ignore' }).status !== 0) return undefined
  const at = (name: string): string => path.join(folder, name)
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  await writeFile(
    at('leaf.ext'),
    `subjectAltName=${names}\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\n`,
  )
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=simulator test CA',
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
  )
  openssl('req', ...key, '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', '/CN=127.0.0.1')
  openssl(
    'x509',
    '-req',
    '-in',
    'leaf.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    'leaf.pem',
    '-days',
    '2',
    '-extfile',
    'leaf.ext',
  )
  return {
    key: await readFile(at('leaf.key'), 'utf8'),
    cert: await readFile(at('leaf.pem'), 'utf8'),
    caFile: at('ca.pem'),
  }
}

/** Runs `codex exec` in a home of its own, signed in as an account of the simulator; but for the addresses all is default. */
export async function codexExec(
  cli: string,
  simulator: Simulator,
  options: {
    readonly folder: string
    readonly caFile: string
    readonly account: string
    readonly prompt: string
  },
): Promise<Ended> {
  const { folder, account, caFile, prompt } = options
  const codexHome = path.join(folder, 'codex')
  const project = path.join(folder, 'project')
  for (const one of [codexHome, project]) await mkdir(one, { recursive: true, mode: 0o700 })
  await writeFile(
    path.join(codexHome, 'config.toml'),
    `chatgpt_base_url = "${simulator.backend}"\nopenai_base_url = "${simulator.backend}/codex"\ncli_auth_credentials_store = "file"\n`,
  )
  const { access_token, refresh_token, id_token } = simulator.login(account)
  const tokens = {
    access_token,
    refresh_token,
    id_token,
    account_id: simulator.account(account).accountId,
  }
  await writeFile(
    path.join(codexHome, 'auth.json'),
    JSON.stringify({
      auth_mode: 'chatgpt',
      OPENAI_API_KEY: null,
      tokens,
      last_refresh: new Date().toISOString(),
    }),
    { mode: 0o600 },
  )
  const env = {
    ...homeIn(folder),
    PATH: process.env.PATH ?? '',
    CODEX_HOME: codexHome,
    CODEX_CA_CERTIFICATE: caFile,
    SSL_CERT_FILE: caFile,
    NO_PROXY: '127.0.0.1',
    RUST_LOG: 'error',
  }
  const args = [cli, 'exec', '--skip-git-repo-check', '--sandbox', 'danger-full-access', prompt]
  return endOf(startProcess({ file: process.execPath, args, cwd: project, env }), 60_000)
}
