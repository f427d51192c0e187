// A released stack may run on, and nobody sees its containers any more. Each Rotation whose credential such a stack may use
// lists the stack in its status, as it was seen last (ADR 0065).
import { withStatusOwner } from '../../managed-fields/status.ts'
import { defined } from '../../kernel/defined.ts'
import { limits } from '../../resources/limits.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import type { ReleasedStack } from '../../kinds/rotation/schema.ts'
import { specOf, statusOf, ofKind, type Typed } from '../../kinds/typed.ts'
import { environmentSet } from '../../secrets/environment-set.ts'
import { namedPlaceOf, reaches } from '../../secrets/place.ts'
import { reachedBy } from '../../secrets/reached.ts'
import type { SetEntry } from '../../secrets/visible.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import { layoutIn, projectAt } from '../secrets/projects.ts'
import { setAt } from './reads.ts'
import { isNotKept } from '../core/errors.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { claimOf, term } from '../state/rows.ts'
import { followersOf } from '../secrets/followers.ts'

type Stack = Typed<'Stagelet'>

/** A service that may run on. */
interface RunningService {
  readonly name: string
  /** The revision that it ran when the stack was released, where that was seen. */
  readonly revision: number | undefined
  /** Uids of the secrets that it may have; undefined: not known. */
  readonly has: ReadonlySet<string> | undefined
}

/** The agent has released the stack itself, and has reported its containers. */
const isMeasured = (session: WriteSession, { metadata, spec, status }: Stack): boolean => {
  const { namespace = '', uid = '' } = metadata
  const agent = `${namespace}/${spec.agentRef.name}`
  const isSeen = (status?.services ?? []).every(({ state }) => state !== 'unknown')
  return (
    isSeen &&
    session.select(term.reportsOf(namespace, uid)).some(({ object }) => {
      const report = specOf('Observation', object)
      return report.agent === agent && report.phase === 'Released'
    })
  )
}

/** Undefined where retention has dropped the set. */
const entriesAt = async (
  session: WriteSession,
  { projectUid, stagelet }: { projectUid: string | undefined; stagelet: string },
  revision: number | 'head' | undefined,
): Promise<readonly SetEntry[] | undefined> => {
  if (projectUid === undefined || revision === undefined || revision === 0) return undefined
  try {
    return environmentSet(await setAt(session, projectUid, revision), stagelet)
  } catch (error) {
    if (isNotKept(error)) return undefined
    throw error
  }
}

/** Services of the stack that may run on; undefined where nobody knows which. */
const runningServices = async (
  session: WriteSession,
  stack: Stack,
): Promise<RunningService[] | undefined> => {
  const { metadata, status = {} } = stack
  const measured = isMeasured(session, stack)
  const { services = [], strayServices = [], wantedRevision } = status
  // More than a stack has: what an earlier release has stored of a report without bounds.
  if (services.length > limits.services) return undefined
  if (services.length === 0 && !measured) return wantedRevision === undefined ? [] : undefined
  const projectUid = projectAt(session.view, projectRefOf(stack))?.id
  const viewer = { projectUid, stagelet: metadata.name }
  const head = await entriesAt(session, viewer, 'head')
  const running: RunningService[] = strayServices.map((name) => ({
    name,
    revision: undefined,
    has: undefined,
  }))
  for (const service of services) {
    const { name, oneOffs = 0 } = service
    const { containers = 0, revision } = service.lastSeen ?? service
    if (measured && containers === 0 && oneOffs === 0) continue
    const set = await entriesAt(session, viewer, revision)
    const place = { stagelet: metadata.name, service: name }
    const has =
      set === undefined || head === undefined
        ? undefined
        : new Set([...reachedBy(set, place), ...reachedBy(head, place)].map((e) => e.secretId))
    running.push({ name, revision: measured && oneOffs === 0 ? revision : undefined, has })
  }
  return running
}

/** Secrets that hold a credential of the Rotation: its outputs, and the secrets that follow them. */
const secretsWith = (session: WriteSession, rotation: KubeObject): KubeObject[] => {
  const { namespace } = refOf(rotation)
  const { outputs, projectRef } = specOf('Rotation', rotation)
  return Object.values(outputs).flatMap((name) => {
    const ref: ObjectRef = { kind: 'StagelySecret', namespace, name }
    const own = session.fetch(ref)
    const rows = own === undefined ? [] : [own, ...followersOf(session, ref, projectRef.name)]
    return rows.map(({ object }) => object)
  })
}

/** The write ends its machine, which was meant to go. */
const isEnded = (session: WriteSession, { metadata, spec }: Stack): boolean => {
  const { namespace = '' } = metadata
  const row = session.fetch({ kind: 'Agent', namespace, name: spec.agentRef.name })
  if (row === undefined) return false
  const { spec: agentSpec, status } = ofKind('Agent', row.object)
  return agentSpec?.ephemeral !== undefined && status?.endedAt !== undefined
}

/** The stack as the Rotation lists it; undefined: no service of the stack can have its credential. */
const entryFor = (
  session: WriteSession,
  {
    rotation,
    stack,
    running,
  }: { rotation: KubeObject; stack: Stack; running: RunningService[] | undefined },
): ReleasedStack | undefined => {
  const { metadata, spec, status } = stack
  const secrets = secretsWith(session, rotation)
  const layout = layoutIn(session, projectRefOf(stack))
  const mayGet = secrets.some((secret) =>
    reaches(namedPlaceOf(specOf('StagelySecret', secret)), metadata.name, layout),
  )
  const uids = secrets.map(({ metadata: { uid = '' } }) => uid)
  const services = (running ?? []).filter(({ has }) =>
    has === undefined ? mayGet : uids.some((uid) => has.has(uid)),
  )
  if (running === undefined ? !mayGet : services.length === 0) return undefined
  const revisions = services.map(({ revision }) => revision)
  const knownRevisions = revisions.filter((revision) => revision !== undefined)
  const isKnown = running !== undefined && knownRevisions.length === revisions.length
  return {
    stagelet: metadata.name,
    agent: spec.agentRef.name,
    directory: spec.compose.directory,
    ...defined({ composeProject: status?.composeProject }),
    at: session.now,
    services: services.map(({ name }) => name).sort(),
    ...(isKnown && { revision: Math.min(...knownRevisions) }),
    ...(isEnded(session, stack) && { ended: defined({ revision: status?.lastSeen?.revision }) }),
  }
}

const isSamePlace = (released: ReleasedStack, { spec, status }: Stack): boolean =>
  released.agent === spec.agentRef.name &&
  released.directory === spec.compose.directory &&
  released.composeProject === status?.composeProject

/** Notes the stack in the Rotations of its project, in the write that releases it. */
export const noteReleased = async (session: WriteSession, row: StoredRow): Promise<void> => {
  const stack = ofKind('Stagelet', row.object)
  const rotations = session.select(term.rotationsOf(projectRefOf(stack)))
  if (rotations.length === 0) return
  const running = await runningServices(session, stack)
  for (const rotationRow of rotations) {
    const { object: rotation, source } = rotationRow
    const { released = [], ...status } = statusOf('Rotation', rotation)
    const entry = entryFor(session, { rotation, stack, running })
    const next = [
      ...released.filter((other) => !isSamePlace(other, stack)),
      ...(entry === undefined ? [] : [entry]),
    ]
    if (sameJson(next, released)) continue
    const changed = next.length === 0 ? status : { ...status, released: next }
    const kept = withStatusOwner({ ...rotation, status: changed }, rotation, session.now)
    session.put(kept, source, rotationRow)
  }
}

/** True where the update names another machine, project or Compose project: the old containers stay as they are. */
export const leavesStack = (next: KubeObject, before: KubeObject): boolean =>
  specOf('Stagelet', next).projectRef.name !== specOf('Stagelet', before).projectRef.name ||
  movesStack(next, before)

/** True where the update names another machine or Compose project: there all services start. */
export const movesStack = (next: KubeObject, before: KubeObject): boolean => {
  const [a, b] = [specOf('Stagelet', next), specOf('Stagelet', before)]
  return a.agentRef.name !== b.agentRef.name || claimOf(a) !== claimOf(b)
}
