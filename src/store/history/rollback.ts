// Rollback: an old value becomes the newest version. History only ever grows.
import { StagelyError } from '../../kernel/errors.ts'
import { toTimestamp } from '../../kernel/clock.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { isForController } from '../../secrets/place.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { isFree } from '../objects/admission.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { objectConflict, invalidObject } from '../core/errors.ts'
import { updateInSession } from '../objects/objects.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import { refOfEntry, type ProjectState } from '../core/project-state.ts'
import { setAt } from '../objects/reads.ts'
import { removeObject } from '../objects/removal.ts'
import { checkReveal } from '../places/check-place.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import type { ExternalSpec } from '../../kinds/secret/value-source.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { rotatedBy } from './new-value.ts'
import { staysHidden } from '../secrets/secret-checks.ts'
import { readSet } from '../secrets/set-rows.ts'
import type { ProjectRollback, RevisionChoice } from '../core/history.ts'
import { isRevoked } from '../secrets/staged-values.ts'
import { followedBy } from '../secrets/followers.ts'
import { fillsOpenValue } from '../secrets/value-owner.ts'
import { asWritten, atPlaceOf, recreate } from './restore.ts'
import { diffSets, type SetDiff } from '../core/set-diff.ts'
import { requireProjectState } from '../secrets/projects.ts'
import { checkVersion } from '../places/version-places.ts'
import { openVersion, type OpenedVersion } from './versions.ts'

const externalOf = (secret: KubeObject): ExternalSpec | undefined =>
  specOf('StagelySecret', secret).valueFrom?.external

/** Conflict when `expected` is not the version that is stored now. */
export const expectVersion = (session: WriteSession, ref: ObjectRef, expected: number): void => {
  const row = session.require(ref)
  const { version: current = 0 } = statusOf('StagelySecret', row.object)
  if (current === expected) return
  throw objectConflict(
    ref,
    `version ${expected} was expected, version ${current} is stored: read it again, and decide anew`,
  )
}

const revoked = (ref: ObjectRef, version: number): StagelyError =>
  new StagelyError(
    'CredentialRevoked',
    `version ${version} of secret "${ref.name}" is a credential that was revoked: nothing accepts it any more; run its Rotation for a new one`,
    { kind: 'stagelysecrets', name: ref.name, namespace: ref.namespace },
  )

/** See Transaction.rollbackSecret. */
export const rollbackSecret = async (
  session: WriteSession,
  ref: ObjectRef,
  version: number,
): Promise<KubeObject> => {
  const row = session.require(ref)
  const source = followedBy(row.object)
  if (source !== undefined) {
    const why = `it takes its value from "${source}" (valueFrom.secretRef): roll that one back`
    throw objectConflict(ref, why)
  }
  const external = externalOf(row.object)
  if (external !== undefined) {
    const why = `it takes its value from store "${external.store}" (valueFrom.external): change "${external.key}" there`
    throw objectConflict(ref, why)
  }
  const project = await requireProjectState(session, projectRefOf(row.object))
  if (await isRevoked(session.tx, { secretUid: row.uid, version })) throw revoked(ref, version)
  const opened = await openVersion(session, project, { secretUid: row.uid, version })
  // Its value is brought from where it counted then.
  checkReveal(session, atPlaceOf(opened, row.object))
  checkVersion(session, project, opened)
  if (rotatedBy(row.object) !== undefined) session.rolledBack.push({ secret: row.object, version })
  return putBack(session, opened, asWritten(opened, row.object))
}

/** A secret that follows another one keeps the value that it follows. */
const putBack = (
  session: WriteSession,
  opened: OpenedVersion,
  secret: KubeObject,
): Promise<KubeObject> => {
  const { version, value, since, plain, made, drawn, wasPlain } = opened
  if (isForController(opened) && specOf('StagelySecret', secret).audience !== 'Controller')
    throw invalidObject(refOf(secret), [{ field: 'spec.audience', ...staysHidden }])
  if (followedBy(secret) !== undefined)
    return updateInSession(session, secret, { audit: { action: 'rollback' } })
  return updateInSession(session, secret, {
    putBack: { value, origin: 'elsewhere', since, plain, made, drawn, wasPlain },
    audit: { action: 'rollback', detail: { value: version } },
  })
}

/** The newest closed revision before the newest change, which may be in a revision that is still open. */
const findPrevious = async (session: WriteSession, project: ProjectState): Promise<number> => {
  const newest = project.openedAt === undefined ? project.closed : project.closed + 1
  const [row] = await session.tx.query<{ revision: number | null }>(
    `SELECT max(revision) AS revision FROM revisions WHERE project_uid = $1 AND revision < least($2::bigint, (
       SELECT max(greatest(from_revision, coalesce(to_revision, 0))) FROM secret_versions WHERE project_uid = $1))`,
    [project.uid, newest],
  )
  const revision = row?.revision ?? undefined
  if (revision !== undefined) return revision
  throw new StagelyError(
    'NotFound',
    `no rollout history found for project "${project.ref.name}": it has no older revision`,
  )
}

/** NotFound where it is not kept: also where others from before and after that time are. */
const revisionAt = async (
  session: WriteSession,
  project: ProjectState,
  at: number,
): Promise<number> => {
  const kept = await session.tx.query<{ revision: number; at: number }>(
    'SELECT revision, closed_at AS at FROM revisions WHERE project_uid = $1 ORDER BY revision',
    [project.uid],
  )
  const index = kept.findLastIndex((one) => one.at <= at)
  const [then, next, oldest] = [kept[index], kept[index + 1], kept[0]]
  const follows = next?.revision ?? project.closed + 1
  if (then !== undefined && then.revision + 1 === follows) return then.revision
  const textOf = (one: typeof oldest): string =>
    one === undefined ? '' : `${one.revision} (from ${toTimestamp(one.at)})`
  const around = [then, next].map(textOf).filter((text) => text !== '')
  const hint =
    oldest === undefined
      ? 'there is none yet'
      : then === undefined
        ? `the oldest that is kept is from ${toTimestamp(oldest.at)}`
        : `kept are ${around.join(' and ')}: name one of them`
  throw new StagelyError(
    'NotFound',
    `no revision of project "${project.ref.name}" from ${toTimestamp(at)} ${then === undefined ? 'or before ' : ''}is kept; ${hint}`,
  )
}

const findRevision = async (
  session: WriteSession,
  project: ProjectState,
  choice: RevisionChoice,
): Promise<number> => {
  if ('revision' in choice) {
    return choice.revision === 'previous' ? findPrevious(session, project) : choice.revision
  }
  return revisionAt(session, project, choice.at)
}

/** Conflict naming every secret that somebody else owns: nothing is rolled back then. */
const checkOwners = (
  session: WriteSession,
  project: ProjectState,
  {
    changed,
    target,
  }: { changed: readonly ProjectEntry[]; target: ReadonlyMap<string, ProjectEntry> },
): void => {
  const foreign: string[] = []
  for (const { name, secretId } of changed) {
    const row = session.fetch(refOfEntry(project, { name }))
    if (row === undefined || isFree(session, row)) continue
    if (!staysTheirs(session, row, target.get(secretId)))
      foreign.push(`"${name}" (owned by ${row.source})`)
  }
  if (foreign.length === 0) return
  throw objectConflict(
    project.ref,
    `secrets that would change belong to somebody else: ${foreign.join(', ')}; roll back there, or adopt them first`,
  )
}

/** True where the owner's fields stay: only the value changes, which the owner leaves open or takes from another secret. */
const staysTheirs = (
  session: WriteSession,
  row: StoredRow,
  was: ProjectEntry | undefined,
): boolean => {
  if (was === undefined) return false
  const next = atPlaceOf(was, row.object)
  const follows = followedBy(row.object) !== undefined && sameJson(next.spec, row.object.spec)
  return follows || fillsOpenValue(session, next, row)
}

/** Only a Rotation, or a store elsewhere, changes the value. */
const hasManagedValue = (
  session: WriteSession,
  project: ProjectState,
  entry: ProjectEntry,
): boolean => {
  const row = session.fetch(refOfEntry(project, entry))
  if (row?.uid !== entry.secretId) return false
  return rotatedBy(row.object) !== undefined || externalOf(row.object) !== undefined
}

/** A secret keeps its value where it follows another secret that stays as it is. */
const withoutFollowers = (session: WriteSession, project: ProjectState, diff: SetDiff): SetDiff => {
  const moves = new Set([...diff.added, ...diff.removed, ...diff.changed].map(({ name }) => name))
  const stays = ({ name, secretId, what }: SetDiff['changed'][number]): boolean => {
    const row = session.fetch(refOfEntry(project, { name }))
    const source = row?.uid === secretId ? followedBy(row.object) : undefined
    return source !== undefined && !moves.has(source) && what.join() === 'value'
  }
  return { ...diff, changed: diff.changed.filter((secret) => !stays(secret)) }
}

const isSameSecret =
  (entry: ProjectEntry) =>
  ({ secretId }: ProjectEntry): boolean =>
    secretId === entry.secretId

/** Secrets whose version in this set is a credential that nothing accepts any more. */
const revokedOf = async (
  session: WriteSession,
  set: readonly ProjectEntry[],
): Promise<ReadonlySet<string>> => {
  const rows = await session.tx.query<{ uid: string }>(
    `SELECT v.secret_uid AS uid FROM secret_versions v
     JOIN unnest($1::uuid[], $2::int[]) AS c (secret_uid, version)
       ON v.secret_uid = c.secret_uid AND v.version = c.version
     WHERE v.revoked_at IS NOT NULL`,
    [set.map(({ secretId }) => secretId), set.map(({ version }) => version)],
  )
  return new Set(rows.map(({ uid }) => uid))
}

/** See Transaction.rollbackProject. */
export const rollbackProject = async (
  session: WriteSession,
  ref: ObjectRef,
  choice: RevisionChoice,
): Promise<ProjectRollback> => {
  const project = await requireProjectState(session, ref)
  const revision = await findRevision(session, project, choice)
  const then = (await readSet(session.tx, session.deps.keys, project.uid, revision)).entries
  const now = (await setAt(session, project.uid, 'head')).entries
  // Revoked credentials do not come back: their secrets keep the value that they have.
  const dead = await revokedOf(session, then)
  const kept = [
    ...now.filter((entry) => dead.has(entry.secretId) || hasManagedValue(session, project, entry)),
    ...then.filter((entry) => dead.has(entry.secretId) && !now.some(isSameSecret(entry))),
  ]
  const isKept = new Set(kept.map(({ secretId }) => secretId))
  const rest = (set: readonly ProjectEntry[]): ProjectEntry[] =>
    set.filter((e) => !isKept.has(e.secretId))
  const [target, head] = [rest(then), rest(now)]
  const diff = withoutFollowers(session, project, diffSets(head, target))
  const changed = new Set([...diff.removed, ...diff.changed].map((e) => e.secretId))
  const entries = new Map(target.map((entry) => [entry.secretId, entry]))
  checkOwners(session, project, {
    changed: head.filter((e) => changed.has(e.secretId)),
    target: entries,
  })
  // Removals come first: a secret that comes back may need the place of a removed one.
  for (const gone of diff.removed) await removeObject(session, refOfEntry(project, gone))
  await bringBack(session, project, { diff, entries })
  session.audit(project.ref, { action: 'rollback', detail: { revision } })
  return { revision, diff, kept: kept.map(({ name }) => name).sort() }
}

const bringBack = async (
  session: WriteSession,
  project: ProjectState,
  { diff, entries }: { diff: SetDiff; entries: ReadonlyMap<string, ProjectEntry> },
): Promise<void> => {
  for (const { secretId } of [...diff.changed, ...diff.added]) {
    const entry = entries.get(secretId)
    if (entry === undefined) continue
    const what = { secretUid: secretId, version: entry.version }
    const opened = await openVersion(session, project, what)
    checkVersion(session, project, opened)
    const row = session.fetch(refOfEntry(project, entry))
    if (row?.uid === secretId) {
      await putBack(session, opened, atPlaceOf(entry, row.object))
    } else await recreate(session, project, opened)
  }
}
