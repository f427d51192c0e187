// access: asking to read guarded values, and deciding what others ask for.
import { openClient } from '../connect/client.ts'
import type { AccessReach, AccessRequest } from '../../src/generated/rest-types.ts'
import { Option } from 'commander'
import { createRequest, requestPath, waitForApproval, type Asked } from '../access/ask.ts'
import { newCommand, newGroup, waitOf, type Command, type WaitFlags } from '../options.ts'
import { printAs } from '../output/output.ts'
import { fields, printRecords, type RecordView } from '../output/records.ts'
import { confirm } from '../prompt.ts'

export const command = (): Command =>
  newGroup('access', 'Ask to read guarded values, and decide what others ask for.', [
    'stagely access request STRIPE_SECRET_KEY -p shop --reason "INC-42: refunds fail" --wait',
    'stagely access list',
    'stagely access approve req-x8k2p',
    'stagely access break-glass -p shop --reason "INC-42: shop is down"',
  ]).having(request, list, show, approve, deny, cancel, revoke, breakGlass, review)

interface Flags extends Asked, WaitFlags {
  readonly note?: string
  readonly outcome?: string
  readonly state?: string
  readonly emergency?: boolean
  readonly yes?: boolean
}

const whenOf = (asked: AccessRequest): string => {
  const times: Readonly<Record<string, string | undefined>> = {
    Active: asked.ends_at,
    Approved: asked.start_by,
    Pending: asked.expires_at,
  }
  return times[asked.state ?? ''] ?? ''
}

const listView: RecordView<AccessRequest> = {
  columns: [
    ...fields<AccessRequest>('name', 'project'),
    { header: 'STATE', cell: ({ state }) => state ?? '' },
    { header: 'BY', cell: ({ requester }) => requester?.name ?? '' },
    { header: 'UNTIL', cell: whenOf },
    {
      header: 'APPROVALS',
      cell: ({ approvals }) =>
        approvals === undefined ? '' : `${approvals.counted}/${approvals.needed}`,
    },
    { header: 'EMERGENCY', cell: ({ emergency }) => (emergency === true ? 'yes' : '') },
    { header: 'REASON', cell: ({ reason }) => reason },
    { header: 'CREATED', cell: ({ created_at: at }) => at, wide: true },
  ],
  nameOf: ({ name }) => `accessrequest/${name}`,
  empty: 'No requests found.',
}

const line = (name: string, text: string | number | undefined): string[] =>
  text === undefined || text === '' ? [] : [`${`${name}:`.padEnd(13)}${text}`]

const reachText = ({ key, scope, version, services, machines, read_by: readers }: AccessReach) => {
  const seen = services.length === 0 ? 'no service' : services.join(', ')
  const on = machines.length === 0 ? '' : ` on ${machines.join(', ')}`
  const read = readers.map(({ by, at }) => `${by} (${at.slice(0, 10)})`).join(', ')
  return `  ${key} (${scope}), version ${version}: ${seen}${on}; read before by ${read || 'nobody'}`
}

const requestText = (asked: AccessRequest, reach: readonly AccessReach[]): string =>
  [
    ...line('Name', asked.name),
    ...line('Project', asked.project),
    ...line('State', asked.state),
    ...line('Message', asked.message),
    ...line('By', asked.requester?.name),
    ...line('Reason', asked.reason),
    ...line('For', asked.duration_seconds && `${asked.duration_seconds / 60}m`),
    ...line('Until', whenOf(asked)),
    ...line('Review by', asked.review_by),
    ...(asked.decisions ?? []).flatMap(({ action, by, at, outcome, note: said }) =>
      line(action, [by.name, at, outcome, said].filter(Boolean).join(', ')),
    ),
    ...line('Read', asked.read?.map(({ key, version }) => `${key} version ${version}`).join(', ')),
    'Secrets:',
    ...reach.map(reachText),
  ].join('\n')

const withRequestFlags = (made: Command): Command =>
  made
    .argument('[keys...]', 'variable names; all guarded secrets of the project when absent')
    .option('-p, --project <name>', 'project')
    .option('--scope <service>', 'only secrets of this scope')
    .option('--environment <name>', 'only what counts in this environment')
    .option('--for <time>', 'how long, from the first use: 30m, 1h')
    .requiredOption('--reason <text>', 'why, for those who approve and for auditors')

const request = (): Command =>
  withRequestFlags(
    newCommand('request -o=data', 'Ask to read guarded values for a while.', [
      'stagely access request STRIPE_SECRET_KEY -p shop --scope backend --for 30m --reason "INC-42: refunds fail"',
      'stagely access request -p shop --environment production --reason "CHG-7: move" --wait',
    ]),
  )
    .waiting('others have decided')
    .action(async (keys: string[], flags: Flags) => {
      const { rest, asked: made } = await createRequest(keys, flags, {})
      await printAs(made, flags.output, () => `${made.name}: ${made.message ?? ''}`)
      const timeoutMs = waitOf(flags)
      if (timeoutMs !== undefined) await waitForApproval(rest, made, timeoutMs)
    })

const breakGlass = (): Command =>
  withRequestFlags(
    newCommand(
      'break-glass -o=data',
      'Read guarded values in an emergency, without an approval. All owners are told at once, another person reviews it, and the values are changed afterwards.',
      ['stagely access break-glass -p shop --reason "INC-42: shop is down"'],
    ),
  )
    .asking()
    .action(async (keys: string[], flags: Flags) => {
      const details = ['All owners are told at once. Another person reviews it.']
      await confirm({ question: 'Declare an emergency?', details }, flags.yes)
      const { asked: made } = await createRequest(keys, flags, { emergency: true })
      await printAs(made, flags.output, () => `${made.name} is active until ${made.ends_at ?? ''}`)
    })

const list = (): Command =>
  newCommand('list -o', 'List your requests, and those that you may decide or list.', [
    'stagely access list',
    'stagely access list --state Pending -o json',
    'stagely access list -p shop --emergency',
  ])
    .option('-p, --project <name>', 'only for this project')
    .addOption(new Option('--state <state>', 'only in this state: Pending, Approved, Active, …'))
    .option('--emergency', 'only emergencies')
    .action(async (flags: Flags) => {
      const { rest } = await openClient(flags)
      const { project, state, emergency } = flags
      const only = emergency === true ? 'true' : undefined
      const query = { team: rest.namespace, project, state, emergency: only }
      const found = await rest.list<AccessRequest>('/access-requests', 'requests', query)
      await printRecords(found, listView, flags.output)
    })

const show = (): Command =>
  newCommand(
    'show -o=data',
    'Show a request: who asks, for what, who runs it, and who has read it before.',
    ['stagely access show req-x8k2p'],
  )
    .argument('<name>', 'request')
    .action(async (name: string, flags: Flags) => {
      const { rest } = await openClient(flags)
      const { body } = await rest.call<AccessRequest>(requestPath(rest, name))
      const reach = await rest.list<AccessReach>(`${requestPath(rest, name)}/reach`, 'secrets', {})
      await printAs(body, flags.output, () => requestText(body, reach))
    })

const decision = ([word, path]: readonly [word: string, path: string], summary: string): Command =>
  newCommand(`${word} -o=data`, summary, [`stagely access ${word} req-x8k2p --note "…"`])
    .argument('<name>', 'request')
    .option('--note <text>', 'why, for the requester and auditors')
    .action((name: string, flags: Flags) => decide(name, path, flags, {}))

const decide = async (name: string, path: string, flags: Flags, more: object): Promise<void> => {
  const { rest } = await openClient(flags)
  const body = { ...more, note: flags.note }
  const call = { method: 'PUT' as const, body }
  const { body: decided } = await rest.call<AccessRequest>(
    `${requestPath(rest, name)}/${path}`,
    call,
  )
  const { message = '', state = '' } = decided
  await printAs(decided, flags.output, () => `${name} is ${state}${message && `: ${message}`}`)
}

const approve = (): Command =>
  decision(['approve', 'approval'], 'Approve a request of another person.')
const deny = (): Command => decision(['deny', 'denial'], 'Deny a request that waits.')
const cancel = (): Command =>
  decision(['cancel', 'cancellation'], 'Take back a request of your own that was not used.')
const revoke = (): Command => decision(['revoke', 'revocation'], 'End a grant before its time.')

const review = (): Command =>
  newCommand('review -o=data', 'Record the review of an emergency of another person.', [
    'stagely access review req-x8k2p --outcome Justified --note "INC-42"',
  ])
    .argument('<name>', 'request')
    .addOption(
      new Option('--outcome <outcome>', 'whether the emergency was one')
        .choices(['Justified', 'Misuse'])
        .makeOptionMandatory(),
    )
    .option('--note <text>', 'why')
    .action((name: string, flags: Flags) =>
      decide(name, 'review', flags, { outcome: flags.outcome }),
    )
