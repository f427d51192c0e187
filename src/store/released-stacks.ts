// Stacks that Stagely lets go while their containers run on: nobody sees them any more. Each Rotation whose credential
// one may run keeps it in mind, with what was seen last (docs/adr/0071).
import { withStatusOwner } from '../managed-fields/status.ts'
import { defined } from '../kernel/defined.ts'
import { isReason } from '../kernel/errors.ts'
import { refOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import type { ObservationSpec } from '../resources/observation.ts'
import type { ReleasedStack, RotationSpec, RotationStatus } from '../resources/rotation.ts'
import type { StageletSpec, StageletStatus } from '../resources/stagelet.ts'
import { reachedBy } from '../secrets/reached.ts'
import type { SetEntry } from '../secrets/visible.ts'
import { sameJson } from './canonical.ts'
import { projectOf } from './project-ref.ts'
import { projectAt } from './projects.ts'
import { setAt } from './reads.ts'
import type { StoredRow, WriteSession } from './session.ts'
import { claimOf, term } from './state/rows.ts'
import { followersOf } from './values/followers.ts'

type Stack = KubeObject<StageletSpec, StageletStatus> & { spec: StageletSpec }

/** A service that may run on. */
interface Left {
  readonly name: string
  /** Where it was seen as the stack was let go. */
  readonly revision: number | undefined
  /** Uids of the secrets that it may have; undefined: nobody knows. */
  readonly has: ReadonlySet<string> | undefined
}

/** Whether the agent itself has released the stack, and told what it left. */
const isMeasured = (session: WriteSession, { metadata, spec, status }: Stack): boolean => {
  const { namespace = '', uid = '' } = metadata
  const agent = `${namespace}/${spec.agentRef.name}`
  const isSeen = (status?.services ?? []).every(({ state }) => state !== 'unknown')
  return (
    isSeen &&
    session.select(term.reportsOf(namespace, uid)).some(({ object }) => {
      const report = object.spec as unknown as ObservationSpec
      return report.agent === agent && report.phase === 'Released'
    })
  )
}

/** Undefined where retention has dropped the set. */
const entriesAt = async (
  session: WriteSession,
  projectUid: string | undefined,
  revision: number | 'head' | undefined,
): Promise<readonly SetEntry[] | undefined> => {
  if (projectUid === undefined || revision === undefined || revision === 0) return undefined
  try {
    return (await setAt(session, projectUid, revision)).entries
  } catch (error) {
    if (isReason(error, 'Expired') || isReason(error, 'NotFound')) return undefined
    throw error
  }
}

/** What may run on of a stack; undefined: something may, and nobody knows what. */
const leftOf = async (session: WriteSession, stack: Stack): Promise<Left[] | undefined> => {
  const { metadata, status = {} } = stack
  const measured = isMeasured(session, stack)
  const { services = [], strayServices = [], wantedRevision } = status
  if (services.length === 0 && !measured) return wantedRevision === undefined ? [] : undefined
  const projectUid = projectAt(session.view, projectOf(stack))?.id
  const head = await entriesAt(session, projectUid, 'head')
  const left: Left[] = strayServices.map((name) => ({ name, revision: undefined, has: undefined }))
  for (const service of services) {
    const { name, oneOffs = 0 } = service
    const { containers = 0, revision } = service.lastSeen ?? service
    if (measured && containers === 0 && oneOffs === 0) continue
    const set = await entriesAt(session, projectUid, revision)
    const place = { stagelet: metadata.name, service: name }
    const has =
      set === undefined || head === undefined
        ? undefined
        : new Set([...reachedBy(set, place), ...reachedBy(head, place)].map((e) => e.secretId))
    left.push({ name, revision: measured && oneOffs === 0 ? revision : undefined, has })
  }
  return left
}

/** Secrets that hold a credential of the Rotation. */
const carriersOf = (session: WriteSession, rotation: KubeObject): KubeObject[] => {
  const { namespace } = refOf(rotation)
  const { outputs, projectRef } = rotation.spec as RotationSpec
  return Object.values(outputs).flatMap((name) => {
    const ref: ObjectRef = { kind: 'StagelySecret', namespace, name }
    const own = session.fetch(ref)
    const rows = own === undefined ? [] : [own, ...followersOf(session, ref, projectRef.name)]
    return rows.map(({ object }) => object)
  })
}

/** What a Rotation must keep in mind of the stack; undefined: nothing of it has its credential. */
const entryFor = (
  session: WriteSession,
  { rotation, stack, left }: { rotation: KubeObject; stack: Stack; left: Left[] | undefined },
): ReleasedStack | undefined => {
  const { metadata, spec, status } = stack
  const carriers = carriersOf(session, rotation)
  const mayGet = carriers.some(({ spec: of }) => {
    const { stageletRef } = of as { stageletRef?: { name: string } }
    return stageletRef === undefined || stageletRef.name === metadata.name
  })
  const uids = carriers.map(({ metadata: { uid = '' } }) => uid)
  const services = (left ?? []).filter(({ has }) =>
    has === undefined ? mayGet : uids.some((uid) => has.has(uid)),
  )
  if (left === undefined ? !mayGet : services.length === 0) return undefined
  const revisions = services.map(({ revision }) => revision)
  const known = revisions.filter((one) => one !== undefined)
  const isKnown = left !== undefined && known.length === revisions.length
  return {
    ...{ stagelet: metadata.name, agent: spec.agentRef.name, directory: spec.compose.directory },
    ...defined({ composeProject: status?.composeProject }),
    ...{ at: session.now, services: services.map(({ name }) => name).sort() },
    ...(isKnown ? { revision: Math.min(...known) } : {}),
  }
}

const isSamePlace = (one: ReleasedStack, { spec, status }: Stack): boolean =>
  one.agent === spec.agentRef.name &&
  one.directory === spec.compose.directory &&
  one.composeProject === status?.composeProject

/** Notes what may run on, in the write that lets the stack go. */
export const noteReleased = async (session: WriteSession, row: StoredRow): Promise<void> => {
  const stack = row.object as Stack
  const rotations = session.select(term.rotationsOf(projectOf(stack)))
  if (rotations.length === 0) return
  const left = await leftOf(session, stack)
  for (const known of rotations) {
    const { object: rotation, source } = known
    const { released = [], ...status } = (rotation.status ?? {}) as RotationStatus
    const entry = entryFor(session, { rotation, stack, left })
    const next = [
      ...released.filter((one) => !isSamePlace(one, stack)),
      ...(entry === undefined ? [] : [entry]),
    ]
    if (sameJson(next, released)) continue
    const changed = next.length === 0 ? status : { ...status, released: next }
    const kept = withStatusOwner({ ...rotation, status: changed }, rotation, session.now)
    session.put(kept, source, known)
  }
}

/** An update that leaves the containers of before where they are. */
export const leavesStack = (next: KubeObject, before: KubeObject): boolean => {
  const [a, b] = [next.spec, before.spec] as unknown as [StageletSpec, StageletSpec]
  return (
    a.agentRef.name !== b.agentRef.name ||
    a.projectRef.name !== b.projectRef.name ||
    claimOf(a) !== claimOf(b)
  )
}
