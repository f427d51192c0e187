// Findings of scans close in the commit that ends their value, and open again where the value comes back.
import type { KubeObject } from '../../resources/meta.ts'
import { settleFindings, type FoundState } from '../../kinds/secret/findings.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import { sameJson } from '../../kernel/same-json.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import type { WriteSession } from '../core/write-session.ts'

/** The same object where nothing changes. `head`: of the current value. */
export const withSettledFindings = async (
  session: WriteSession,
  secret: KubeObject,
  head: Pick<ProjectEntry, 'valueDigest'> | undefined,
): Promise<KubeObject> => {
  const { findings = [] } = statusOf('StagelySecret', secret)
  if (findings.length === 0) return secret
  const rows = await session.tx.query<{ version: number; digest: string; revoked: boolean }>(
    `SELECT version, value_digest AS digest, revoked_at IS NOT NULL AS revoked
     FROM secret_versions WHERE secret_uid = $1`,
    [secret.metadata.uid],
  )
  const states = new Map(
    rows.map((row): [number, FoundState] => [
      row.version,
      row.digest === head?.valueDigest ? 'current' : row.revoked ? 'revoked' : 'superseded',
    ]),
  )
  const canEnd = specOf('StagelySecret', secret).valueFrom?.rotation !== undefined
  const settled = settleFindings(findings, (v) => states.get(v), { now: session.now, canEnd })
  if (sameJson(settled, findings)) return secret
  return { ...secret, status: { ...secret.status, findings: settled } }
}
