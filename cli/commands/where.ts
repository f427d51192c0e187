// where: on which machines, in which containers, files, images and logs a value lies; and, with --logs, which secrets a
// stack has printed. Agents look; names of places and numbers come back, and no value.
import { openClient } from '../connect/client.ts'
import type { Command } from '../options.ts'
import type { Where } from '../../src/generated/rest-types.ts'
import { post, type RestClient } from '../connect/rest.ts'
import { Exit, usageError } from '../errors.ts'
import { printAs } from '../output/output.ts'
import { printRecords, type RecordView } from '../output/records.ts'
import { note, oneLine, withProgress } from '../print.ts'
import { parseNumber, secretCommand, type SecretFlags } from '../objects/secret-flags.ts'
import { countPrinted } from '../secrets/printed.ts'
import { readGivenValue, refuseArgv } from '../secrets/values.ts'
import { openSecret } from '../objects/secret-identity.ts'

type Place = Where['places'][number]

interface WhereFlags extends SecretFlags {
  readonly logs?: true
  readonly tail?: number
}

const holderOf = ({ kind, container, service, managed, at = '' }: Place): string => {
  if (kind === 'file') return at
  const name = (managed === true ? service : container) ?? container ?? ''
  return managed === false ? `${name} (unmanaged)` : name
}

const versionOf = ({ version, state, since }: Place): string => {
  if (version === undefined) return '-'
  if (state === 'current') return `current (version ${version}), since ${since ?? '?'}`
  return `version ${version}: ${state ?? ''} since ${since ?? '?'}`
}

const view: RecordView<Place> = {
  columns: [
    { header: 'AGENT', cell: ({ agent }) => agent },
    { header: 'WHERE', cell: (place) => oneLine(holderOf(place)) },
    { header: 'KIND', cell: ({ kind }) => kind },
    { header: 'AT', cell: ({ kind, at }) => (kind === 'file' ? '' : oneLine(at ?? '')) },
    { header: 'VERSION', cell: versionOf },
    { header: 'CONTAINER', cell: ({ container }) => container ?? '-', wide: true },
    { header: 'CREATED', cell: ({ created_at: at }) => at ?? '-', wide: true },
  ],
  nameOf: (place) => `${place.agent}/${oneLine(holderOf(place))}`,
  empty: 'Found nowhere.',
}

export const command = (): Command =>
  secretCommand(
    'where -o',
    'Show where the values of a secret lie: in containers of anybody, files, images and logs of all machines. Without a key, the value comes on standard input. With --logs: count the secrets that the containers of a stagelet have printed. Exits with 1 where something could not be looked through, with 3 when a secret was printed.',
    [
      'stagely where STRIPE_SECRET_KEY --scope backend',
      'stagely where DB_PASSWORD --project shop -o json',
      'pass show old-key | stagely where',
      'stagely where --logs shop --tail 100000',
    ],
  )
    .argument(
      '[key]',
      'variable name, or with --logs a stagelet; absent: a value on standard input, or typed',
    )
    .argument('[value]', 'never here: other users would see it')
    .option('--logs', 'count what the containers of a stagelet have printed')
    .option(
      '--tail <lines>',
      'with --logs: last lines of each container (default: 10000)',
      parseNumber,
    )
    .action(where)

const where = async (
  key: string | undefined,
  value: string | undefined,
  flags: WhereFlags,
): Promise<void> => {
  if (flags.logs === true) return inLogs(key, value, flags)
  if (flags.tail !== undefined) throw usageError('--tail is for --logs')
  if (key !== undefined) refuseArgv(key, value)
  const found = key === undefined ? await lookForGiven(flags) : await lookForKey(key, flags)
  await show(found, flags)
  if (found.agents.some(({ state, unread }) => state === 'unknown' || unread.length > 0))
    throw new Exit(1)
}

const inLogs = (
  stagelet: string | undefined,
  more: string | undefined,
  flags: WhereFlags,
): Promise<void> => {
  if (stagelet === undefined || more !== undefined || isNarrowed(flags))
    throw usageError('--logs takes one stagelet, and no flags that name a secret')
  return countPrinted(stagelet, flags.tail, flags)
}

const isNarrowed = ({ project, scope, stagelet, environment }: SecretFlags): boolean =>
  (project ?? scope ?? stagelet ?? environment) !== undefined

const look = (rest: RestClient, path: string, body: object): Promise<Where> =>
  withProgress('looking through the machines', post<Where>(rest, path, body))

const lookForKey = async (key: string, flags: SecretFlags): Promise<Where> => {
  const { rest, path } = await openSecret(key, flags)
  return look(rest, `${path}/where`, {})
}

const lookForGiven = async (flags: SecretFlags): Promise<Where> => {
  if (isNarrowed(flags))
    throw usageError(
      'a given value is looked for everywhere: flags that name a secret need its key',
    )
  const value_base64 = (await readGivenValue('the value', {})).toString('base64')
  const { rest } = await openClient(flags)
  return look(rest, `/teams/${encodeURIComponent(rest.namespace)}/where`, { value_base64 })
}

const show = async (found: Where, { output }: SecretFlags): Promise<void> => {
  if (output === 'json' || output === 'yaml') {
    await printAs(found, output, () => '')
    return
  }
  await printRecords(found.places, view, output)
  for (const { name, state, since, message = '', unread } of found.agents) {
    if (state === 'unknown') {
      const when = since === undefined ? '' : ` since ${since}`
      note(oneLine(`agent ${name}: unknown${when}: ${message}`))
    }
    for (const what of unread) note(oneLine(`agent ${name}: not looked through: ${what}`))
  }
}
