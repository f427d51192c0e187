// What a deletion would delete, and what prevents it: read before the person is asked.
import { agentFinalizer, type KubeObject } from '../../src/resources/meta.ts'
import { projectNameOf } from '../../src/resources/project-ref.ts'
import { leftByRotation } from '../../src/kinds/rotation/left.ts'
import { specOf, statusOf } from '../../src/kinds/typed.ts'
import type { KubeApi } from '../connect/api.ts'
import { CliError } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { getIfThere, listObjects } from '../objects/objects.ts'
import type { RestClient } from '../connect/rest.ts'
import {
  listed,
  lossOfAgent,
  lossOfNamespace,
  lossOfProject,
  lossOfSecret,
  lossOfStagelet,
  readGrace,
  restorableFor,
  restorableUntil,
  stageletsOfAgent,
  usersOf,
  type Loss,
} from './losses.ts'
import type { FollowRef } from '../objects/follow.ts'

interface DeletionPlan {
  /** A line for each object, and what can be restored. */
  readonly details: readonly string[]
  /** Printed afterwards, a line for each project: until when secrets can be restored. */
  readonly restorable: () => string[]
  /** True when nothing that a person declared is lost: no question is needed. */
  readonly harmless: boolean
}

const maxShown = 20

interface Flags {
  readonly force?: boolean
  readonly cascade?: boolean
}

type ListAll = (kind: string, namespace: string) => Promise<KubeObject[]>

/** Reads each collection once. */
const createLists = (api: KubeApi): ListAll => {
  const listings = new Map<string, Promise<KubeObject[]>>()
  return (kind, namespace) => {
    const key = `${kind} ${namespace}`
    const found = listings.get(key) ?? listObjects(api, servedKind(kind), { namespace })
    listings.set(key, found)
    return found
  }
}

/** CliError when an object is in use; names the users. */
export const planDeletion = async (
  api: KubeApi,
  rest: RestClient,
  doomed: readonly FollowRef[],
  flags: Flags,
): Promise<DeletionPlan> => {
  const lists = createLists(api)
  const going = new Set(
    doomed.map(({ kind, namespace, name }) => `${kind.kind} ${namespace}/${name}`),
  )
  const stays = (kind: string, namespace: string, names: readonly string[]): string[] =>
    names.filter((name) => !going.has(`${kind} ${namespace}/${name}`))
  const lines: string[] = []
  // Secrets come before their project, whose loss includes them.
  const losses = new Map<string, Loss>()
  const lose = (loss: Loss): void => {
    if (loss.project !== '') losses.set(`${loss.namespace}/${loss.project}`, loss)
  }
  for (const { kind, namespace, name } of doomed) {
    const isForced = flags.force === true
    if (kind.kind === 'Project') {
      if ((await getIfThere(api, kind, namespace, name)) === undefined) continue
      const users = stays('Stagelet', namespace, usersOf(name, await lists('Stagelet', namespace)))
      if (users.length > 0) throw inUse('project', name, users)
      const secrets = (await lists('StagelySecret', namespace)).filter(
        (s) => projectNameOf(s) === name,
      )
      lines.push(lossOfProject(name, secrets.length))
      if (secrets.length > 0) lose({ namespace, project: name, whole: true })
    } else if (kind.kind === 'Namespace') {
      lines.push(await planNamespace(lists, name, { stays, cascade: flags.cascade === true }))
    } else if (kind.kind === 'Agent') {
      lines.push(lossOfAgent(name, stageletsOfAgent(name, await lists('Stagelet', namespace))))
    } else if (kind.kind === 'Rotation') {
      const object = await getIfThere(api, kind, namespace, name)
      if (object === undefined) continue
      lines.push(leftByRotation(name, specOf('Rotation', object), statusOf('Rotation', object)))
    } else if (kind.kind === 'Stagelet' || kind.kind === 'StagelySecret') {
      const object = await getIfThere(api, kind, namespace, name)
      if (object === undefined) continue
      if (kind.kind === 'StagelySecret')
        lose({ namespace, project: specOf('StagelySecret', object).projectRef.name, whole: false })
      const isHeld = object.metadata.finalizers?.includes(agentFinalizer) === true
      lines.push(
        kind.kind === 'Stagelet'
          ? lossOfStagelet(object, isForced && isHeld)
          : lossOfSecret(object),
      )
    }
  }
  const more = lines.length - maxShown
  const graces = await Promise.all(
    [...losses.values()].map(async (loss) => ({ loss, ms: await readGrace(rest, loss) })),
  )
  return {
    restorable: () => graces.map(({ loss, ms }) => restorableUntil(ms, loss)),
    harmless: doomed.every(({ kind }) => kind.kind === 'Event'),
    details: [
      ...lines.slice(0, maxShown),
      ...(more > 0 ? [`and ${more} more`] : []),
      ...graces.map(({ loss, ms }) => restorableFor(ms, loss)),
    ],
  }
}

const planNamespace = async (
  lists: ListAll,
  name: string,
  {
    stays,
    cascade,
  }: {
    stays: (kind: string, namespace: string, names: readonly string[]) => string[]
    cascade: boolean
  },
): Promise<string> => {
  const stagelets = (await lists('Stagelet', name)).filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined,
  )
  const users = stays(
    'Stagelet',
    name,
    stagelets.map(({ metadata }) => metadata.name),
  )
  if (users.length > 0 && !cascade) throw inUse('namespace', name, users)
  return lossOfNamespace(name, {
    project: (await lists('Project', name)).length,
    secret: (await lists('StagelySecret', name)).length,
    stagelet: stagelets.length,
    agent: (await lists('Agent', name)).length,
  })
}

const inUse = (kind: string, name: string, users: readonly string[]): CliError => {
  const isSingle = users.length === 1
  const also = kind === 'namespace' ? ', or take them along with --cascade' : ''
  return new CliError(
    `${kind} "${name}" is in use by ${isSingle ? 'stagelet' : 'stagelets'} ${listed(users)}: delete ${isSingle ? 'it' : 'them'} first${also}. Nothing was changed`,
  )
}
