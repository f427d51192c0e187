// Rows of tables as JSON, as the functions of a commit take them.
import { layoutText } from '../../secrets/layout.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import type { Ended, LayoutRow, NewKeyRow, NewVersionRow } from '../core/changes.ts'
import type { ProjectRow } from '../state/rows.ts'

/** JSON text of a row. The `raw` members are JSON already. */
export const rowText = (
  members: Record<string, unknown>,
  raw: Record<string, string | null>,
): string => {
  const rest = Object.entries(raw).map(([name, text]) => `"${name}":${text ?? 'null'}`)
  return `${JSON.stringify(members).slice(0, -1)},${rest.join(',')}}`
}

export const projectColumns = (row: ProjectRow): string =>
  JSON.stringify({
    uid: row.id,
    namespace: row.namespace,
    name: row.name,
    digest_key: row.digestKey,
    key_provider: row.keyProvider,
    revision: row.closed,
    opened_at: row.openedAt,
    last_write_at: row.lastWriteAt,
    change_sets: row.changeSets,
    head_mac: row.headMac(),
    quiet_at: row.quietAt,
  })

export const versionColumns = (row: NewVersionRow & { ended?: Ended }): string => {
  const { entry, ended } = row
  return JSON.stringify({
    secret_uid: entry.secretId,
    version: entry.version,
    project_uid: row.projectUid,
    from_revision: row.fromRevision,
    to_revision: ended?.toRevision,
    ended_by: ended?.by,
    name: entry.name,
    key: entry.key,
    scope: entry.scope,
    stagelet: entry.stagelet,
    type: entry.type,
    file: entry.file,
    sealed: row.sealed,
    data_key_id: row.dataKey.id,
    value_digest: entry.valueDigest,
    bytes: entry.bytes,
    created_at: row.at,
    created_by: row.by,
    refs: entry.references,
  })
}

/** The columns of a version that came with environments and plain values; undefined where it has none of them. */
export const addedColumns = ({
  secretId,
  version,
  environments,
  plain,
  made,
  drawn,
}: ProjectEntry): string | undefined => {
  const added = { environments, plain, made, drawn }
  if (Object.values(added).every((value) => value === undefined)) return undefined
  return JSON.stringify({ secret_uid: secretId, version, ...added })
}

export const endColumns = (secretUid: string, { toRevision, by }: Ended): string =>
  JSON.stringify({ secret_uid: secretUid, to_revision: toRevision, ended_by: by })

/** Where a version ended; undefined where it was not for one stagelet. `version` absent: the one that was current before. */
export const endingColumns = (
  secretUid: string,
  { toRevision, place }: Ended,
  version?: number,
): string | undefined =>
  place === undefined
    ? undefined
    : JSON.stringify({
        secret_uid: secretUid,
        to_revision: toRevision,
        version,
        ended_in: JSON.stringify(place),
      })

export const layoutColumns = (row: LayoutRow): string =>
  rowText(
    {
      project_uid: row.projectUid,
      from_revision: row.fromRevision,
      moved: row.moved,
      changed_by: row.by,
    },
    { layout: layoutText(row.layout) },
  )

export const keyColumns = (key: NewKeyRow): string =>
  JSON.stringify({
    id: key.id,
    project_uid: key.projectUid,
    provider: key.provider,
    provider_key_id: key.providerKeyId,
    wrapped: key.wrapped,
    created_at: key.at,
  })
