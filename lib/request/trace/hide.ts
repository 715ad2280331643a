import { isRecord } from '../../kernel/text/json.js'
import { redact, redactText } from '../../kernel/text/redact.js'

/** How texts are hidden. */
export interface Hiding {
  /** A short name of a text that says nothing about it to who does not know the key. */
  readonly digest: (text: string) => string
  /** Keep texts that hold no known secret, because the user wants them read. */
  readonly withTexts: boolean
}

/** In place of a text: its length in UTF-16 units and its digest; or that there was something else. */
export interface Hidden {
  readonly '~': readonly [length: number, digest: string] | 'number' | 'cut'
}

/** Deeper nested is no request of the host. */
const MAX_DEPTH = 40
/** Larger numbers could be the name of somebody. */
const MAX_NUMBER = 10_000_000
const DIGEST = /^[\da-f]{8}$/
/** The name of a hidden member. */
export const HIDDEN_NAME = /^~(\d{1,9}):([\da-f]{8})$/

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** Names of members of a request and of the schemas of tools. A name that anybody could have chosen is a text like others. */
const MEMBERS = words(
  'model input instructions tools tool_choice parallel_tool_calls reasoning effort summary context store stream ' +
    'stream_options include include_obfuscation service_tier prompt_cache_key prompt_cache_retention text verbosity ' +
    'format client_metadata previous_response_id truncation background max_output_tokens max_tool_calls temperature ' +
    'top_p top_logprobs metadata user safety_identifier generate id type role content status phase name namespace ' +
    'call_id arguments output encrypted_content action query queries image_url detail file_id file_data filename ' +
    'file_url refusal annotations logprobs strict description parameters properties required items enum const anyOf ' +
    'oneOf allOf not additionalProperties propertyNames $schema $ref $defs definitions default title examples pattern ' +
    'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems uniqueItems ' +
    'syntax definition schema functions function external_web_access search_context_size search_content_types filters ' +
    'container quality size user_location code stdout stderr exit_code outcome result',
)

const TYPES = words(
  'object array string number integer boolean null message text input_text output_text summary_text reasoning_text ' +
    'refusal input_image input_file reasoning function function_call function_call_output custom custom_tool_call ' +
    'custom_tool_call_output local_shell local_shell_call local_shell_call_output shell shell_call shell_call_output ' +
    'web_search web_search_preview web_search_call file_search file_search_call code_interpreter ' +
    'code_interpreter_call image_generation image_generation_call computer_call computer_call_output mcp mcp_call ' +
    'mcp_list_tools apply_patch apply_patch_call apply_patch_call_output item_reference compaction compaction_trigger ' +
    'compaction_summary additional_tools namespace tool_search tool_search_call tool_search_output grammar ' +
    'json_schema json_object url_citation file_citation response.create allowed_tools search open_page find',
)

/** Values from a fixed list, by the name of their member; every other text is hidden. */
const VALUES: Readonly<Record<string, ReadonlySet<string>>> = {
  type: TYPES,
  role: words('user assistant system developer tool'),
  status: words('in_progress completed incomplete failed searching'),
  phase: words('commentary final_answer'),
  effort: words('none minimal low medium high xhigh max ultra'),
  summary: words('auto concise detailed none'),
  context: words('auto all_turns current_turn'),
  verbosity: words('low medium high'),
  service_tier: words('auto default flex priority fast'),
  tool_choice: words('auto none required'),
  truncation: words('auto disabled'),
  detail: words('auto low high original'),
  syntax: words('lark regex'),
  search_context_size: words('low medium high'),
  prompt_cache_retention: words('in_memory 24h'),
  include: words(
    'reasoning.encrypted_content web_search_call.action.sources web_search_call.results ' +
      'code_interpreter_call.outputs file_search_call.results message.output_text.logprobs ' +
      'message.input_image.image_url computer_call_output.output.image_url',
  ),
  // The tools of the host and of the Codex CLI; who has others names them as he likes.
  name: words(
    'apply_patch bash batch codesearch edit glob grep invalid list lsp multiedit patch plan_enter plan_exit question read ' +
      'skill task todoread todowrite webfetch websearch write StructuredOutput exec exec_command functions shell ' +
      'update_plan view_image write_stdin',
  ),
}

/** Of this plugin: `codex-status`. */
const OWN_TOOL = /^codex-(?:setup|help|next|list|switch|status|limits|dashboard|doctor)$/
const MODEL = /^(?:gpt|codex|o\d)[a-z0-9.-]{0,40}$/

/** Blobs and names that belong to an account or a conversation: no text for anybody to read, so never kept. */
const NEVER_KEPT = words(
  'encrypted_content prompt_cache_key previous_response_id safety_identifier user file_id file_data id call_id',
)

/** Whether a name is one of the API, and not one that anybody chose. Pure. */
export function isMember(name: string): boolean {
  return MEMBERS.has(name)
}

/** A value of a request with every text hidden that could be anybody's; structure, types and fixed words stay. Pure. */
export function hidden(value: unknown, hiding: Hiding, name = '', depth = 0): unknown {
  if (typeof value === 'string') return hiddenText(value, hiding, name)
  if (typeof value === 'number')
    return (hiding.withTexts || MEMBERS.has(name)) && Math.abs(value) < MAX_NUMBER
      ? value
      : { '~': 'number' }
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) return { '~': 'cut' }
  if (Array.isArray(value))
    return value.map((item: unknown) => hidden(item, hiding, name, depth + 1))
  const mark = hiddenIn(value)
  if (mark !== undefined) return mark
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      nameOf(key, hiding),
      // In a table of properties the names are the user's own, and what they hold is no value of that name.
      hidden(inner, hiding, OF_THE_USER.has(name) ? `${OWN}${key}` : key, depth + 1),
    ]),
  )
}

/** In front of a name that somebody chose: no fixed words belong to it. */
const OWN = 'own.'
const OF_THE_USER = words('properties $defs definitions client_metadata metadata')

/** What stands in place of something that is hidden already; undefined for anything else. */
export function hiddenIn(value: unknown): Hidden | undefined {
  if (!isRecord(value) || Object.keys(value).length !== 1) return undefined
  const { '~': mark } = value
  if (mark === 'number' || mark === 'cut') return { '~': mark }
  if (!Array.isArray(mark) || mark.length !== 2) return undefined
  const [length, digest] = mark as readonly unknown[]
  return Number.isSafeInteger(length) && Number(length) >= 0 && DIGEST.test(String(digest))
    ? { '~': [Number(length), String(digest)] }
    : undefined
}

/** Pure. */
export function hiddenText(text: string, { digest, withTexts }: Hiding, name = ''): unknown {
  if (
    text === '' ||
    (Object.hasOwn(VALUES, name) && VALUES[name]?.has(text) === true) ||
    (name === 'model' && MODEL.test(text)) ||
    (name === 'name' && OWN_TOOL.test(text))
  )
    return text
  const key = name.startsWith(OWN) ? name.slice(OWN.length) : name
  if (!withTexts || NEVER_KEPT.has(key) || /^data:/i.test(text))
    return { '~': [text.length, digest(text)] }
  // By the name, and by what it looks like.
  const clean: Readonly<Record<string, unknown>> = redact({ [key]: redactText(text) })
  return clean[key]
}

function nameOf(key: string, { digest, withTexts }: Hiding): string {
  if (MEMBERS.has(key) || HIDDEN_NAME.test(key)) return key
  return withTexts ? redactText(key) : `~${key.length}:${digest(key)}`
}
