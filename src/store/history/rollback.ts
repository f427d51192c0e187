// Going back: the old value becomes the newest version. History only ever grows.
import { StagelyError } from '../../kernel/errors.ts'
import { toTimestamp } from '../../kernel/clock.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { isForController } from '../../secrets/set-entry.ts'
import type { SetEntry } from '../../secrets/visible.ts'
import { isFree } from '../admission.ts'
import { sameJson } from '../canonical.ts'
import { conflict, invalid } from '../errors.ts'
import { requireRow, updateObject } from '../objects.ts'
import type { ProjectState } from '../projects.ts'
import { setAt } from '../reads.ts'
import { finishRemoval, removeObject } from '../removal.ts'
import type { SecretSpec } from '../../resources/stagelysecret.ts'
import type { StoredRow, WriteSession } from '../session.ts'
import { rotatedBy } from './rotate.ts'
import { onceHidden } from '../secret-writes.ts'
import { readSet } from '../set-rows.ts'
import type { ProjectRollback, RevisionChoice } from '../store.ts'
import { isRevoked } from '../staged-values.ts'
import { followedBy } from '../values/followers.ts'
import { fillsOpenValue } from '../value-owner.ts'
import { asWritten, atPlaceOf, recreate } from './restore.ts'
import { diffSets, type SetDiff } from './set-diff.ts'
import {
  openVersion,
  projectOfSecret,
  requireProjectState,
  type OpenedVersion,
} from './versions.ts'

type External = NonNullable<SecretSpec['valueFrom']>['external']

const externalOf = ({ spec }: KubeObject): External =>
  (spec as unknown as SecretSpec).valueFrom?.external

/** Conflict when `expected` is not the version that is stored now. */
export const expectVersion = (session: WriteSession, ref: ObjectRef, expected: number): void => {
  const row = requireRow(session, ref)
  const current = (row.object.status as { version?: number } | undefined)?.version ?? 0
  if (current === expected) return
  throw conflict(
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
  const row = requireRow(session, ref)
  const source = followedBy(row.object)
  if (source !== undefined) {
    const why = `it takes its value from "${source}" (valueFrom.secretRef): roll that one back`
    throw conflict(ref, why)
  }
  const external = externalOf(row.object)
  if (external !== undefined) {
    const why = `it takes its value from store "${external.store}" (valueFrom.external): change "${external.key}" there`
    throw conflict(ref, why)
  }
  const project = await projectOfSecret(session, row)
  if (await isRevoked(session.tx, { secretUid: row.uid, version })) throw revoked(ref, version)
  const opened = await openVersion(session, project, { secretUid: row.uid, version })
  return putBack(session, row, opened, asWritten(opened, row.object.spec))
}

/** The value of a secret that follows another stays with that one. */
const putBack = (
  session: WriteSession,
  row: StoredRow,
  opened: OpenedVersion,
  spec: Record<string, unknown>,
): Promise<KubeObject> => {
  const { version, value, writtenAt: since } = opened
  if (isForController(opened) && spec['audience'] !== 'Controller')
    throw invalid(refOf(row.object), [{ field: 'spec.audience', ...onceHidden }])
  return updateObject(
    session,
    { ...row.object, spec },
    {
      finish: (stored) => finishRemoval(session, stored),
      ...(followedBy({ spec }) === undefined
        ? {
            putBack: { value, origin: 'elsewhere', since },
            audit: { action: 'rollback', detail: { value: version } },
          }
        : { audit: { action: 'rollback' } }),
    },
  )
}

/** What was before the newest change, which may be in a revision that is still open. */
const findPrevious = async (session: WriteSession, project: ProjectState): Promise<number> => {
  const newest = project.openedAt === undefined ? project.closed : project.closed + 1
  const [row] = await session.tx.query<{ revision: number | null }>(
    'SELECT max(revision) AS revision FROM revisions WHERE project_uid = $1 AND revision < $2',
    [project.uid, newest],
  )
  const revision = row?.revision ?? undefined
  if (revision !== undefined) return revision
  throw new StagelyError(
    'NotFound',
    `no rollout history found for project "${project.ref.name}": it has no older revision`,
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
  const [row] = await session.tx.query<{ revision: number | null; oldest: number | null }>(
    `SELECT max(revision) FILTER (WHERE closed_at <= $2) AS revision, min(closed_at) AS oldest
     FROM revisions WHERE project_uid = $1`,
    [project.uid, choice.at],
  )
  const revision = row?.revision ?? undefined
  if (revision !== undefined) return revision
  const oldest = row?.oldest ?? undefined
  const known =
    oldest === undefined
      ? 'there is none yet'
      : `the oldest that is kept is from ${toTimestamp(oldest)}`
  throw new StagelyError(
    'NotFound',
    `no revision of project "${project.ref.name}" from ${toTimestamp(choice.at)} or before is kept; ${known}`,
  )
}

/** Conflict naming every secret that somebody else owns: nothing is rolled back then. */
const checkOwners = (
  session: WriteSession,
  project: ProjectState,
  { touched, target }: { touched: readonly SetEntry[]; target: ReadonlyMap<string, SetEntry> },
): void => {
  const foreign: string[] = []
  for (const { name, secretId } of touched) {
    const row = session.fetch(refOfEntry(project, { name }))
    if (row === undefined || isFree(session, row)) continue
    if (!staysTheirs(session, row, target.get(secretId)))
      foreign.push(`"${name}" (owned by ${row.source})`)
  }
  if (foreign.length === 0) return
  throw conflict(
    project.ref,
    `secrets that would change belong to somebody else: ${foreign.join(', ')}; roll back there, or adopt them first`,
  )
}

/** True where what its owner says of a secret stays: only its value comes back, which is left open or follows. */
const staysTheirs = (session: WriteSession, row: StoredRow, was: SetEntry | undefined): boolean => {
  if (was === undefined) return false
  const spec = atPlaceOf(was, row.object.spec)
  const follows = followedBy(row.object) !== undefined && sameJson(spec, row.object.spec)
  return follows || fillsOpenValue(session, { ...row.object, spec }, row)
}

const refOfEntry = (project: ProjectState, entry: { name: string }): ObjectRef => ({
  kind: 'StagelySecret',
  namespace: project.ref.namespace,
  name: entry.name,
})

/** Its value is changed elsewhere alone: by its Rotation, or in its store. */
const isMadeElsewhere = (
  session: WriteSession,
  project: ProjectState,
  entry: SetEntry,
): boolean => {
  const row = session.fetch(refOfEntry(project, entry))
  if (row?.uid !== entry.secretId) return false
  return rotatedBy(row.object) !== undefined || externalOf(row.object) !== undefined
}

const isSameSecret =
  (entry: SetEntry) =>
  ({ secretId }: SetEntry): boolean =>
    secretId === entry.secretId

/** Secrets whose version in this set is a credential that nothing accepts any more. */
const revokedOf = async (
  session: WriteSession,
  set: readonly SetEntry[],
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
  // Old credentials may be dead.
  const dead = await revokedOf(session, then)
  const kept = [
    ...now.filter((entry) => dead.has(entry.secretId) || isMadeElsewhere(session, project, entry)),
    ...then.filter((entry) => dead.has(entry.secretId) && !now.some(isSameSecret(entry))),
  ]
  const isKept = new Set(kept.map(({ secretId }) => secretId))
  const rest = (set: readonly SetEntry[]): SetEntry[] => set.filter((e) => !isKept.has(e.secretId))
  const [target, head] = [rest(then), rest(now)]
  const diff = diffSets(head, target)
  const touched = new Set([...diff.removed, ...diff.changed].map((e) => e.secretId))
  const entries = new Map(target.map((entry) => [entry.secretId, entry]))
  checkOwners(session, project, {
    touched: head.filter((e) => touched.has(e.secretId)),
    target: entries,
  })
  // First what goes: it may stand where something comes back.
  for (const gone of diff.removed) await removeObject(session, refOfEntry(project, gone))
  await bringBack(session, project, { diff, entries })
  session.audit(project.ref, { action: 'rollback', detail: { revision } })
  return { revision, diff, kept: kept.map(({ name }) => name).sort() }
}

const bringBack = async (
  session: WriteSession,
  project: ProjectState,
  { diff, entries }: { diff: SetDiff; entries: ReadonlyMap<string, SetEntry> },
): Promise<void> => {
  for (const { secretId } of [...diff.changed, ...diff.added]) {
    const entry = entries.get(secretId)
    if (entry === undefined) continue
    const what = { secretUid: secretId, version: entry.version }
    const opened = await openVersion(session, project, what)
    const row = session.fetch(refOfEntry(project, entry))
    if (row?.uid === secretId) {
      await putBack(session, row, opened, atPlaceOf(entry, row.object.spec))
    } else await recreate(session, project, opened)
  }
}
