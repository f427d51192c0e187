// The values of plain versions, old and current: they are shown where versions are, without an audit row.
import { isReason } from '../../kernel/errors.ts'
import { maxShownBytes } from '../../kinds/secret/schema.ts'
import type { ProjectKeys } from '../../secrets/project-keys.ts'
import { shownVersionId, type ShownVersion } from '../core/history.ts'
import type { Queryable } from '../drivers/sql.ts'
import { shownValue } from '../secrets/plain-values.ts'
import { sealedColumns, type SealedRow } from '../secrets/set-rows.ts'
import { openRow } from './versions.ts'

/** Bytes of all values that are shown at once. */
const mostBytes = 1_048_576

/** A value stays hidden where the secret was masked later, or has the value as a masked one. */
const shownSql = `
SELECT ${sealedColumns}, k.wrapped, p.digest_key
FROM json_to_recordset($2::json) AS w (uid uuid, number int)
JOIN secret_versions v ON v.secret_uid = w.uid AND v.version = w.number
JOIN projects p ON p.uid = v.project_uid
LEFT JOIN data_keys k ON k.id = v.data_key_id
WHERE v.project_uid = $1 AND v.plain AND v.bytes <= ${maxShownBytes} AND NOT EXISTS (
  SELECT 1 FROM secret_versions m WHERE m.secret_uid = v.secret_uid AND m.plain IS NOT TRUE
  AND (m.version > v.version OR m.value_digest = v.value_digest))`

/** See Store.plainValues. */
export const plainVersions = async (
  q: Queryable,
  keys: ProjectKeys,
  projectUid: string,
  wanted: readonly ShownVersion[],
): Promise<ReadonlyMap<string, string>> => {
  const shown = new Map<string, string>()
  if (wanted.length === 0) return shown
  const list = wanted.map(({ secretId, version }) => ({ uid: secretId, number: version }))
  const rows = await q.query<SealedRow & { wrapped: string | null; digest_key: string }>(shownSql, [
    projectUid,
    JSON.stringify(list),
  ])
  let left = mostBytes
  try {
    for (const row of rows) {
      if ((left -= row.bytes) < 0) break
      const digestKey = await keys.digestKey(projectUid, row.digest_key)
      const opened = await openRow(keys, { uid: projectUid, digestKey }, row)
      const value = shownValue(opened, opened.value)
      if (value !== undefined) shown.set(shownVersionId(opened), value)
    }
  } catch (error) {
    // A list tells what it can while the key does not answer.
    if (!isReason(error, 'ServiceUnavailable')) throw error
  }
  return shown
}
