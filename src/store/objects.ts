// The user's door: create, update, remove. See Transaction in store.ts for what each one promises.
import { randomUUID } from 'node:crypto'
import { withStatusOwner } from '../managed-fields/status.ts'
import {
  agentFinalizer,
  refOf,
  type KubeObject,
  type ObjectMeta,
  type ObjectRef,
} from '../resources/meta.ts'
import {
  admit,
  checkNamespace,
  checkOwner,
  checkPreconditions,
  changesOwned,
  handedTo,
  isTakeover,
  systemSource,
  withSource,
} from './admission.ts'
import { sameJson } from './canonical.ts'
import { alreadyExists, invalid, notFound, ownedBy, tooManyOwners } from './errors.ts'
import { keyProviderOf, moveProjectKeys } from './keys/project-ring.ts'
import { createProject, makeProjectKeys } from './projects.ts'
import { readAhead } from './read-ahead.ts'
import { secretStatusAfter } from './secret-status.ts'
import { prepareSecret, storeVersion, type PreparedSecret } from './secret-writes.ts'
import type { AuditEntry, StoredRow, WriteSession } from './session.ts'
import { checkClaim, resetInSync, stageletsOf } from './stagelet-writes.ts'
import type { Tracking } from './store.ts'
import { followersOf } from './values/followers.ts'
import type { FoundValue } from './values/judged.ts'
import { touchSecret } from './values/touched.ts'
import { fillsOpenValue, withValueSource } from './value-owner.ts'

const namespaceLabel = 'kubernetes.io/metadata.name'

const initialStatus = (object: KubeObject): Record<string, unknown> | undefined =>
  object.kind === 'Namespace' ? { phase: 'Active' } : undefined

/** Each new manager of an object adds to it, and every change of it is stored and sent whole. */
const maxManaged = 1_048_576

/** The metadata with the managers that the API gives, where it gives any. */
export const tracked = (metadata: ObjectMeta, tracking: Tracking | undefined): ObjectMeta => {
  const managedFields = tracking?.managedFields
  if (managedFields === undefined) return metadata
  if (JSON.stringify(managedFields).length > maxManaged) throw tooManyOwners(metadata.name)
  const { managedFields: _, ...others } = metadata
  return managedFields.length === 0 ? others : { ...others, managedFields: [...managedFields] }
}

/** What callers inside the store may say of a write beside its object. */
interface WriteMore {
  readonly tracking?: Tracking | undefined
  /** Of a secret: its value, in place of one in the spec. */
  readonly putBack?: FoundValue
  /** In place of create or update. */
  readonly audit?: AuditEntry
}

const newMetadata = (
  session: WriteSession,
  object: KubeObject,
  { uid, source }: { uid: string; source: string },
): ObjectMeta => {
  const { name, namespace, labels, annotations, finalizers } = object.metadata
  const ends = new Set(finalizers ?? [])
  if (object.kind === 'Stagelet') ends.add(agentFinalizer)
  const metadata: ObjectMeta = {
    name,
    ...(object.kind === 'Namespace' ? {} : { namespace: namespace ?? '' }),
    uid,
    generation: 1,
    creationTimestamp: session.now,
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(ends.size === 0 ? {} : { finalizers: [...ends] }),
  }
  if (object.kind === 'Namespace') metadata.labels = { ...labels, [namespaceLabel]: name }
  const own = withValueSource(session, metadata, object, { owner: source, before: undefined })
  return withSource(own, source)
}

/** Seals the new version of a secret, if there is one, and stores the object with the status that follows. */
const putSecret = async (
  session: WriteSession,
  { object, version, before, project }: PreparedSecret,
  source: string,
  more: { current?: StoredRow | undefined; audit: AuditEntry },
): Promise<StoredRow> => {
  const { current, audit } = more
  // Read before anything is sent: so it was read ahead.
  const [stagelets, followers] =
    version === undefined
      ? [[], []]
      : await Promise.all([
          stageletsOf(session, project.ref),
          followersOf(session, refOf(object), project.ref.name),
        ])
  if (version !== undefined) await storeVersion(session, project, version)
  touchSecret(session, { object, version, before, project }, current)
  const seenBy = stagelets.map((row) => row.object)
  const written = version === undefined ? undefined : { ...version, stagelets: seenBy }
  const status = { ...secretStatusAfter(session, object, written) }
  const stored = version === undefined ? {} : { version: version.entry.version }
  const detail = { ...audit.detail, ...stored }
  const owned = withStatusOwner({ ...object, status }, current?.object, session.now)
  const row = await session.put(owned, source, current, { ...audit, detail })
  if (version !== undefined) {
    await resetInSync(session, project, { stagelets, entries: [before, version.entry] })
    await moveFollowers(session, followers, {
      source: object.metadata.name,
      value: version.value,
      // What comes back was not theirs meanwhile, and they may be new.
      origin: version.origin === 'kept' && before === undefined ? 'elsewhere' : version.origin,
    })
  }
  return row
}

/** The secrets that take their value from another get it as their next version. */
const moveFollowers = async (
  session: WriteSession,
  followers: readonly StoredRow[],
  { source, ...value }: FoundValue & { source: string },
): Promise<void> => {
  for (const row of followers) {
    const prepared = await prepareSecret(session, row.object, row, value)
    const audit = { action: 'follow', detail: { source } }
    if (prepared.version !== undefined)
      await putSecret(session, prepared, row.source, { current: row, audit })
  }
}

export const createObject = async (
  session: WriteSession,
  input: KubeObject,
  more: WriteMore & { uid?: string; /** In place of the actor's. */ source?: string } = {},
): Promise<KubeObject> => {
  const admitted = admit(input)
  const ref = refOf(admitted)
  await readAhead(session, admitted, { isNew: true })
  await checkNamespace(session, ref)
  const existing = await session.fetch(ref)
  const { source = session.actor.source } = more
  if (existing !== undefined) {
    const foreign = existing.source !== source && existing.source !== systemSource
    if (foreign && source !== systemSource) throw ownedBy(ref, existing.source)
    throw alreadyExists(ref, existing.object.metadata.deletionTimestamp !== undefined)
  }
  const made = admitted.kind === 'Project' ? await makeProjectKeys(session, admitted) : undefined
  const uid = more.uid ?? made?.uid ?? randomUUID()
  const metadata = tracked(newMetadata(session, admitted, { uid, source }), more.tracking)
  const object: KubeObject = { ...admitted, metadata }
  if (object.kind === 'StagelySecret') {
    const { putBack, audit = { action: 'create' } } = more
    const prepared = await prepareSecret(session, object, undefined, putBack)
    return (await putSecret(session, prepared, source, { audit })).object
  }
  if (object.kind === 'Stagelet') await checkClaim(session, object)
  if (object.kind === 'Namespace') object.spec = { finalizers: ['kubernetes'] }
  const status = initialStatus(object)
  const row = await session.put(
    status === undefined ? object : { ...object, status },
    source,
    undefined,
    object.kind === 'Event' ? undefined : { action: 'create' },
  )
  if (made !== undefined) await createProject(session, row.object, made)
  return row.object
}

/**
 * Absent finalizers: an API client that replaces an object takes them away, as in Kubernetes; a
 * folder only ever says what its file holds, and no file holds the agent's finalizer.
 */
const nextFinalizers = (
  session: WriteSession,
  object: KubeObject,
  current: KubeObject,
): string[] | undefined => {
  const old = current.metadata.finalizers
  const given = object.metadata.finalizers
  const next = given ?? (session.actor.source === 'api' ? undefined : old)
  const added = (next ?? []).filter((f) => !(old ?? []).includes(f))
  if (current.metadata.deletionTimestamp !== undefined && added.length > 0) {
    const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers: ${added.join(', ')}`
    throw invalid(refOf(object), [
      { field: 'metadata.finalizers', reason: 'FieldValueForbidden', message },
    ])
  }
  return next === undefined || next.length === 0 ? undefined : next
}

const nextMetadata = (
  session: WriteSession,
  object: KubeObject,
  current: StoredRow,
  source: string,
): ObjectMeta => {
  const { labels: _, annotations: __, finalizers: ___, ...kept } = current.object.metadata
  const { labels, annotations } = object.metadata
  const finalizers = nextFinalizers(session, object, current.object)
  const before = current.object.metadata
  const ours = object.kind === 'Namespace' ? { [namespaceLabel]: object.metadata.name } : undefined
  const next: ObjectMeta = {
    ...kept,
    ...(labels === undefined && ours === undefined ? {} : { labels: { ...labels, ...ours } }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(finalizers === undefined ? {} : { finalizers }),
  }
  return withSource(withValueSource(session, next, object, { owner: source, before }), source)
}

interface Update {
  readonly object: KubeObject
  readonly secret: PreparedSecret | undefined
  readonly source: string
  /** Who owns it by this write, where an API user hands it over. */
  readonly handed: string | undefined
}

/** What will be stored, before it is known whether anything changes. */
const prepareUpdate = async (
  session: WriteSession,
  admitted: KubeObject,
  current: StoredRow,
  { tracking, putBack }: WriteMore,
): Promise<Update> => {
  const handed = handedTo(session, admitted, current)
  const taken = isTakeover(session, current) ? session.actor.source : current.source
  const source = handed ?? taken
  const metadata = tracked(nextMetadata(session, admitted, current, source), tracking)
  const object: KubeObject = { ...admitted, metadata }
  if (current.object.status !== undefined) object.status = current.object.status
  if (object.kind === 'Namespace') object.spec = current.object.spec ?? {}
  if (object.kind !== 'StagelySecret') return { object, secret: undefined, source, handed }
  const secret = await prepareSecret(session, object, current, putBack)
  return { object: secret.object, secret, source, handed }
}

/** Conflict where the change is the owner's to make. */
const checkChange = (
  session: WriteSession,
  next: KubeObject,
  current: StoredRow,
  changesSpec: boolean,
): void => {
  const isOwners =
    (changesSpec && !fillsOpenValue(session, next, current)) || changesOwned(next, current)
  if (isOwners) checkOwner(session, current)
}

const actionOf = (handed: string | undefined): string => {
  if (handed === undefined) return 'update'
  return handed === systemSource ? 'release' : 'adopt'
}

/** `finish` removes an object that is being deleted and has lost its last finalizer. */
export const updateObject = async (
  session: WriteSession,
  input: KubeObject,
  more: WriteMore & { finish: (row: StoredRow) => Promise<KubeObject> },
): Promise<KubeObject> => {
  const admitted = admit(input)
  await readAhead(session, admitted, { isNew: false })
  const current = await requireRow(session, refOf(admitted))
  checkPreconditions(current, admitted.metadata)
  const { object, secret, source, handed } = await prepareUpdate(session, admitted, current, more)
  const changesSpec = secret?.version !== undefined || !sameJson(object.spec, current.object.spec)
  const same = sameJson(object.metadata, current.object.metadata, ['resourceVersion'])
  if (!changesSpec && same) return current.object
  if (handed === undefined) checkChange(session, object, current, changesSpec)
  if (changesSpec && object.kind === 'Stagelet') await checkClaim(session, object)
  const generation = (current.object.metadata.generation ?? 0) + (changesSpec ? 1 : 0)
  const next: KubeObject = { ...object, metadata: { ...object.metadata, generation } }
  const audit = more.audit ?? { action: actionOf(handed) }
  const row =
    secret === undefined
      ? await session.put(next, source, current, next.kind === 'Event' ? undefined : audit)
      : await putSecret(session, { ...secret, object: next }, source, { current, audit })
  if (next.kind === 'Project' && keyProviderOf(next) !== keyProviderOf(current.object))
    await moveProjectKeys(session, row.object)
  const { deletionTimestamp, finalizers } = row.object.metadata
  return deletionTimestamp !== undefined && finalizers === undefined ? more.finish(row) : row.object
}

/** The current row for a write of status or of one finalizer; NotFound. */
export const requireRow = async (session: WriteSession, ref: ObjectRef): Promise<StoredRow> => {
  const row = await session.fetch(ref)
  if (row === undefined) throw notFound(ref)
  return row
}
