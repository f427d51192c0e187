// History: versions of a secret, revisions of a project, deleted secrets, and old values for a rollback.
import { StagelyError } from '../../kernel/errors.ts'
import { toFineTimestamp, toTimestamp } from '../../kernel/clock.ts'
import { defined, notNull } from '../../kernel/defined.ts'
import type { KubeObject } from '../../resources/meta.ts'
import { specOf } from '../../kinds/typed.ts'
import { valueDigest } from '../../secrets/digest.ts'
import { shownAudience, viewersIn } from '../../secrets/place.ts'
import type { ProjectKeys } from '../../secrets/project-keys.ts'
import { setTampered } from '../core/errors.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { WriteSession } from '../core/write-session.ts'
import { sealedColumns, toEntry, type SealedRow } from '../secrets/set-rows.ts'
import { openSealed } from '../secrets/sets.ts'
import type { Queryable } from '../drivers/sql.ts'
import { endedInOf, type PlacedVersion } from '../places/version-places.ts'
import type { DeletedSecret, RevisionInfo, SecretVersion } from '../core/history.ts'
import type { OpenedEntry } from '../core/sets.ts'

interface HistoryRow {
  readonly version: number
  readonly current: boolean
  readonly scope: string
  readonly stagelet: string | null
  readonly environments: string | null
  readonly ended_in: string | null
  readonly type: 'env' | 'file'
  readonly visibility: 'Masked' | 'Plain'
  readonly bytes: number
  readonly digest: string
  readonly fromRevision: number
  readonly toRevision: number | null
  readonly createdAt: number
  readonly createdBy: string
  readonly revokedAt: number | null
  readonly refusedAt: number | null
}

/** See Store.versionsOf. */
export const versionsOf = async (q: Queryable, secretUid: string): Promise<SecretVersion[]> => {
  const rows = await q.query<HistoryRow>(
    `SELECT version, to_revision IS NULL AS current, scope, stagelet, environments, ended_in, type, bytes, value_digest AS digest,
       CASE WHEN plain THEN 'Plain' ELSE 'Masked' END AS visibility,
       from_revision AS "fromRevision", to_revision AS "toRevision", created_at AS "createdAt",
       created_by AS "createdBy", revoked_at AS "revokedAt", refused_at AS "refusedAt"
     FROM secret_versions WHERE secret_uid = $1 ORDER BY version DESC`,
    [secretUid],
  )
  return rows.map(
    ({ stagelet, environments, ended_in, digest, createdAt, revokedAt, refusedAt, ...row }, i) => {
      const same = rows.slice(i + 1).find((older) => older.digest === digest)
      return {
        ...notNull(row),
        ...shownAudience({
          ...notNull({ stagelet }),
          ...(environments !== null && { environments: JSON.parse(environments) as string[] }),
        }),
        ...endedInOf({ stagelet, ended_in, current: row.current }),
        createdAt: toTimestamp(createdAt),
        ...defined({ sameAs: same?.version }),
        ...(revokedAt !== null && { revokedAt: toTimestamp(revokedAt) }),
        ...(refusedAt !== null && { refusedAt: toFineTimestamp(refusedAt) }),
      }
    },
  )
}

/** See Store.listRevisions. */
export const listRevisions = async (q: Queryable, projectUid: string): Promise<RevisionInfo[]> => {
  const rows = await q.query<{ closed_at: number; detail: string }>(
    `SELECT closed_at, detail::text AS detail FROM revision_facts WHERE project_uid = $1 ORDER BY revision DESC`,
    [projectUid],
  )
  return rows.map(({ closed_at, detail }) => ({
    ...(JSON.parse(detail) as Omit<RevisionInfo, 'closedAt'>),
    closedAt: toFineTimestamp(closed_at),
  }))
}

/** A kept version of a secret of a project, for who sees a part of the project. */
export interface ChangedVersion extends PlacedVersion {
  readonly key: string
  readonly from: number
  /** Absent: it is current. */
  readonly to?: number
  /** Another version took its place. */
  readonly isReplaced: boolean
  readonly by: string
}

/** See Store.changedVersions. */
export const changedVersions = async (
  q: Queryable,
  projectUid: string,
): Promise<ChangedVersion[]> => {
  const rows = await q.query<{
    key: string
    stagelet: string | null
    environments: string | null
    ended_in: string | null
    from_revision: number
    to_revision: number | null
    is_replaced: boolean
    created_by: string
  }>(
    `SELECT key, stagelet, environments, ended_in, from_revision, to_revision, created_by,
       EXISTS (SELECT 1 FROM secret_versions n WHERE n.secret_uid = v.secret_uid
         AND n.from_revision = v.to_revision) AS is_replaced
     FROM secret_versions v WHERE project_uid = $1 ORDER BY key`,
    [projectUid],
  )
  return rows.map(
    ({ key, stagelet, environments, ended_in, from_revision: from, to_revision, ...row }) => ({
      key,
      from,
      isReplaced: row.is_replaced,
      by: row.created_by,
      ...notNull({ stagelet, to: to_revision }),
      ...endedInOf({ stagelet, ended_in, current: to_revision === null }),
      ...(environments !== null && { environments: JSON.parse(environments) as string[] }),
    }),
  )
}

/** See Store.deletedSecrets. */
export const deletedSecrets = async (
  q: Queryable,
  projectUid: string,
  graceMs: number,
): Promise<DeletedSecret[]> => {
  const rows = await q.query<{
    secret_uid: string
    name: string
    body: string
    deleted_at: number
    deleted_by: string
    stagelet: string | null
    ended_in: string | null
  }>(
    `SELECT d.secret_uid, d.name, d.body, d.deleted_at, d.deleted_by, v.stagelet, v.ended_in
     FROM deleted_secrets d LEFT JOIN LATERAL (SELECT w.stagelet, w.ended_in FROM secret_versions w
       WHERE w.secret_uid = d.secret_uid ORDER BY w.version DESC LIMIT 1) v ON true
     WHERE d.project_uid = $1 ORDER BY d.deleted_at DESC, d.name`,
    [projectUid],
  )
  return rows.map((row) => {
    const spec = specOf('StagelySecret', JSON.parse(row.body) as KubeObject)
    return {
      secretId: row.secret_uid,
      name: row.name,
      key: spec.key,
      scope: spec.scope,
      ...shownAudience(viewersIn(spec)),
      ...endedInOf({ ...row, current: false }),
      deletedAt: toTimestamp(row.deleted_at),
      deletedBy: row.deleted_by,
      restorableUntil: toTimestamp(row.deleted_at + graceMs),
    }
  })
}

export interface OpenedVersion extends OpenedEntry, Pick<PlacedVersion, 'endedIn'> {
  /** When its value was given first, as far as versions are kept: an earlier one may have the same. */
  readonly since: string
  /** A kept version with its value was plain. */
  readonly wasPlain: boolean
}

/**
 * Opens one version, old or current. A set's MAC need not cover it any more; its AAD and, over
 * what was opened, its keyed digest do. NotFound names the versions that are kept.
 */
export const openVersion = async (
  session: WriteSession,
  project: ProjectState,
  { secretUid, version }: { secretUid: string; version: number },
  q: Queryable = session.tx,
): Promise<OpenedVersion> => {
  const [row] = await q.query<
    SealedRow & {
      since: number
      was_plain: boolean | null
      wrapped: string | null
      current: boolean
      ended_in: string | null
    }
  >(
    `SELECT ${sealedColumns}, k.wrapped, v.to_revision IS NULL AS current, v.ended_in, (SELECT min(created_at) FROM secret_versions
       WHERE secret_uid = v.secret_uid AND value_digest = v.value_digest) AS since,
       (SELECT bool_or(plain) FROM secret_versions
       WHERE secret_uid = v.secret_uid AND value_digest = v.value_digest) AS was_plain
     FROM secret_versions v
     LEFT JOIN data_keys k ON k.id = v.data_key_id
     WHERE v.secret_uid = $1 AND v.version = $2 AND v.project_uid = $3`,
    [secretUid, version, project.uid],
  )
  if (row === undefined) throw await versionMissing(q, secretUid, version)
  const opened = await openRow(session.deps.keys, project, row)
  const { since, was_plain: wasPlain } = row
  return {
    ...opened,
    ...endedInOf(row),
    since: toTimestamp(since),
    wasPlain: wasPlain === true,
  }
}

/** The value of a row of `secret_versions`, checked by its AAD and its keyed digest. */
export const openRow = async (
  keys: ProjectKeys,
  { uid, digestKey }: Pick<ProjectState, 'uid' | 'digestKey'>,
  row: SealedRow & { readonly wrapped: string | null },
): Promise<OpenedEntry> => {
  if (row.wrapped === null) throw setTampered(uid)
  const entry = toEntry(row)
  const dataKey = await keys.dataKey(uid, row.data_key_id, row.wrapped)
  const value = openSealed(dataKey, uid, entry, row.sealed)
  const { type, key, file } = entry
  const refers = entry.references !== undefined
  if (valueDigest(digestKey, { type, key, value, file, refers }) !== entry.valueDigest)
    throw setTampered(uid)
  return { ...entry, value }
}

const versionMissing = async (
  q: Queryable,
  secretUid: string,
  version: number,
): Promise<StagelyError> => {
  const kept = (await versionsOf(q, secretUid)).map((v) => v.version).reverse()
  const list = kept.length === 0 ? 'none is' : `kept are ${kept.join(', ')}`
  return new StagelyError('NotFound', `version ${version} of this secret is not kept; ${list}`)
}
