// rotation: credentials that are changed by themselves, and ended when nothing runs with them.
import { openClient } from '../connect/client.ts'
import type {
  ReadSecret,
  Rotation,
  RotationBreak,
  RotationStep,
} from '../../src/generated/rest-types.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { specOf } from '../../src/kinds/typed.ts'
import { Exit, usageError } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { getIfThere } from '../objects/objects.ts'
import { newCommand, newGroup, type Command, type CommonFlags } from '../options.ts'
import { note, out } from '../print.ts'
import { canAsk, promptLine } from '../prompt.ts'
import { printRecords } from '../output/records.ts'
import { post, projectPath, type RestClient } from '../connect/rest.ts'
import { revealedView } from '../audit/views.ts'
import { chosenProject } from '../objects/secret-identity.ts'
import { historyView, runText, unwritten } from '../rotation/views.ts'

interface Flags extends CommonFlags {
  readonly project?: string
  readonly now?: boolean
  readonly withoutProof?: boolean
  readonly confirm?: string
  readonly revealedTo?: string
}

export const command = (): Command =>
  newGroup('rotation', 'Run, pause and revoke rotations of credentials.', [
    'stagely rotation run shop-db --now',
  ]).having(run, pause, resume, history, revoke)

const ofProject = (made: Command): Command =>
  made.option('-p, --project <name>', 'project; that of the rotation when absent')

interface RotationRoutes {
  readonly rest: RestClient
  readonly path: string
}

const pathIn = (namespace: string, project: string): string =>
  `${projectPath(namespace, project)}/rotations`

const projectOfRotation = (rotation: KubeObject): string =>
  specOf('Rotation', rotation).projectRef.name

/** Names of rotations are unique in a namespace: the project is that of the rotation, unless it is given. */
const open = async (name: string, flags: Flags): Promise<RotationRoutes> => {
  const { api, rest } = await openClient(flags)
  const found =
    flags.project === undefined
      ? await getIfThere(api, servedKind('Rotation'), api.namespace, name)
      : undefined
  const project =
    found === undefined ? await chosenProject(api, flags.project) : projectOfRotation(found)
  return { rest, path: pathIn(rest.namespace, project) }
}

const named = (path: string, name: string): string => `${path}/${encodeURIComponent(name)}`

const history = (): Command =>
  ofProject(
    newCommand('history -o', 'Show the steps of a rotation, newest first.', [
      'stagely rotation history shop-db',
      'stagely rotation history shop-db -o json',
    ]),
  )
    .argument('<name>', 'rotation')
    .action(async (name: string, flags: Flags) => {
      const { rest, path } = await open(name, flags)
      const { body } = await rest.call<{ steps: RotationStep[] }>(`${named(path, name)}/history`)
      await printRecords(body.steps, historyView, flags.output)
    })

const seenOf = ({ containers, released_at: releasedAt }: RotationBreak): string => {
  if (releasedAt !== undefined) return `released at ${releasedAt}, not seen since`
  return containers === undefined ? 'not seen now' : String(containers)
}

/** Names what will break, and takes the typed name of the rotation. */
const confirmed = async (
  place: RotationRoutes,
  name: string,
  typed: string | undefined,
): Promise<string> => {
  const breaks = await place.rest.list<RotationBreak>(
    `${named(place.path, name)}/breaks`,
    'services',
  )
  note(
    breaks.length === 0
      ? 'No service runs with the old credential.'
      : `These services run with the old credential and will break:\n${breaks
          .map((use) => `  ${use.stagelet}/${use.service} (${seenOf(use)})`)
          .join('\n')}`,
  )
  if (typed !== undefined) return typed
  if (!canAsk())
    throw usageError(`give --confirm ${name} to end the old credential without a proof`)
  return promptLine('Type the name of the rotation to go on: ')
}

interface RunBody {
  readonly now?: boolean
  readonly without_proof?: boolean
  readonly confirm?: string
}

const run = (): Command =>
  ofProject(
    newCommand('run', 'Rotate a credential now, not at its next time.', [
      'stagely rotation run shop-db',
      'stagely rotation run shop-db --now',
      'stagely rotation run shop-db --without-proof',
      'stagely rotation run --revealed-to alice',
    ]),
  )
    .argument('[name]', 'rotation')
    .option('--now', 'skip the maintenance window and the overlap')
    .option(
      '--without-proof',
      'revoke the old credential at once: services that still use it break',
    )
    .option('--confirm <name>', 'name of the rotation, for --without-proof')
    .option('--revealed-to <person>', 'every rotation whose current value this person has read')
    .action(async (name: string | undefined, flags: Flags) => {
      if ((name === undefined) === (flags.revealedTo === undefined))
        throw usageError('give the name of one rotation, or --revealed-to')
      if (flags.revealedTo !== undefined) return runRevealed(flags.revealedTo, flags)
      const rotation = name ?? ''
      const place = await open(rotation, flags)
      const more =
        flags.withoutProof === true
          ? { without_proof: true, confirm: await confirmed(place, rotation, flags.confirm) }
          : {}
      const body: RunBody = { ...(flags.now === true && { now: true }), ...more }
      await start(place, rotation, body)
    })

/** Asks for a new credential, and says what follows. */
const start = async (
  { rest, path }: RotationRoutes,
  name: string,
  body: RunBody,
): Promise<void> => {
  const rotation = await post<Rotation>(rest, `${named(path, name)}/run`, body)
  out(runText(rotation, { isHasty: body.now === true || body.without_proof === true }))
}

/** Off-boarding: what somebody knows and is in use. */
const runRevealed = async (person: string, flags: Flags): Promise<void> => {
  const { rest } = await openClient(flags)
  const readSecrets = await rest.list<ReadSecret>('/audit/revealed', 'secrets', { by: person })
  const current = readSecrets.filter((secret) => secret.knows_current)
  const started = new Set<string>()
  const byHand: ReadSecret[] = []
  for (const secret of current) {
    const path = pathIn(secret.namespace, secret.project)
    const rotations = await rest.list<Rotation>(path, 'rotations')
    const own = rotations.find(({ outputs }) => Object.values(outputs).includes(secret.name))
    if (own === undefined) byHand.push(secret)
    else if (!started.has(`${path}/${own.name}`)) {
      // In haste an attempt that has given out what this person has read would be the last one.
      const body = flags.now === true && unwritten.has(own.phase) ? { now: true } : {}
      await start({ rest, path }, own.name, body)
      started.add(`${path}/${own.name}`)
    }
  }
  if (current.length === 0) out(`${person} knows no value that is in use`)
  if (byHand.length === 0) return
  note('Somebody must change these by hand:')
  await printRecords(byHand, revealedView, undefined)
  throw new Exit(3)
}

const setPaused = (name: string, paused: boolean, summary: string): Command =>
  ofProject(newCommand(name, summary, [`stagely rotation ${name} shop-db`]))
    .argument('<name>', 'rotation')
    .action(async (rotation: string, flags: Flags) => {
      const { rest, path } = await open(rotation, flags)
      await rest.call(named(path, rotation), { method: 'PATCH', body: { paused } })
      out(`rotation/${rotation} ${paused ? 'paused' : 'resumed'}`)
    })

const pause = (): Command =>
  setPaused('pause', true, 'Pause a rotation. An attempt that has started runs to its end.')
const resume = (): Command => setPaused('resume', false, 'Resume a rotation.')

const revoke = (): Command =>
  ofProject(
    newCommand(
      'revoke',
      'Revoke the old credential of a running rotation, without proof that no service uses it.',
      ['stagely rotation revoke shop-db', 'stagely rotation revoke shop-db --confirm shop-db'],
    ),
  )
    .argument('<name>', 'rotation')
    .option('--confirm <name>', 'name of the rotation')
    .action(async (name: string, flags: Flags) => {
      const place = await open(name, flags)
      const send = (body: object) => post(place.rest, `${named(place.path, name)}/revoke`, body)
      // Without a name the controller refuses what it would never do, and else asks for the name.
      await send({}).catch((error: unknown) => {
        if (!(error instanceof StagelyError && error.reason === 'BadRequest')) throw error
      })
      await send({ confirm: await confirmed(place, name, flags.confirm) })
      out(`rotation/${name} ends its old credential`)
    })
