// Reads current versions of secrets for a write: their values, which the state does not hold, and their numbers.
import type { SealKey } from '../../secrets/aead.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { setTampered } from '../core/errors.ts'
import { versionId, type NewVersionRow } from '../core/changes.ts'
import { keyOf } from '../../resources/meta.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { openSealed } from './sets.ts'
import { term } from '../state/rows.ts'
import type { OpenedEntry } from '../core/sets.ts'

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
  entries: readonly ProjectEntry[],
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

/** Opens current versions. Those that are not of this commit are read outside of the write. */
export const openHeads = async (
  session: WriteSession,
  projectUid: string,
  entries: readonly ProjectEntry[],
): Promise<OpenedEntry[]> => {
  const idOf = (entry: ProjectEntry): string => versionId(entry.secretId, entry.version)
  const inCommit = (entry: ProjectEntry): Sealed | undefined =>
    session.changes.versions.get(idOf(entry)) ?? session.before.versions.get(idOf(entry))
  const missing = entries.filter((entry) => inCommit(entry) === undefined)
  const stored =
    missing.length === 0
      ? new Map<string, Sealed>()
      : session.deferred.result(`sealed ${missing.map(idOf).join()}`, () =>
          loadSealed(session, missing),
        )
  return Promise.all(
    entries.map(async (entry) => {
      const row = inCommit(entry) ?? stored.get(idOf(entry))
      if (row === undefined) throw setTampered(projectUid)
      const { id, wrapped } = row.dataKey
      const key: SealKey = await session.deps.keys.dataKey(projectUid, id, wrapped)
      return { ...entry, value: openSealed(key, projectUid, entry, row.sealed) }
    }),
  )
}

interface LastKnown {
  /** Version of the secret's object when it was read. */
  readonly rv: number
  readonly last: number
}

/** The last versions of secrets without a current value. */
const lastVersions = async (
  { deps: { sql } }: WriteSession,
  secrets: readonly Pick<StoredRow, 'uid' | 'rv'>[],
): Promise<ReadonlyMap<string, LastKnown>> => {
  const rows = await sql.query<{ id: string; last: number }>(
    `SELECT secret_uid AS id, max(version) AS last FROM secret_versions
     WHERE secret_uid = ANY ($1::uuid[]) GROUP BY secret_uid`,
    [secrets.map(({ uid }) => uid)],
  )
  const last = new Map(rows.map((row) => [row.id, row.last]))
  return new Map(secrets.map(({ uid, rv }) => [uid, { rv, last: last.get(uid) ?? 0 }]))
}

/**
 * Number of the last version of the secret, which a restored secret goes on from; 0 where it has none. All secrets of the
 * project without a current value are read together, since the write is run again after each read.
 */
export const lastVersion = (session: WriteSession, secretUid: string): number => {
  const head = session.head(secretUid)
  if (head !== undefined) return head.version
  if (session.newSecrets.has(secretUid)) return 0
  const [row] = session.view.objects.withTerm(term.uid(secretUid))
  const ask = (
    name: string,
    secrets: () => readonly Pick<StoredRow, 'uid' | 'rv'>[],
  ): LastKnown | undefined => {
    const asked = (): Promise<ReadonlyMap<string, LastKnown>> => lastVersions(session, secrets())
    return session.deferred.result(name, asked).get(secretUid)
  }
  if (row !== undefined) {
    const project = projectRefOf(row.object)
    const found = ask(`last versions of ${keyOf(project)}`, () =>
      session.view.objects
        .withTerm(term.secretsOf(project))
        .filter(({ uid }) => session.head(uid) === undefined && !session.newSecrets.has(uid)),
    )
    if (found?.rv === row.rv) return found.last
  }
  const key = { uid: secretUid, rv: row?.rv ?? 0 }
  return ask(`last version of ${secretUid} at ${key.rv}`, () => [key])?.last ?? 0
}
