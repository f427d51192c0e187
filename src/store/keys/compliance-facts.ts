// Facts about the keys and values of a project for a report of compliance. They hold no value and no key.
import type { KubeObject } from '../../resources/meta.ts'
import { readAges, type KeyAges } from './key-age.ts'
import type { Queryable } from '../drivers/sql.ts'

/** One version of a secret, as the history keeps it. */
export interface VersionFact {
  readonly uid: string
  readonly name: string
  readonly key: string
  readonly scope: string
  readonly stagelet: string | null
  readonly environments: readonly string[] | null
  readonly version: number
  readonly digest: string
  /** ms */
  readonly at: number
  readonly by: string
}

type VersionRow = Omit<VersionFact, 'environments'> & { environments: string | null }

/** A row of the audit log. */
export interface AuditFact {
  readonly at: string
  readonly by: string
  readonly action: string
  readonly kind: string
  readonly name: string
  readonly detail: Readonly<Record<string, unknown>>
}

interface DataKeyFact {
  readonly id: string
  /** ms */
  readonly since: number
  readonly until: number | null
}

export interface ComplianceFacts {
  readonly versions: readonly VersionFact[]
  /** Of secrets of the project: writes that stored a version, deletions and purges. In order. */
  readonly secrets: readonly AuditFact[]
  /** Data keys that are there. */
  readonly dataKeys: readonly DataKeyFact[]
  /** Of keys that concern the project. In order. */
  readonly keys: readonly AuditFact[]
  /** Changes of the project's rules for ages. In order. */
  readonly rules: readonly AuditFact[]
  readonly ages: KeyAges
  /** The oldest row of the audit log. */
  readonly auditSince: string | undefined
}

const versionsSql = `
SELECT secret_uid AS uid, name, key, scope, stagelet, environments, version, value_digest AS digest, created_at AS at,
  created_by AS by
FROM secret_versions WHERE project_uid = $1 ORDER BY name, secret_uid, version`

const atText = `to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`
const auditColumns = `${atText} AS at, actor AS by, action, kind, name, detail::text AS detail`

// Names that another project had before are left out by the time from which this project was there.
const secretsSql = `
SELECT ${auditColumns} FROM audit
WHERE kind = 'StagelySecret' AND namespace = $1 AND result = 'success' AND at >= $4::timestamptz
  AND (name = ANY ($2::text[]) OR name IN (
    SELECT d.name FROM audit d WHERE d.kind = 'StagelySecret' AND d.namespace = $1
      AND d.action IN ('delete', 'purge') AND d.detail ->> 'project' = $3))
  AND action <> 'reveal' AND (detail ->> 'version' IS NOT NULL OR action IN ('delete', 'purge'))
ORDER BY seq`

const keysSql = `
SELECT ${auditColumns} FROM audit
WHERE (kind = 'DataKey' AND namespace IN ('', $1) AND detail ->> 'projectUid' = $3)
  OR (kind = 'Keys' AND namespace = '' AND action <> 'end key rotation'
    AND coalesce(detail ->> 'projectUid', $3) = $3)
  OR (kind = 'SealingKey' AND namespace = '')
  OR (kind = 'Project' AND namespace = $1 AND name = $2 AND action = 'move keys')
ORDER BY seq`

const rulesSql = `
SELECT ${auditColumns} FROM audit
WHERE kind = 'Project' AND namespace = $1 AND name = $2 AND result = 'success' AND at >= $3::timestamptz
  AND detail -> 'rules' IS NOT NULL
ORDER BY seq`

type Row = Omit<AuditFact, 'detail'> & { readonly detail: string | null }

const toFact = ({ detail, ...row }: Row): AuditFact => ({
  ...row,
  detail: detail === null ? {} : (JSON.parse(detail) as Record<string, unknown>),
})

export const readComplianceFacts = async (
  q: Queryable,
  { metadata }: KubeObject,
): Promise<ComplianceFacts> => {
  const { uid = '', namespace = '', name, creationTimestamp: createdAt } = metadata
  const rows = await q.query<VersionRow>(versionsSql, [uid])
  const versions = rows.map(({ environments, ...row }): VersionFact => ({
    ...row,
    environments: environments === null ? null : (JSON.parse(environments) as string[]),
  }))
  const names = [...new Set(versions.map((version) => version.name))]
  const secrets = await q.query<Row & { at: string }>(secretsSql, [
    ...[namespace, names, name, createdAt],
  ])
  const dataKeys = await q.query<DataKeyFact & { id: string }>(
    'SELECT id, created_at AS since, retired_at AS until FROM data_keys WHERE project_uid = $1',
    [uid],
  )
  const keys = await q.query<Row & { at: string }>(keysSql, [namespace, name, uid])
  const rules = await q.query<Row & { at: string }>(rulesSql, [namespace, name, createdAt])
  const [oldest] = await q.query<{ at: string }>(
    `SELECT ${atText} AS at FROM audit ORDER BY seq LIMIT 1`,
  )
  return {
    versions,
    dataKeys,
    ages: await readAges(q),
    auditSince: oldest?.at,
    secrets: secrets.map(toFact),
    keys: keys.map(toFact),
    rules: rules.map(toFact),
  }
}
