// Sets of secrets: the rows of one project at one revision, checked against the set MAC.
import { StagelyError } from '../../kernel/errors.ts'
import type { FileSpec } from '../../kinds/secret/schema.ts'
import type { KeyBytes } from '../../secrets/aead.ts'
import type { ProjectKeys } from '../../secrets/project-keys.ts'
import type { LaidOut } from '../../secrets/environment-set.ts'
import {
  emptyLayout,
  isEmptyLayout,
  layoutLine,
  layoutLineId,
  parseLayout,
  type Layout,
} from '../../secrets/layout.ts'
import { SetLines } from '../../secrets/set-lines.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { setTampered } from '../core/errors.ts'
import type { Queryable } from '../drivers/sql.ts'
import type { ProjectRow } from '../state/rows.ts'
import type { SecretSet } from '../core/sets.ts'

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
  environments: string | null
  plain: true | null
  made: true | null
  drawn: true | null
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
  /** JSON: its wrapped data keys by their ids. */
  data_keys: string | null
  mac: string | null
  epoch: number
  layout: string | null
}

export const toEntry = (row: VersionRow): ProjectEntry => ({
  secretId: row.secret_uid,
  name: row.name,
  version: row.version,
  key: row.key,
  scope: row.scope,
  type: row.type,
  ...(row.stagelet !== null && { stagelet: row.stagelet }),
  ...(row.file !== null && { file: JSON.parse(row.file) as FileSpec }),
  bytes: row.bytes,
  valueDigest: row.value_digest,
  ...(row.refs !== null && { references: JSON.parse(row.refs) as string[] }),
  ...(row.environments !== null && {
    environments: JSON.parse(row.environments) as string[],
  }),
  ...(row.plain === true && { plain: true }),
  ...(row.made === true && { made: true }),
  ...(row.drawn === true && { drawn: true }),
})

/** All columns that decide who gets or reads which value: the MAC covers them. */
export const lineOf = (e: ProjectEntry): string =>
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
    // Absent in lines that are older than references.
    ...(e.references === undefined ? [] : [e.references]),
    // Absent in lines that are older than environments.
    ...(e.environments === undefined ? [] : [{ environments: e.environments }]),
    ...(e.plain === true ? ['plain'] : []),
  ])

export interface LoadedSet {
  readonly head: SetRow
  readonly layout: Layout
  readonly members: readonly { readonly entry: ProjectEntry; readonly row: SealedRow }[]
}

export const linesOf = ({ entries, layout = emptyLayout }: LaidOut): SetLines => {
  const line = layoutLine(layout)
  return SetLines.from([
    ...entries.map((entry) => [entry.secretId, lineOf(entry)] as const),
    ...(line === undefined ? [] : [[layoutLineId, line] as const]),
  ])
}

/** SQL: the newest layout of project `p` among those for which `holds` is true. */
export const newestLayout = (holds: string): string =>
  `(SELECT l.layout FROM layouts l WHERE l.project_uid = p.uid AND ${holds}
    ORDER BY l.from_revision DESC LIMIT 1)`

const entryColumns =
  'v.secret_uid, v.version, v.name, v.key, v.scope, v.stagelet, v.type, v.file, v.bytes, v.value_digest, v.refs, v.environments, v.plain, v.made, v.drawn'

/** The MAC matches, and each row has a line: two rows of one secret would share one. */
const isWhole = (
  lines: SetLines,
  { entries, layout = emptyLayout }: LaidOut,
  { digestKey, revision, mac }: { digestKey: KeyBytes; revision: number; mac: string | null },
): boolean =>
  lines.size === entries.length + (isEmptyLayout(layout) ? 0 : 1) &&
  lines.hasMac(digestKey, revision, mac)

/** Lines of the newest set. InternalError where they do not match the MAC. */
export const checkedLines = (
  { id, closed, headMac, layout }: Pick<ProjectRow, 'id' | 'closed' | 'headMac' | 'layout'>,
  digestKey: KeyBytes,
  entries: readonly ProjectEntry[],
): SetLines => {
  const set = { entries, layout }
  const lines = linesOf(set)
  if (!isWhole(lines, set, { digestKey, revision: closed + 1, mac: headMac() }))
    throw setTampered(id)
  return lines
}

/**
 * One statement is one snapshot, so that members and MAC belong together. The project's columns come in a row of their own:
 * in each row of a large set they would take a third of the time.
 */
const setSql = (columns: string, mac: string, members: string, layout: string): string => `
WITH head AS (
  SELECT p.namespace, p.revision AS closed, p.opened_at IS NOT NULL AS pending, p.head_mac, p.digest_key,
    c.epoch, ${mac} AS mac, (
      SELECT json_object_agg(k.id, k.wrapped) FROM data_keys k WHERE k.project_uid = p.uid
    ) AS data_keys, ${newestLayout(layout)} AS layout
  FROM projects p CROSS JOIN counters c WHERE p.uid = $1
), members AS (
  SELECT ${columns} FROM secret_versions v WHERE v.project_uid = $1 AND ${members}
)
SELECT * FROM head FULL JOIN members ON false`

const headSql = (columns: string): string =>
  setSql(columns, 'NULL', 'v.to_revision IS NULL', 'true')

const revisionSql = (columns: string): string =>
  setSql(
    columns,
    '(SELECT r.mac FROM revisions r WHERE r.project_uid = p.uid AND r.revision = $2)',
    'v.from_revision <= $2 AND (v.to_revision IS NULL OR v.to_revision > $2)',
    'l.from_revision <= $2',
  )

/** Columns of a SealedRow, from `secret_versions v`. */
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
  if (revision !== 'head' && revision !== 0 && first.mac === null) {
    const newestText = `newest closed revision is ${first.closed}`
    throw missing(`revision ${revision} of this project is not kept; ${newestText}`)
  }
  return first
}

/** The rows of the set, checked against its MAC. */
export const loadRows = async (
  q: Queryable,
  keys: ProjectKeys,
  projectUid: string,
  { revision, sealed }: { revision: number | 'head'; sealed: boolean },
): Promise<LoadedSet> => {
  const rows =
    revision === 'head'
      ? await q.query<SetRow>(sealed ? statements.sealedHead : statements.head, [projectUid])
      : await q.query<SetRow>(sealed ? statements.sealed : statements.revision, [
          projectUid,
          revision,
        ])
  const isHead = (row: SetRow): boolean => (row.namespace as string | null) !== null
  const head = checkRevision(rows.find(isHead), projectUid, revision)
  if (revision === 0) return { head, layout: emptyLayout, members: [] }
  const layout = head.layout === null ? emptyLayout : parseLayout(head.layout)
  const members = rows.filter((row) => !isHead(row)).map((row) => ({ entry: toEntry(row), row }))
  const digestKey = await keys.digestKey(projectUid, head.digest_key)
  const coveredRevision = revision === 'head' ? head.closed + 1 : revision
  const expected = revision === 'head' ? head.head_mac : head.mac
  const set = { entries: members.map(({ entry }) => entry), layout }
  if (!isWhole(linesOf(set), set, { digestKey, revision: coveredRevision, mac: expected }))
    throw setTampered(projectUid)
  return { head, layout, members }
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
  const { head, layout, members } = await loadRows(q, keys, projectUid, { revision, sealed: false })
  return {
    projectUid,
    layout,
    epoch: head.epoch,
    revision: revisionOf(head, revision),
    entries: members.map(({ entry }) => entry),
  }
}
