// Sets of secrets: the rows of one project at one revision, checked against the set MAC.
import type { DeliveredSet } from './audit-deliveries.ts'
import { StagelyError } from '../kernel/errors.ts'
import type { FileSpec } from '../resources/stagelysecret.ts'
import { open, valueAad, type KeyBytes, type SealKey } from '../secrets/aead.ts'
import type { ProjectKeys } from '../secrets/project-keys.ts'
import { createDependencies } from '../secrets/references.ts'
import { SetLines } from '../secrets/set-lines.ts'
import type { SetEntry } from '../secrets/visible.ts'
import { canonicalJson } from './canonical.ts'
import { setTampered } from './errors.ts'
import type { Queryable } from './sql.ts'
import type { ProjectRow } from './state/rows.ts'
import type { Delivery, OpenedEntry, SecretSet } from './store.ts'
import { resolveEntries } from './values/resolve.ts'

export interface VersionRow {
  secret_uid: string
  version: number
  name: string
  key: string
  scope: string
  stagelet: string | null
  type: 'env' | 'file'
  file: string | null
  bytes: number
  value_digest: string
  refs: string | null
}

export interface SealedRow extends VersionRow {
  sealed: string
  data_key_id: string
}

interface SetRow extends SealedRow {
  namespace: string
  closed: number
  pending: boolean
  head_mac: string
  digest_key: string
  mac: string | null
  epoch: number
}

export const toEntry = (row: VersionRow): SetEntry => ({
  secretId: row.secret_uid,
  name: row.name,
  version: row.version,
  key: row.key,
  scope: row.scope,
  type: row.type,
  ...(row.stagelet === null ? {} : { stagelet: row.stagelet }),
  ...(row.file === null ? {} : { file: JSON.parse(row.file) as FileSpec }),
  bytes: row.bytes,
  valueDigest: row.value_digest,
  ...(row.refs === null ? {} : { references: JSON.parse(row.refs) as string[] }),
})

/** All that decides who gets what, so that no column can be changed unseen. */
export const lineOf = (e: SetEntry): string =>
  JSON.stringify([
    e.secretId,
    e.version,
    e.name,
    e.key,
    e.scope,
    e.stagelet,
    e.type,
    e.file === undefined ? null : canonicalJson(e.file),
    e.bytes,
    e.valueDigest,
    // Lines of before there were references stay as they are.
    ...(e.references === undefined ? [] : [e.references]),
  ])

export const linesOf = (entries: readonly SetEntry[]): SetLines =>
  SetLines.of(entries.map((entry) => [entry.secretId, lineOf(entry)]))

const entryColumns =
  'v.secret_uid, v.version, v.name, v.key, v.scope, v.stagelet, v.type, v.file, v.bytes, v.value_digest, v.refs'

/** One line for each row: none may hide behind another of the same secret. */
const isWhole = (
  lines: SetLines,
  rows: readonly unknown[],
  { digestKey, revision, mac }: { digestKey: KeyBytes; revision: number; mac: string | null },
): boolean => lines.size === rows.length && lines.hasMac(digestKey, revision, mac)

/** Lines of the newest set. InternalError where its MAC is over something else. */
export const checkedLines = (
  { id, closed, headMac }: Pick<ProjectRow, 'id' | 'closed' | 'headMac'>,
  digestKey: KeyBytes,
  entries: readonly SetEntry[],
): SetLines => {
  const lines = linesOf(entries)
  if (!isWhole(lines, entries, { digestKey, revision: closed + 1, mac: headMac() }))
    throw setTampered(id)
  return lines
}

/**
 * One statement is one snapshot: members and MAC always belong together. The project's row comes
 * beside the members, not on each of them, which would cost a third of the time of a large set.
 */
const setSql = (columns: string, mac: string, members: string): string => `
WITH head AS (
  SELECT p.namespace, p.revision AS closed, p.opened_at IS NOT NULL AS pending, p.head_mac, p.digest_key,
    c.epoch, ${mac} AS mac
  FROM projects p CROSS JOIN counters c WHERE p.uid = $1
), members AS (
  SELECT ${columns} FROM secret_versions v WHERE v.project_uid = $1 AND ${members}
)
SELECT * FROM head FULL JOIN members ON false`

const headSql = (columns: string): string => setSql(columns, 'NULL', 'v.to_revision IS NULL')

const revisionSql = (columns: string): string =>
  setSql(
    columns,
    '(SELECT r.mac FROM revisions r WHERE r.project_uid = p.uid AND r.revision = $2)',
    'v.from_revision <= $2 AND (v.to_revision IS NULL OR v.to_revision > $2)',
  )

/** Of a SealedRow, from `secret_versions v`. */
export const sealedColumns = `${entryColumns}, v.sealed, v.data_key_id`
const statements = {
  head: headSql(entryColumns),
  revision: revisionSql(entryColumns),
  sealedHead: headSql(sealedColumns),
  sealed: revisionSql(sealedColumns),
}

const missing = (text: string): StagelyError => new StagelyError('NotFound', text)

const checkRevision = (
  first: SetRow | undefined,
  projectUid: string,
  revision: number | 'head',
): SetRow => {
  if (first === undefined) throw missing(`project ${projectUid} not found`)
  if (revision !== 'head' && revision > 0 && first.mac === null) {
    const known = `newest closed revision is ${first.closed}`
    throw missing(`revision ${revision} of this project is not kept; ${known}`)
  }
  return first
}

/** The rows of the set, after its MAC was found good. */
const loadRows = async (
  q: Queryable,
  keys: ProjectKeys,
  projectUid: string,
  { revision, sealed }: { revision: number | 'head'; sealed: boolean },
): Promise<{ head: SetRow; rows: SetRow[] }> => {
  const rows =
    revision === 'head'
      ? await q.query<SetRow>(sealed ? statements.sealedHead : statements.head, [projectUid])
      : await q.query<SetRow>(sealed ? statements.sealed : statements.revision, [
          projectUid,
          revision,
        ])
  const isHead = (row: SetRow): boolean => (row.namespace as string | null) !== null
  const head = checkRevision(rows.find(isHead), projectUid, revision)
  if (revision === 0) return { head, rows: [] }
  const found = rows.filter((row) => !isHead(row))
  const digestKey = await keys.digestKey(projectUid, head.digest_key)
  const at = revision === 'head' ? head.closed + 1 : revision
  const expected = revision === 'head' ? head.head_mac : head.mac
  const lines = linesOf(found.map(toEntry))
  if (!isWhole(lines, found, { digestKey, revision: at, mac: expected }))
    throw setTampered(projectUid)
  return { head, rows: found }
}

const revisionOf = (head: SetRow, revision: number | 'head'): number =>
  revision === 'head' ? head.closed + (head.pending ? 1 : 0) : revision

/** See Reader.readSet. */
export const readSet = async (
  q: Queryable,
  keys: ProjectKeys,
  projectUid: string,
  revision: number | 'head',
): Promise<SecretSet> => {
  const { head, rows } = await loadRows(q, keys, projectUid, { revision, sealed: false })
  return {
    projectUid,
    epoch: head.epoch,
    revision: revisionOf(head, revision),
    entries: rows.map(toEntry),
  }
}

export interface WrappedKeys {
  /** Unwrapped data key of this id. */
  dataKey(id: string): ReturnType<ProjectKeys['dataKey']>
}

/** Reads the wrapped data keys of a project once. */
export const loadDataKeys = async (
  q: Queryable,
  keys: ProjectKeys,
  projectUid: string,
): Promise<WrappedKeys> => {
  const rows = await q.query<{ id: string; wrapped: string }>(
    'SELECT id, wrapped FROM data_keys WHERE project_uid = $1',
    [projectUid],
  )
  return {
    dataKey: (id) => {
      const row = rows.find((r) => r.id === id)
      if (row === undefined) throw setTampered(projectUid)
      return keys.dataKey(projectUid, row.id, row.wrapped)
    },
  }
}

/** The value of a version. Throws for one that was sealed for another place, or under another key. */
export const openSealed = (
  dataKey: SealKey,
  projectUid: string,
  { secretId, key, scope, type, version }: SetEntry,
  sealed: string,
): Buffer => open(dataKey, sealed, valueAad({ projectUid, secretId, key, scope, type, version }))

export const openRow = async (
  dataKeys: WrappedKeys,
  projectUid: string,
  row: SealedRow,
): Promise<Buffer> => {
  const key = await dataKeys.dataKey(row.data_key_id)
  return openSealed(key, projectUid, toEntry(row), row.sealed)
}

export interface Opening {
  readonly choose: (entries: readonly SetEntry[]) => readonly SetEntry[]
  /** Whose secrets beat the project's where a value refers to another; undefined: nobody's. */
  readonly stagelet?: string | undefined
  /** Values as they are written: what refers to others stays as it is. */
  readonly asWritten?: boolean | undefined
}

/**
 * Opens those of the head set that `choose` picks. `read` are all whose values are in them. Whoever
 * calls it audits those.
 */
export const openHead = async (
  q: Queryable,
  keys: ProjectKeys,
  projectUid: string,
  { choose, stagelet, asWritten = false }: Opening,
): Promise<{ opened: OpenedEntry[]; read: SetEntry[] }> => {
  const { rows } = await loadRows(q, keys, projectUid, { revision: 'head', sealed: true })
  const entries = rows.map(toEntry).sort((a, b) => (a.name < b.name ? -1 : 1))
  const picked = new Set(choose(entries).map((entry) => entry.secretId))
  const chosen = entries.filter((entry) => picked.has(entry.secretId))
  const viewerOf = (entry: SetEntry): string | undefined => entry.stagelet ?? stagelet
  const viewers = [...new Set(chosen.map(viewerOf))]
  const needed = new Set(chosen.map((entry) => entry.secretId))
  for (const viewer of asWritten ? [] : viewers) {
    const reach = createDependencies(entries, viewer)
    for (const entry of chosen.filter((one) => viewerOf(one) === viewer))
      for (const { secretId } of reach(entry)) needed.add(secretId)
  }
  const sealed = rows.filter((row) => needed.has(row.secret_uid))
  const values = await openRows(q, keys, projectUid, sealed)
  const opened = viewers.flatMap((viewer) => {
    const all = asWritten ? values : resolveEntries(projectUid, values, viewer)
    return all.filter((one) => picked.has(one.secretId) && viewerOf(one) === viewer)
  })
  return {
    opened: opened.sort((a, b) => (a.name < b.name ? -1 : 1)),
    read: entries.filter((entry) => needed.has(entry.secretId)),
  }
}

const openRows = async (
  q: Queryable,
  keys: ProjectKeys,
  projectUid: string,
  rows: readonly SealedRow[],
): Promise<OpenedEntry[]> => {
  const dataKeys = await loadDataKeys(q, keys, projectUid)
  return Promise.all(
    rows.map(async (row) => ({ ...toEntry(row), value: await openRow(dataKeys, projectUid, row) })),
  )
}

/** See Store.openSet: of one set, for several at once. The audit rows come first: no audit, no value. */
export const openSets = async (
  q: Queryable,
  keys: ProjectKeys,
  what: {
    readonly projectUid: string
    readonly revision: number
    readonly audit: (set: DeliveredSet) => Promise<void>
  },
  deliveries: readonly Delivery[],
): Promise<OpenedEntry[][]> => {
  const { projectUid, revision, audit } = what
  const { head, rows } = await loadRows(q, keys, projectUid, { revision, sealed: true })
  const { namespace, epoch } = head
  await audit({ projectUid, namespace, epoch, revision })
  const names = deliveries.map(({ stagelet }) => stagelet)
  if (rows.length === 0) return deliveries.map(() => [])
  const viewers = new Set<string | null>([null, ...names])
  const seen = rows.filter((row) => viewers.has(row.stagelet))
  const opened = await openRows(q, keys, projectUid, seen)
  return names.map((name) => {
    const mine = opened.filter(({ stagelet }) => stagelet === undefined || stagelet === name)
    return resolveEntries(projectUid, mine, name)
  })
}
