// Seals staged credentials with the new data key that are still sealed with a retired one, as reseal.ts does with values.
import { isReason } from '../../kernel/errors.ts'
import type { ProjectKeys } from '../../secrets/project-keys.ts'
import type { Queryable } from '../drivers/sql.ts'
import { stagedAad, type StagedRole } from '../secrets/staged-values.ts'
import type { PassedOver } from './reseal.ts'
import type { RunningKeyRotation } from '../secrets/key-rotations.ts'
import { sealAnew, type SealedOld } from './reseal-value.ts'

interface OldRow extends SealedOld, Record<string, unknown> {
  rotation_uid: string
  attempt: number
  role: StagedRole
  output: string
}

const oldSql = `
SELECT s.rotation_uid, s.attempt, s.role, s.output, s.project_uid, s.sealed,
  k.id AS old_id, k.wrapped AS old_wrapped, n.id AS new_id, n.wrapped AS new_wrapped
FROM staged_values s JOIN data_keys k ON k.id = s.data_key_id
JOIN data_keys n ON n.project_uid = s.project_uid AND n.retired_at IS NULL
WHERE k.retired_at IS NOT NULL AND ($1::uuid IS NULL OR s.project_uid = $1)`

const aadOf = ({ rotation_uid: rotationUid, project_uid: project, ...place }: OldRow): string =>
  stagedAad(project, { rotationUid, ...place })

/** There are few: a credential is staged while its rotation runs. Adds to `passed`, as resealBatch does. */
export const resealStaged = async (
  q: Queryable,
  keys: ProjectKeys,
  { projectUid }: Pick<RunningKeyRotation, 'projectUid'>,
  { damaged, silent }: PassedOver,
): Promise<void> => {
  for (const row of await q.query<OldRow>(oldSql, [projectUid ?? null])) {
    const { rotation_uid: uid, attempt, role, output, project_uid: project } = row
    if (silent.has(project)) continue
    try {
      await q.query(
        `UPDATE staged_values SET sealed = $5, data_key_id = $6
         WHERE rotation_uid = $1 AND attempt = $2 AND role = $3 AND output = $4 AND data_key_id = $7`,
        [uid, attempt, role, output, await sealAnew(keys, row, aadOf(row)), row.new_id, row.old_id],
      )
    } catch (error) {
      if (isReason(error, 'ServiceUnavailable')) silent.set(project, error)
      else if (isReason(error, 'InternalError')) damaged.add(`${output} of rotation ${uid}`)
      else throw error
    }
  }
}
