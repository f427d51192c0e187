// The outputs of a Rotation are parts of one credential. A rollback that would mix two credentials is refused.
import { refOf, type KubeObject } from '../../resources/meta.ts'
import { objectConflict } from '../core/errors.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import type { RolledBackOutput } from '../core/project-state.ts'
import type { WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'
import { rotatedBy } from './new-value.ts'

/** The other outputs of the same Rotation. The Rotation may be deleted: its credential still exists. */
const siblingsOf = (session: WriteSession, secret: KubeObject): KubeObject[] =>
  session
    .select(term.secretsOf(projectRefOf(secret)))
    .map(({ object }) => object)
    .filter(
      (other) =>
        other.metadata.uid !== secret.metadata.uid && rotatedBy(other) === rotatedBy(secret),
    )

/** The digests that the other secrets had while that version was current. */
const digestsBeside = async (
  session: WriteSession,
  { secret, version }: RolledBackOutput,
  others: readonly KubeObject[],
): Promise<ReadonlyMap<string, string>> => {
  const rows = await session.tx.query<{ uid: string; digest: string }>(
    `SELECT o.secret_uid AS uid, o.value_digest AS digest FROM secret_versions v
     JOIN secret_versions o ON o.project_uid = v.project_uid AND o.secret_uid = ANY($3::uuid[])
       AND o.from_revision <= v.from_revision
       AND (o.to_revision IS NULL OR o.to_revision > v.from_revision)
     WHERE v.secret_uid = $1 AND v.version = $2`,
    [secret.metadata.uid, version, others.map(({ metadata }) => metadata.uid)],
  )
  return new Map(rows.map(({ uid, digest }) => [uid, digest]))
}

/** At the end of a write: in one write all outputs may go back. */
export const checkCredentials = async (session: WriteSession): Promise<void> => {
  for (const change of session.rolledBack) {
    const others = siblingsOf(session, change.secret)
    if (others.length === 0) continue
    const then = await digestsBeside(session, change, others)
    const torn = others.filter(({ metadata: { uid = '' } }) => {
      const digest = then.get(uid)
      return digest !== undefined && digest !== session.head(uid)?.valueDigest
    })
    if (torn.length === 0) continue
    const names = torn.map(({ metadata }) => `"${metadata.name}"`).join(', ')
    const rotation = rotatedBy(change.secret) ?? ''
    throw objectConflict(
      refOf(change.secret),
      `its version ${change.version} is a part of a credential whose other part ${names} had another value then: outputs of rotation "${rotation}" go back together or not at all; for a new credential: stagely rotation run ${rotation}`,
    )
  }
}
