// keys: their age and their rotation.
import { openClient } from '../connect/client.ts'
import type { KeyRotation, Keys } from '../../src/generated/rest-types.ts'
import { defined } from '../../src/kernel/defined.ts'
import { CliError, usageError } from '../errors.ts'
import {
  newCommand,
  newGroup,
  waitOf,
  type Command,
  type CommonFlags,
  type WaitFlags,
} from '../options.ts'
import { printAs } from '../output/output.ts'
import { pollUntilDone } from '../wait/poll.ts'
import { post, type RestClient } from '../connect/rest.ts'

export const command = (): Command =>
  newGroup('keys', 'Show and rotate keys. For admins of the controller.', [
    'stagely admin keys status',
    'stagely admin keys rotate --all --wait',
  ]).having(statusCommand, rotateCommand)

const statusCommand = (): Command =>
  newCommand(
    'status -o=data',
    'Which keys there are, how old they are, and how far rotations are.',
    ['stagely admin keys status', 'stagely admin keys status -o json'],
  ).action(status)

/** `due` is absent from older controllers, which only report the start date of a key. */
const datesOf = (since = 'unknown', due?: string): string =>
  `since ${since}${due === undefined ? '' : `, due ${due.slice(0, 10)}`}`

const describeKeys = (keys: Keys): string => {
  const keyIds = [keys.key_id, ...keys.project_keys.map(({ key_id: id }) => id)]
  const isKnown = (by: string): boolean =>
    keyIds.some((id) => by.endsWith(` key ${id}`) || by.includes(` key ${id} version `))
  return [
    `Master key:  ${keys.provider} ${keys.key_id}, ${datesOf(keys.master_key_since, keys.master_key_due)}`,
    ...keys.project_keys.map(
      ({ name, provider, key_id: id, projects, since, due, ok, message }) =>
        `Project key: ${name}, ${provider} ${id}, of ${projects} projects${projects === 0 ? '' : `, ${datesOf(since, due)}`}${ok ? '' : `: ${message}`}`,
    ),
    ...keys.wrapped.map(
      ({ by, count }) =>
        `  wraps:     ${count} keys by ${by}${isKnown(by) ? '' : ': still needed, leave it in place'}`,
    ),
    `Data keys:   ${keys.data_keys}${keys.data_keys === 0 ? '' : `, the oldest ${datesOf(keys.oldest_data_key, keys.oldest_data_key_due)}`}`,
    `Sealing key: ${datesOf(keys.sealing_key_since, keys.sealing_key_due)}`,
    `Left:        ${keys.sealed_by_old_keys} versions sealed by old data keys`,
    `Rotation:    ${keys.rotation_due ? 'DUE' : 'not due'} (every ${keys.rotation_days} days)`,
    `By itself:   ${keys.rotation === 'auto' ? 'data keys and the sealing key, when they are due' : 'nothing (STAGELY_KEY_ROTATION=off)'}`,
    ...(keys.projects_due ?? []).map(
      ({ project, message }) => `  due:       ${project}: ${message}`,
    ),
    ...keys.rotations.map(
      ({ kind, state, done, started_at: at, message }) =>
        `  ${at}  ${kind.padEnd(6)}  ${state.padEnd(9)}  ${done} done${message === '' ? '' : `  ${message}`}`,
    ),
  ].join('\n')
}

const status = async (flags: CommonFlags): Promise<void> => {
  const { rest } = await openClient(flags)
  const { body } = await rest.call<Keys>('/keys')
  await printAs(body, flags.output, () => describeKeys(body))
}

interface RotateFlags extends CommonFlags, WaitFlags {
  readonly project?: string
  readonly all?: boolean
  readonly master?: boolean
  readonly toProvider?: string
  readonly sealing?: boolean
}

const rotateCommand = (): Command =>
  newCommand(
    'rotate -o=data',
    'Start a rotation of keys. It runs in the controller: no container restarts, and nothing waits for it.',
    [
      'stagely admin keys rotate --project shop',
      'stagely admin keys rotate --all --wait',
      'stagely admin keys rotate --master',
      'stagely admin keys rotate --to-provider vault-transit --wait',
      'stagely admin keys rotate --sealing > sealing.pub',
    ],
  )
    .waiting('it has ended')
    .option('-p, --project <name>', 'a new data key for this project')
    .option('--all', 'new data keys for all projects')
    .option('--master', 'wrap every key with the current master key, such as a new version of it')
    .option('--to-provider <name>', 'as --master, but only if this is the key provider')
    .option('--sealing', 'a new key for "stagely seal"; prints its public half')
    .action(rotate)

const bodyOf = (flags: RotateFlags, namespace: string): object => {
  const { project, all, master, toProvider, sealing } = flags
  const asked = [project, all, master, toProvider, sealing].filter((flag) => flag !== undefined)
  if (asked.length !== 1)
    throw usageError('say one of --project NAME, --all, --master, --to-provider NAME and --sealing')
  if (project !== undefined)
    return {
      kind: 'data',
      project_id: project.includes('/') ? project : `${namespace}/${project}`,
    }
  if (all === true) return { kind: 'data' }
  return { kind: 'master', ...defined({ provider: toProvider }) }
}

const rotate = async (flags: RotateFlags): Promise<void> => {
  const timeoutMs = waitOf(flags)
  const { rest } = await openClient(flags)
  const body = bodyOf(flags, rest.namespace)
  if (flags.sealing === true) return rotateSealing(rest, flags.output)
  const { body: begun } = await rest.call<KeyRotation>('/keys/rotations', { method: 'POST', body })
  const left = begun.not_rotated ?? []
  const ended = {
    ...begun,
    ...(timeoutMs !== undefined && (await waitFor(rest, begun, timeoutMs))),
  }
  await printAs(ended, flags.output, () =>
    ended.state === 'Running'
      ? `rotation ${ended.id} has begun: stagely admin keys status`
      : `rotation ${ended.id} ${ended.state}, ${ended.done} done`,
  )
  if (ended.state === 'Failed') throw new CliError(ended.message)
  if (left.length > 0) throw new CliError(describeLeft(left))
}

const describeLeft = (left: NonNullable<KeyRotation['not_rotated']>): string =>
  [
    `${left.length} projects keep their data key, since the key that wraps it does not answer; when it does:`,
    ...left.map(
      ({ project, message }) => `  stagely admin keys rotate --project ${project}   # ${message}`,
    ),
  ].join('\n')

/** Done at once: values that an old key sealed can still be opened. */
const rotateSealing = async (rest: RestClient, output: string | undefined): Promise<void> => {
  const body = await post<{ public_key: string }>(rest, '/sealing-key/rotate')
  await printAs(body, output, () => body.public_key)
}

const waitFor = async (
  rest: RestClient,
  begun: KeyRotation,
  timeoutMs: number,
): Promise<KeyRotation> => {
  const read = async (): Promise<{ rotation: KeyRotation; left: number }> => {
    const { body } = await rest.call<Keys>('/keys')
    const rotation = body.rotations.find(({ id }) => id === begun.id)
    if (rotation === undefined)
      throw new CliError(
        `rotation ${begun.id} is no longer among those that the controller lists: "stagely admin keys status" shows what old keys still seal`,
      )
    return { rotation, left: body.sealed_by_old_keys }
  }
  const because = ({ message }: KeyRotation): string => (message === '' ? '' : ` (${message})`)
  const { rotation } = await pollUntilDone(
    { rotation: begun, left: 0 },
    {
      read,
      isDone: ({ rotation: { state } }) => state !== 'Running',
      progress: ({ rotation: now, left }) =>
        now === begun
          ? undefined
          : `${now.done} done${now.kind === 'data' ? `, ${left} left` : ''}${because(now)}`,
      everyMs: 500,
      timeoutMs,
      late: ({ rotation: now }) =>
        `rotation ${now.id} goes on in the controller, ${now.done} done${because(now)}; "stagely admin keys status" shows it`,
    },
  )
  return rotation
}
