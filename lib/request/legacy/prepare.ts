import { dropUndefined } from '../../kernel/drop-undefined.js'
import { resolveModel } from '../../models/resolve.js'
import { isRecord, type JsonRecord, parsedJson } from '../../kernel/text/json.js'
import { prepareRequest, type PreparedRequest } from '../body/request.js'
import { responsesRequest } from './chat-request.js'
import { legacyBody, type LegacyOptions } from './legacy-body.js'

/**
 * Makes the function that prepares requests in legacy mode. Every form of a request is made from the one that the host
 * sent, so another model gets its own effort and not what was left of the first one's.
 */
export function createLegacyPreparation(options: LegacyOptions): (text: string) => PreparedRequest {
  return (text) => {
    const body = parsedJson(text)
    return isRecord(body)
      ? prepared(withResolvedModel(responsesRequest(body)), body, options)
      : prepareRequest(text)
  }
}

function prepared(body: JsonRecord, host: JsonRecord, options: LegacyOptions): PreparedRequest {
  const legacy = legacyBody(body, options)
  const request = prepareRequest(JSON.stringify(legacy))
  return {
    ...request,
    changed: [...new Set([...changedKeys(host, legacy), ...request.changed])],
    withModel: (next) => prepared({ ...body, model: next }, host, options),
  }
}

/** The model without suffixes; what they stood for moves to where the backend looks for it. */
function withResolvedModel(body: JsonRecord): JsonRecord {
  if (typeof body.model !== 'string') return body
  const { model, effort, serviceTier } = resolveModel(body.model)
  return {
    ...body,
    model,
    ...dropUndefined({
      reasoning:
        effort === undefined
          ? undefined
          : { ...(isRecord(body.reasoning) ? body.reasoning : {}), effort },
      service_tier: body.service_tier == null ? serviceTier : undefined,
    }),
  }
}

function changedKeys(before: JsonRecord, after: JsonRecord): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
}
