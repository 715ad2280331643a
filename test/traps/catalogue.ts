/**
 * The defects that plugins for this job are known to have had, gathered before this one was begun: one rule each. A test
 * that carries the id in brackets at the head of its title proves the rule; where a test that was there anyway proves it,
 * `proof` is a part of that test's title; where the defect cannot occur, `because` says why.
 */
export interface Trap {
  readonly id: string
  readonly rule: string
  readonly proof?: string
  readonly because?: string
}

type Row = readonly [
  id: string,
  rule: string,
  how?: { readonly proof: string } | { readonly because: string },
]

const CREDENTIALS: readonly Row[] = [
  [
    '9.1',
    'Processes never spend one refresh token twice.',
    { proof: 'spend one refresh for 4 processes' },
  ],
  ['9.2', 'No lock of a file is held while the network is waited for.'],
  ['9.3', 'Two locks never share a target, so that ending one cannot free the other.'],
  [
    '9.4',
    'A lease that was lost is noticed before the token is spent.',
    { proof: 'notices that its lock was taken away' },
  ],
  ['9.5', 'The token that was rotated last wins every merge.'],
  [
    '9.6',
    'What is written to the disk is what the reader keeps, and no second file holds tokens.',
    { proof: 'holds the refresh token in the account file and nowhere else' },
  ],
  ['9.7', 'A check that renews a token stores it.'],
  ['9.8', 'Nothing is saved from an old copy.'],
  ['9.9', 'Who comes late with the old token gets the new one.'],
  ['9.10', 'Failures are counted where they cannot be lost.'],
  ['9.11', 'A failure of the network is no statement about an account.'],
  ['9.12', 'A blank is not a value.'],
  ['9.13', 'Unknown scopes are not missing scopes.'],
  [
    '9.14',
    'No note is appended to another.',
    { because: 'The plugin writes no notes; the note of an account is its owner’s.' },
  ],
  ['9.15', 'An account without an access token gets one.'],
  ['9.16', 'A pasted code is found wherever the address holds it.'],
  ['9.17', 'Nothing reads or writes the host’s terminal.'],
  ['9.18', 'No output holds a token.'],
  ['10.1.1', 'Every answer to a probe settles the breaker, an abort hands the probe on.'],
  [
    '10.1.2',
    'A change is applied to what is on the disk now, by the account’s own id.',
    { proof: 'an edit keeps a token that was rotated elsewhere' },
  ],
  ['10.1.10', 'The last account gets a second chance after a cut connection.'],
  ['10.1.13', 'A token lies in one file.'],
  ['10.1.22', 'Every call of the network ends by itself.'],
  [
    'A6.refresh',
    'A refresh that failed is an error, and a failure of the network keeps the old token.',
  ],
  [
    'F.refresh',
    'Single-use tokens: one refresh for all, and another look at the disk before an account is given up.',
  ],
  [
    'F.login',
    'No login of another program is ended.',
    {
      because:
        'The plugin calls no revocation and no logout address; the list of addresses in auth/endpoints.ts holds none.',
    },
  ],
]

const IDENTITY: readonly Row[] = [
  ['9.19', 'A seat is an account.'],
  ['9.20', 'Tokens go to the record they belong to, or nowhere.'],
  ['9.21', 'A pool names seats, not workspaces.'],
  [
    '9.22',
    'Fields that are not known survive.',
    { proof: 'keeps fields it does not know through a read and a write' },
  ],
  ['9.23', 'One login is one account.'],
  ['9.24', 'State hangs on the account’s id, never on its place.'],
  ['9.25', 'A disabled copy does not disable the account.'],
  ['9.26', 'Addresses differ by more than the case of their letters.'],
  ['9.27', 'Removing a workspace removes nothing else.'],
  ['9.28', 'One function says where the pool lies.'],
  ['9.29', 'Quota belongs to the whole identity.'],
  ['9.30', 'The workspace that was chosen stays chosen.'],
  ['10.1.11', 'One notion of identity for pools, blocks and choice.'],
  ['10.1.12', 'The home folder is no project.'],
  ['#4', 'Seats of one workspace are told apart, records without ids get one.'],
  ['B4', 'Windows of two plans of one person never mix.'],
  ['B9', 'Numbers are the same everywhere.'],
  ['R11', 'A plan is an attribute of an account, not a part of its identity.'],
  ['R12', 'Secrets are stored once.'],
  [
    'F.workspaces',
    'A person may have several workspaces and a workspace several persons.',
    { proof: 'are different for two seats of one workspace' },
  ],
]

const QUOTA: readonly Row[] = [
  ['9.31', 'The headers of every answer count.'],
  ['9.32', 'A short limit never shortens a long one.'],
  ['9.33', 'Another process’s block survives a write.'],
  [
    '9.34',
    'The end that counts is that of the window that is used up.',
    { proof: 'the last exhausted window counts' },
  ],
  ['9.35', 'A plain request limit is short, whatever it asks for.'],
  ['9.36', 'Each field has one unit.'],
  ['9.37', 'A window without a length says nothing.'],
  ['9.38', 'What a process guesses stays in the process.'],
  [
    '9.39',
    'What the user chose is kept while it can serve.',
    { proof: 'trap: manual choice overruled by scoring' },
  ],
  [
    '9.40',
    'Processes start at different accounts.',
    { proof: 'trap: the process offset differs by account' },
  ],
  ['9.41', 'A missing entitlement is no limit and ends in its own words.'],
  ['9.42', 'A refused token is renewed once, and then the account rests.'],
  ['9.43', 'The last error names its kind.'],
  ['9.44', 'An answer is a success only when it is one.'],
  ['9.45', 'Requests say what they carry.'],
  ['9.46', 'Looking at a quota costs none of it.'],
  ['9.47', 'Every command says something.'],
  ['9.75', 'An old reading is shown as old.'],
  ['9.76', 'A banked reset is spent once, and an unknown outcome is not a failure.'],
  ['10.1.4', 'Nobody waits for hours without having said so.'],
  [
    '10.1.5',
    'The next free time is the first at which no block of an account is left.',
    { proof: 'trap 10.1 no. 5' },
  ],
  ['10.1.6', 'A limit inside a stream is a limit, seen by nobody.'],
  ['10.1.7', 'What blocks is the status and the code, not a word in a sentence.'],
  ['10.1.8', 'An error keeps the protocol of the request.'],
  ['B3', 'A limit without a time gets one.'],
  [
    'R1',
    'Requests that find an expired token together are not told of a limit.',
    { proof: 'on an expired token spend one refresh, and 20 of 20 are answered' },
  ],
  [
    'R2',
    'A limit of days lasts days.',
    { proof: 'takes the end of a limit from the body before anything else' },
  ],
  ['R7', 'A window is what its length says.'],
  ['A6.wait', 'A limit is told with its end, at any status.'],
  ['F.windows', 'Plans report other windows in other places.'],
  ['F.usage', 'A usage reading that fails changes nothing.'],
  ['F.reset', 'A block ends when a reading shows room.'],
  ['F.in-stream', 'Failures before the first output are invisible.'],
  ['#200', 'Models may belong to some accounts only.', { proof: 'a strict one does not' }],
  ['#222', 'A strict pool is never left.', { proof: 'never leaves the fence or a strict pool' }],
  [
    '#183',
    'Accounts can be used up one after the other.',
    { proof: 'drain-first takes the account whose longest window resets soonest' },
  ],
]

const REQUESTS: readonly Row[] = [
  ['9.48', 'A header and the body it speaks of change together.'],
  ['9.49', 'An effort is fitted to the model it goes to.'],
  ['9.50', 'A second attempt starts from the host’s body.'],
  ['9.51', 'The identity of a request is one and true.'],
  ['9.52', 'Nothing from the environment breaks a header.'],
  [
    '9.53',
    'A suffix is an effort only where the model has none of that name.',
    { proof: 'never turns an unknown id into another model' },
  ],
  ['9.54', 'The prompt cache is the conversation’s.'],
  ['9.55', 'Who asks for the same thing at once asks once.'],
  [
    '9.56',
    'A model the backend knows keeps its name.',
    { proof: 'passes a model it does not know unchanged' },
  ],
  [
    '9.57',
    'A stream without a terminal event is broken.',
    { proof: 'calls a stream without a terminal event broken' },
  ],
  ['9.58', 'An overload is one at any status.'],
  ['9.59', 'Readers of a stream let go of it.'],
  [
    '9.60',
    'Arguments of a tool call are never null.',
    { proof: 'writes arguments that are %s as an empty object' },
  ],
  [
    '9.61',
    'The host’s payload is left alone.',
    { proof: 'send the first turn as the host made it, with the account added' },
  ],
  ['9.62', 'An abort keeps its reason.'],
  [
    '9.63',
    'A failure is not remembered as a result.',
    { proof: 'shares a failure and forgets it' },
  ],
  [
    '9.77',
    'The page after the login is whole under its own policy.',
    { proof: 'shows what came from outside as text and never as markup' },
  ],
  [
    '10.1.9',
    'An unknown model is passed on.',
    { proof: 'never turns an unknown id into another model' },
  ],
  ['10.1.16', 'Warnings reach the log.'],
  ['10.1.18', 'The host’s login file is changed by the host alone.'],
  [
    '10.1.19',
    'What is packed is what is tested.',
    { proof: 'is answered through the plugin by the account that signed in' },
  ],
  ['A6.context', 'Compaction loses nothing.'],
  [
    'A6.orphan',
    'Outputs and calls stay together.',
    { proof: 'leaves every output after its call and every call with its output' },
  ],
  [
    'A6.reader',
    'Who asked for one JSON answer gets one.',
    { proof: 'remembers that the caller wanted one JSON answer' },
  ],
  [
    'A6.prompt',
    'The host’s instructions and the user’s reach the model.',
    { proof: 'send the first turn as the host made it, with the account added' },
  ],
  [
    'A6.bridge',
    'The model is told of no tool it does not have.',
    {
      proof:
        'names the tools of the request, with those inside namespaces, and says nothing without tools',
    },
  ],
  [
    'A6.browser',
    'A login works without a browser on the machine.',
    { proof: 'waits until the code was used' },
  ],
  [
    'A6.variants',
    'Options of variants reach the backend as the host of today writes them.',
    { proof: 'pass a variant on as reasoning effort' },
  ],
  [
    'A6.models',
    'New models need no release.',
    { proof: 'adds a model that the host has not heard of, fully specified' },
  ],
  ['A6.stale', 'A version that the host has frozen is seen and let go.'],
  [
    'A6.assets',
    'Nothing is fetched from places that move.',
    { proof: 'asks nobody before somebody needs instructions' },
  ],
  [
    'A6.minimal',
    'Efforts come from the catalogue.',
    { proof: 'offers the efforts of the backend' },
  ],
  ['A6.affinity', 'A session stays with its account.'],
  ['A6.data', 'Answers in JSON keep their shape in a failure.'],
  ['B1', 'A token killed early is mended without a restart.'],
  [
    'B2',
    'Variants are those of the model’s own entry.',
    { proof: 'keeps options of existing ones and variants that are no efforts' },
  ],
  ['B5', 'The host’s files are not guessed at.'],
  [
    'B6',
    'No message is made up from the order of requests.',
    { because: 'The only toasts are of switches, blocks, alerts and logins.' },
  ],
  ['B7', 'What is asserted is the body that leaves.'],
  [
    'B8',
    'A default of one mode does not reach another.',
    { proof: 'let the host compact a session' },
  ],
  ['B10', 'Who waits for a refresh waits, and blocks nobody.'],
  [
    'B11',
    'The redirect works on both loopback addresses and every route wants the state.',
    { proof: 'answers a redirect with a wrong state and goes on waiting for the right one' },
  ],
  [
    'B12',
    'No file of a dependency is patched.',
    { because: 'The package has no install script and no patch.' },
  ],
  ['B13', 'An optional field is sent only when it was asked for.'],
  ['B14', 'One way to publish.', { because: 'Publishing is not a part of the product.' }],
  ['B15', 'No error is swallowed without a trace.'],
  ['R3', 'An abort is not an answer.'],
  ['R4', 'The version in the user agent is true.'],
  [
    'R5',
    'The host compacts as it does without the plugin.',
    { proof: 'let the host compact a session' },
  ],
  [
    'R6',
    'A session is remembered across pauses.',
    { proof: 'survives a long pause and ends after a month' },
  ],
  ['R8', 'A start waits for no network.'],
  ['R9', 'A stream is not copied.'],
  ['R10', 'The schema accepts what the program accepts.'],
  ['R13', 'No request waits for the disk.'],
  ['R14', 'The user’s own models stay.'],
  [
    'R15',
    'An answer of “not modified” is believed only with something to keep.',
    { proof: 'answer the model list with an ETag, and 304 to it' },
  ],
  ['F.name', 'No name holds what OpenCode skips.'],
  [
    'F.precedence',
    'The doctor says who owns the provider.',
    {
      because:
        'The host gives the provider to the last plugin that claims it; the installer puts the entry last and keeps one.',
    },
  ],
  ['F.stdout', 'The host’s screen is the host’s.'],
  ['F.loader', 'Accounts of the pool are seen by a host that has no entry of its own.'],
  ['F.cache', 'Header and key of the prompt cache are per conversation.'],
  ['F.fast', 'Optional fields depend on the model.'],
  ['F.encrypted', 'Encrypted reasoning stays with its account.'],
  [
    'F.context',
    'Limits are the backend’s.',
    { proof: 'shortens a limit the backend does not grant and never lengthens one' },
  ],
  [
    'F.retired',
    'Models that are gone are hidden by the catalogue alone.',
    { proof: 'does not add a model the backend hides' },
  ],
  ['F.start', 'Hooks of the start await local reads only.'],
  ['#210', 'A stream without a content type is one.'],
  [
    '#203',
    'The plugin is quiet unless something needs a person.',
    { because: 'The only toasts are of switches, blocks, alerts and logins.' },
  ],
]

const STORAGE: readonly Row[] = [
  ['9.64', 'A file of a newer version is left alone.'],
  ['9.65', 'An old file is taken over or refused, never dropped.'],
  ['9.66', 'Reading and writing a change is one step.'],
  [
    '9.67',
    'Secrets in the keychain have one truth.',
    { proof: 'seals the file, its copies and the journal, and brings all of it back' },
  ],
  [
    '9.68',
    'What was waiting to be written is written at the end.',
    { proof: 'of an instance writes what was still unwritten' },
  ],
  [
    '9.69',
    'A reload leaves nothing behind.',
    { proof: 'of an instance writes what was still unwritten' },
  ],
  ['9.70', 'A lock that was lost is no failure of what was done, and its errors are typed.'],
  ['9.71', 'One message is said once.'],
  [
    '9.72',
    'No file is ever half written.',
    { proof: 'is whole and has lost nothing after writers were killed' },
  ],
  ['9.73', 'Imports and exports destroy nothing unasked.'],
  [
    '9.74',
    'The installer changes its own entry and nothing else.',
    { proof: 'keeps every foreign entry and value of any configuration' },
  ],
  [
    '9.78',
    'Tests need nothing that was built before.',
    { because: 'The test script builds first, and the e2e tests use the packed package.' },
  ],
  ['10.1.3', 'A broken file is kept, and the last good one serves.'],
  ['10.1.14', 'Reading writes nothing.'],
  [
    '10.1.15',
    'No item of a keychain outgrows what the system takes.',
    { because: 'The keychain holds one key of 32 bytes, whatever the number of accounts.' },
  ],
  ['10.1.17', 'Signs are written in the right encoding.'],
  [
    '10.1.20',
    'What is removed is removed everywhere.',
    { proof: 'warns when the accounts are back but the key cannot be deleted' },
  ],
  ['10.1.21', 'The version is that of the package.'],
  [
    '#11',
    'A configuration is never deleted.',
    { proof: 'refuses a broken configuration with line and column' },
  ],
  ['#19', 'A save that failed is an error.'],
  ['#187', 'A guest never ends the host’s process.'],
  ['#259', 'A local checkout stays in charge.', { proof: 'leaves a local checkout in charge' }],
  ['F.permissions', 'Files are for their owner.'],
  ['F.logs', 'Logs hold no token and no address.'],
  ['F.tui', 'The TUI says how old what it shows is.'],
  ['F.windows-save', 'Renaming is tried again where the system is slow to let go.'],
]

/** Every trap of the lists, in their order. */
export const TRAPS: readonly Trap[] = [
  ...CREDENTIALS,
  ...IDENTITY,
  ...QUOTA,
  ...REQUESTS,
  ...STORAGE,
].map(([id, rule, how]) => ({ id, rule, ...how }))
