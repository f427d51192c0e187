// Values of the current versions of secrets, sealed: the state does not hold them.
import type { SealKey } from '../secrets/aead.ts'
import type { SetEntry } from '../secrets/visible.ts'
import { setTampered } from './errors.ts'
import { versionId, type NewVersionRow } from './log/changes.ts'
import type { WriteSession } from './session.ts'
import { openSealed } from './sets.ts'
import { term } from './state/rows.ts'
import type { OpenedEntry } from './store.ts'

type Sealed = Pick<NewVersionRow, 'sealed' | 'dataKey'>

interface SealedColumns {
  id: string
  version: number
  sealed: string
  key: string
  wrapped: string
}

const loadSealed = async (
  { deps: { sql } }: WriteSession,
  entries: readonly SetEntry[],
): Promise<ReadonlyMap<string, Sealed>> => {
  const rows = await sql.query<SealedColumns>(
    `SELECT v.secret_uid AS id, v.version, v.sealed, k.id AS key, k.wrapped FROM secret_versions v
     JOIN unnest($1::uuid[], $2::int[]) AS w (secret_uid, version) USING (secret_uid, version)
     JOIN data_keys k ON k.id = v.data_key_id`,
    [entries.map((entry) => entry.secretId), entries.map((entry) => entry.version)],
  )
  return new Map(
    rows.map(({ id, version, sealed, key, wrapped }) => [
      versionId(id, version),
      { sealed, dataKey: { id: key, wrapped } },
    ]),
  )
}

/** Opens current versions, those of writes that share the commit too. What is not at hand the write gives way for. */
export const openHeads = async (
  session: WriteSession,
  projectUid: string,
  entries: readonly SetEntry[],
): Promise<OpenedEntry[]> => {
  const idOf = (entry: SetEntry): string => versionId(entry.secretId, entry.version)
  const begun = (entry: SetEntry): Sealed | undefined =>
    session.changes.versions.get(idOf(entry)) ?? session.before.versions.get(idOf(entry))
  const missing = entries.filter((entry) => begun(entry) === undefined)
  const stored =
    missing.length === 0
      ? new Map<string, Sealed>()
      : session.preparations.take(`sealed ${missing.map(idOf).join()}`, () =>
          loadSealed(session, missing),
        )
  return Promise.all(
    entries.map(async (entry) => {
      const row = begun(entry) ?? stored.get(idOf(entry))
      if (row === undefined) throw setTampered(projectUid)
      const { id, wrapped } = row.dataKey
      const key: SealKey = await session.deps.keys.dataKey(projectUid, id, wrapped)
      return { ...entry, value: openSealed(key, projectUid, entry, row.sealed) }
    }),
  )
}

/** Number of the last version that a secret had: a restored one goes on. 0 where it has none. */
export const lastVersion = (session: WriteSession, secretUid: string): number => {
  const head = session.head(secretUid)
  if (head !== undefined) return head.version
  if (session.newSecrets.has(secretUid)) return 0
  const { preparations, deps } = session
  const known = session.view.objects.withTerm(term.uid(secretUid))[0]?.rv ?? 0
  return preparations.take(`last version of ${secretUid} at ${known}`, async () => {
    const [row] = await deps.sql.query<{ last: number }>(
      'SELECT coalesce(max(version), 0) AS last FROM secret_versions WHERE secret_uid = $1',
      [secretUid],
    )
    return row?.last ?? 0
  })
}
