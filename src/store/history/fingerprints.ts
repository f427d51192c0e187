// Fingerprints of the values of a project, for scanners: of all kept versions, also of deleted secrets. They are made when
// they are asked for, and kept in memory: a database holds none that could be stolen.
import { toTimestamp } from '../../kernel/clock.ts'
import { defined } from '../../kernel/defined.ts'
import { apiVersion, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import {
  createWindowHash,
  fingerprintOf,
  scanKeyOf,
  type Fingerprint,
} from '../../scan/fingerprints.ts'
import type { FingerprintFile } from '../../scan/scanner.ts'
import type { ProjectKeys } from '../../secrets/project-keys.ts'
import { statesOf, type StatedVersion } from '../../secrets/version-states.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { WriteSession } from '../core/write-session.ts'
import type { Queryable } from '../drivers/sql.ts'
import { checkProtected } from '../places/protection.ts'
import { requireProjectState } from '../secrets/projects.ts'
import { sealedColumns, type SealedRow } from '../secrets/set-rows.ts'
import { openRow } from './versions.ts'

/** A value, as scanners know it. */
export interface FingerprintedValue extends Omit<StatedVersion, 'state'> {
  readonly fingerprint: Fingerprint
  readonly secretId: string
  readonly name: string
  readonly key: string
  readonly scope: string
  readonly stagelet?: string
  readonly state: StatedVersion['state'] | 'deleted'
  /** Somebody who may not write the secret, or write where a deleted one was, gets nothing of its values. */
  readonly mayAsk: boolean
}

export interface ProjectFingerprints {
  readonly scanKey: Buffer
  readonly values: readonly FingerprintedValue[]
}

/** What a scanner gets of them. Of values that its login may not write it gets nothing. */
export const scannerFileOf = (
  scanKey: Buffer,
  values: readonly FingerprintedValue[],
): FingerprintFile => {
  const asked = values.filter(({ mayAsk }) => mayAsk).map(({ fingerprint }) => fingerprint)
  const strong = asked.flatMap((fingerprint) =>
    fingerprint.strength === 'strong' ? [fingerprint] : [],
  )
  const lengths = asked.flatMap(({ strength, length }) => (strength === 'weak' ? [length] : []))
  const weak_lengths = [...new Set(lengths)].sort((a, b) => a - b)
  return { key: scanKey.toString('base64url'), strong, weak_lengths }
}

interface Row extends SealedRow {
  readonly wrapped: string | null
  readonly created_at: number
  readonly revoked_at: number | null
  readonly current: boolean
}

const rowsSql = `
SELECT ${sealedColumns}, k.wrapped, v.created_at, v.revoked_at, v.to_revision IS NULL AS current
FROM secret_versions v LEFT JOIN data_keys k ON k.id = v.data_key_id
WHERE v.project_uid = $1 AND v.plain IS NOT TRUE AND v.refs IS NULL
ORDER BY v.secret_uid, v.version DESC`

const mostCached = 100_000
const caches = new WeakMap<ProjectKeys, Map<string, Fingerprint | undefined>>()

const cacheOf = (keys: ProjectKeys): Map<string, Fingerprint | undefined> => {
  const cache = caches.get(keys) ?? new Map<string, Fingerprint | undefined>()
  caches.set(keys, cache)
  if (cache.size > mostCached) cache.clear()
  return cache
}

/** `environments`: of the version, as its row has them. */
type Stated = Omit<FingerprintedValue, 'mayAsk' | 'state'> &
  Pick<StatedVersion, 'state'> & { readonly environments: readonly string[] | undefined }

const readAll = async (
  q: Queryable,
  keys: ProjectKeys,
  project: ProjectState,
): Promise<Stated[]> => {
  const cache = cacheOf(keys)
  const scanKey = scanKeyOf(project.digestKey)
  const hashOf = createWindowHash(scanKey)
  const rows = await q.query<Row>(rowsSql, [project.uid])
  const bySecret = new Map<string, Row[]>()
  for (const row of rows)
    bySecret.set(row.secret_uid, [...(bySecret.get(row.secret_uid) ?? []), row])
  const found: Stated[] = []
  for (const versions of bySecret.values()) {
    const states = new Map(statesOf(versionsIn(versions)).map((state) => [state.version, state]))
    for (const row of versions) {
      const state = states.get(row.version)
      if (state === undefined) continue
      const id = `${row.secret_uid}/${row.version}`
      if (!cache.has(id)) {
        const { value } = await openRow(keys, project, row)
        cache.set(id, fingerprintOf(scanKey, hashOf, value, row.drawn === true))
      }
      const fingerprint = cache.get(id)
      if (fingerprint === undefined) continue
      const { secret_uid: secretId, name, key, scope, stagelet } = row
      const place = { secretId, name, key, scope, ...(stagelet !== null && { stagelet }) }
      const environments =
        row.environments === null ? undefined : (JSON.parse(row.environments) as string[])
      found.push({ ...place, ...state, fingerprint, environments })
    }
  }
  return found
}

/** The newest first, as `statesOf` takes them. */
const versionsIn = (rows: readonly Row[]): Parameters<typeof statesOf>[0] =>
  rows.map(({ version, current, created_at: createdAt, revoked_at: revokedAt, ...row }, i) => {
    const same = rows.slice(i + 1).find((older) => older.value_digest === row.value_digest)
    return {
      version,
      current,
      createdAt: toTimestamp(createdAt),
      ...(same !== undefined && { sameAs: same.version }),
      ...(revokedAt !== null && { revokedAt: toTimestamp(revokedAt) }),
    }
  })

/** See Store.fingerprints. */
export const projectFingerprints = async (
  session: WriteSession,
  ref: ObjectRef,
  action: string,
): Promise<ProjectFingerprints> => {
  const project = await requireProjectState(session, ref)
  const { sql, keys } = session.deps
  const all = session.deferred.result('fingerprints', () => readAll(sql, keys, project))
  session.audit(ref, { action, detail: { values: all.length } })
  const { namespace } = ref
  const values = all.map(({ environments, ...value }): FingerprintedValue => {
    const row = session.fetch({ kind: 'StagelySecret', namespace, name: value.name })
    if (row?.uid === value.secretId) return { ...value, mayAsk: mayWrite(session, row.object) }
    const mayAsk = mayWrite(session, secretAsItWas(ref, { ...value, environments }))
    return { ...value, state: deletedState(value), mayAsk }
  })
  return { scanKey: scanKeyOf(project.digestKey), values }
}

/** Of a deleted secret, what its place follows from. */
const secretAsItWas = (
  project: ObjectRef,
  {
    name,
    key,
    scope,
    stagelet,
    environments,
  }: Pick<Stated, 'name' | 'key' | 'scope' | 'stagelet' | 'environments'>,
): KubeObject => ({
  apiVersion,
  kind: 'StagelySecret',
  metadata: { namespace: project.namespace, name },
  spec: {
    projectRef: { name: project.name },
    key,
    scope,
    ...defined({
      environments,
      stageletRef: stagelet === undefined ? undefined : { name: stagelet },
    }),
  },
})

const deletedState = ({ state }: Pick<Stated, 'state'>): FingerprintedValue['state'] =>
  state === 'revoked' ? 'revoked' : 'deleted'

const mayWrite = (
  session: WriteSession,
  secret: Parameters<typeof checkProtected>[1]['before'],
): boolean => {
  try {
    checkProtected(session.actor, { before: secret }, session.view)
    return true
  } catch {
    return false
  }
}
