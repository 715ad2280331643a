import * as z from 'zod'

import { accountPatchSchema, patchAccount } from './accounts/account.js'
import type { OAuthHandlers } from './accounts/oauth.js'
import { usageBody } from './accounts/quota.js'
import { json, type Reply } from './reply.js'
import { scenarioSchema, type Transport } from './scenario.js'
import { settingsPatchSchema } from './settings.js'
import { accountNamed, recordOf, type SimRequest, type World } from './world.js'

/** One request the simulator has answered; holds no body. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly account: string | undefined
  readonly status: number
  readonly atMs: number
  readonly transport: Transport
  /** Number of the connection it came over. */
  readonly connection: number
  /** Size as it came: a body packed, a message of a WebSocket deflated and with its head. */
  readonly bytesUp: number
  /** It continues what its connection holds. */
  readonly incremental: boolean
}

/** What the control plane may look at and change. */
export interface ControlDeps {
  readonly world: World
  readonly oauth: OAuthHandlers
  readonly seen: () => readonly Seen[]
  readonly advance: (ms: number) => void
  readonly changeSettings: (patch: z.output<typeof settingsPatchSchema>) => void
}

/** Answers below `/__sim/`: look at the simulator and change it while it runs. Loopback only, so it asks nobody who they are. */
export function answerControl(
  { world, oauth, seen, advance, changeSettings }: ControlDeps,
  request: SimRequest,
): Reply {
  const body = recordOf(request.body)
  const bad = (why: string): Reply => json(400, { error: why })
  switch (`${request.method} ${request.path.slice('/__sim/'.length)}`) {
    case 'GET state':
      return json(200, {
        now: world.now(),
        settings: world.settings,
        rules: world.rules.list(),
        pendingDevices: oauth.pendingDevices(),
        accounts: world.accounts.map((account) => ({
          name: account.name,
          email: account.email,
          plan: account.plan,
          accountId: account.accountId,
          usage: usageBody(account, world.now()),
        })),
      })
    case 'GET requests':
      return json(200, { requests: seen() })
    case 'POST scenario': {
      const rules = scenarioSchema.safeParse(parsed(request.body))
      return rules.success
        ? json(200, { added: world.rules.add(rules.data) })
        : bad(z.prettifyError(rules.error))
    }
    case 'DELETE scenario':
      world.rules.remove(request.query.get('id') ?? undefined)
      return json(200, {})
    case 'POST settings': {
      const patch = settingsPatchSchema.safeParse(body)
      if (!patch.success) return bad(z.prettifyError(patch.error))
      changeSettings(patch.data)
      return json(200, { settings: world.settings })
    }
    case 'POST advance': {
      const { ms } = z.object({ ms: z.number().min(0) }).safeParse(body).data ?? {}
      if (ms === undefined) return bad('ms must be a number, 0 or more')
      advance(ms)
      return json(200, { now: world.now() })
    }
    case 'POST account': {
      const named = z.object({ name: z.string(), change: accountPatchSchema }).safeParse(body)
      if (!named.success) return bad(z.prettifyError(named.error))
      const account = accountNamed(world, named.data.name)
      if (account === undefined) return bad(`there is no account ${named.data.name}`)
      patchAccount(account, named.data.change, world.now())
      return json(200, {})
    }
    case 'POST device/approve': {
      const { userCode, account: name } =
        z.object({ userCode: z.string(), account: z.string() }).safeParse(body).data ?? {}
      const account = accountNamed(world, name ?? '')
      if (userCode === undefined || account === undefined)
        return bad('userCode and account are needed')
      return oauth.approveDevice(userCode, account) ? json(200, {}) : bad('the code is not known')
    }
    default:
      return json(404, { error: 'there is nothing at this address; see GET /__sim/state' })
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
