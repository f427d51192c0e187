// What a write leaves behind, as the database gets it: see migrations/0054-row-by-row.sql.
import { storableJson } from '../../kernel/storable.ts'
import type { ObjectRef } from '../../resources/meta.ts'
import type { SetEntry } from '../../secrets/visible.ts'
import { happeningId, type Happening } from '../activity/happening.ts'
import { keptRows } from '../activity/kept-rows.ts'
import type { NoticeRow } from '../notices.ts'
import type { HeadRow, ProjectRow, StoredRow } from '../state/rows.ts'
import type { Actor, ChangeEvent } from '../store.ts'
import { auditText, type AuditEntry } from './audit-rows.ts'

/** One change of an object. Its row has the version of the change; of one that goes, the last text. */
export interface ObjectChange {
  readonly type: ChangeEvent['type']
  readonly ref: ObjectRef
  readonly row: StoredRow
  /** Text of what it replaces or removes. */
  readonly previous: string | undefined
  /** ms */
  readonly at: number
}

/** A version that begins; sealed. */
export interface NewVersionRow {
  readonly projectUid: string
  readonly entry: SetEntry
  readonly fromRevision: number
  readonly sealed: string
  readonly dataKey: { readonly id: string; readonly wrapped: string }
  readonly at: number
  readonly by: string
}

interface Ended {
  readonly toRevision: number
  readonly by: string
}

/** The data key of a project, from now on. */
export interface NewKeyRow {
  readonly id: string
  readonly projectUid: string
  readonly provider: string
  readonly providerKeyId: string
  readonly wrapped: string
  readonly at: number
}

export interface RevisionRow {
  readonly projectUid: string
  readonly revision: number
  readonly closedAt: number
  readonly mac: string
  readonly note: string | undefined
}

export interface TombstoneRow {
  readonly secretUid: string
  readonly projectUid: string
  readonly namespace: string
  readonly name: string
  /** Of the object. */
  readonly text: string
  readonly at: number
  readonly by: string
}

export const versionId = (secretUid: string, version: number): string => `${secretUid}/${version}`

/** In order; of one session, and then of all that share a commit. */
export class Changes {
  readonly objects: ObjectChange[] = []
  /** By versionId(). */
  readonly versions = new Map<string, NewVersionRow & { ended?: Ended }>()
  /** Of `versions`, the one that has not ended, by secret. */
  readonly #current = new Map<string, string>()
  /** The current version of each secret that has ended, of those that began before. */
  readonly ended = new Map<string, Ended & { projectUid: string }>()
  readonly keys: NewKeyRow[] = []
  readonly revisions: RevisionRow[] = []
  readonly buried: TombstoneRow[] = []
  readonly former: string[] = []
  /** Agents that are gone, with their keys and open join tokens. */
  readonly agents: { uid: string; namespace: string; name: string }[] = []
  /** Each is the JSON text of a row, without its place. */
  readonly audit: string[] = []
  /** What Notifiers have to tell. */
  readonly notices: NoticeRow[] = []
  /** What is kept for people, by happeningId(). */
  readonly happenings = new Map<string, Happening>()

  begin(row: NewVersionRow & { ended?: Ended }): void {
    const { secretId, version } = row.entry
    const id = versionId(secretId, version)
    this.versions.set(id, row)
    if (row.ended === undefined) this.#current.set(secretId, id)
    else this.#current.delete(secretId)
  }

  /** Ends the secret's current version. */
  end(projectUid: string, secretUid: string, ended: Ended): void {
    const begun = this.versions.get(this.#current.get(secretUid) ?? '')
    if (begun === undefined) this.ended.set(secretUid, { ...ended, projectUid })
    else this.begin({ ...begun, ended })
  }

  note(actor: Actor, at: number, ref: ObjectRef, entry: AuditEntry): void {
    this.audit.push(auditText(actor, at, ref, entry))
  }

  /** Of one thing the latter tells more. */
  tell(happening: Happening): void {
    const id = happeningId(happening)
    const { detail } = this.happenings.get(id) ?? {}
    const merged = { ...happening, detail: { ...detail, ...happening.detail } } as Happening
    this.happenings.set(id, merged)
  }

  /** Takes over what came after. */
  absorb(later: Changes): void {
    this.objects.push(...later.objects)
    for (const [secretUid, { projectUid, ...ended }] of later.ended)
      this.end(projectUid, secretUid, ended)
    for (const row of later.versions.values()) this.begin(row)
    this.keys.push(...later.keys)
    this.revisions.push(...later.revisions)
    this.buried.push(...later.buried)
    this.former.push(...later.former)
    this.agents.push(...later.agents)
    this.audit.push(...later.audit)
    this.notices.push(...later.notices)
    for (const happening of later.happenings.values()) this.tell(happening)
  }
}

/** What those who follow the log need of a project, with what changed in its head. */
export interface ProjectStateText extends Partial<Omit<ProjectRow, 'id' | 'lines' | 'headMac'>> {
  readonly uid: string
  readonly headMac?: string
  readonly isGone?: boolean
  readonly heads: Readonly<Record<string, SetEntry | null>>
  /** By uid: whether the deleted secret can be restored. */
  readonly buried: Readonly<Record<string, boolean>>
}

/** Of a commit that changes no object, so that there is a change to tell of. */
export const projectStateKind = 'ProjectState'

/** A project after the commit; `row` undefined when it is gone. */
export interface ProjectChange {
  readonly uid: string
  readonly row: ProjectRow | undefined
  readonly heads: readonly (readonly [secretUid: string, head: HeadRow | undefined])[]
  readonly buried: readonly (readonly [secretUid: string, isBuried: boolean])[]
}

const stateText = ({ uid, row, heads, buried }: ProjectChange): ProjectStateText => {
  if (row === undefined) return { uid, isGone: true, heads: {}, buried: {} }
  const { id: _, lines: __, headMac, ...state } = row
  return {
    uid,
    ...state,
    headMac: headMac(),
    heads: Object.fromEntries(heads.map(([id, head]) => [id, head?.entry ?? null])),
    buried: Object.fromEntries(buried),
  }
}

/** What followers need beside the objects. */
const stateOf = (projects: readonly ProjectChange[]): string =>
  storableJson(JSON.stringify(projects.map(stateText)))

/** JSON text of a row, `raw` members as they are. */
const rowText = (members: Record<string, unknown>, raw: Record<string, string | null>): string => {
  const rest = Object.entries(raw).map(([name, text]) => `"${name}":${text ?? 'null'}`)
  return `${JSON.stringify(members).slice(0, -1)},${rest.join(',')}}`
}

const list = (rows: Iterable<string>): string => `[${[...rows].join(',')}]`

const objectText = ({ type, ref, row, at }: ObjectChange, state: string | null): string =>
  rowText(
    { rv: row.rv, type, uid: row.uid, ...ref, source: row.source, at },
    { body: row.text, state },
  )

const projectColumns = (row: ProjectRow): string =>
  JSON.stringify({
    ...{ uid: row.id, namespace: row.namespace, name: row.name, digest_key: row.digestKey },
    ...{ key_provider: row.keyProvider, revision: row.closed, opened_at: row.openedAt },
    ...{ last_write_at: row.lastWriteAt, change_sets: row.changeSets, head_mac: row.headMac() },
    quiet_at: row.quietAt,
  })

const versionColumns = (row: NewVersionRow & { ended?: Ended }): string => {
  const { entry, ended } = row
  return JSON.stringify({
    ...{ secret_uid: entry.secretId, version: entry.version, project_uid: row.projectUid },
    ...{ from_revision: row.fromRevision, to_revision: ended?.toRevision, ended_by: ended?.by },
    ...{ name: entry.name, key: entry.key, scope: entry.scope, stagelet: entry.stagelet },
    ...{ type: entry.type, file: entry.file, sealed: row.sealed, data_key_id: row.dataKey.id },
    ...{ value_digest: entry.valueDigest, bytes: entry.bytes, created_at: row.at },
    ...{ created_by: row.by, refs: entry.references },
  })
}

/** A closed revision takes its note over from the project. */
const notesOf = (
  projects: readonly ProjectRow[],
  revisions: readonly RevisionRow[],
): Record<'open_notes' | 'notes', string[]> => {
  const taken = revisions.filter(({ note }) => note !== undefined)
  const closed = new Set(taken.map(({ projectUid }) => projectUid))
  const open = projects.filter(({ id, note }) => note !== undefined || closed.has(id))
  return {
    open_notes: open.map(({ id: uid, note }) => JSON.stringify({ uid, note })),
    notes: taken.map(({ projectUid, revision, note }) =>
      JSON.stringify({ project_uid: projectUid, revision, note }),
    ),
  }
}

/** What commit_changes() stores. */
export interface Payload {
  readonly objects: string | null
  readonly more: string | null
  readonly lists: readonly string[]
}

/**
 * `projects` are those that changed; what hangs on one that is gone is left out, as it goes with it. The last
 * change of an object tells followers of them. `audit` are rows with their places.
 */
export const payloadOf = (
  changes: Changes,
  projects: readonly ProjectChange[],
  audit: readonly string[],
): Payload => {
  const gone = new Set(projects.filter(({ row }) => row === undefined).map(({ uid }) => uid))
  const stays = ({ projectUid }: { readonly projectUid: string }): boolean => !gone.has(projectUid)
  const last = changes.objects.at(-1)
  const state = projects.length > 0 ? stateOf(projects) : null
  const objects = changes.objects.map((one) => objectText(one, one === last ? state : null))
  const living = projects.flatMap(({ row }) => (row === undefined ? [] : [row]))
  const parts: Record<string, readonly string[]> = {
    gone: [...gone].map((uid) => JSON.stringify(uid)),
    projects: living.map(projectColumns),
    keys: changes.keys.filter(stays).map((key) =>
      JSON.stringify({
        ...{ id: key.id, project_uid: key.projectUid, provider: key.provider },
        ...{ provider_key_id: key.providerKeyId, wrapped: key.wrapped, created_at: key.at },
      }),
    ),
    ended: [...changes.ended].flatMap(([secretUid, ended]) =>
      stays(ended)
        ? [
            JSON.stringify({
              ...{ secret_uid: secretUid, to_revision: ended.toRevision, ended_by: ended.by },
            }),
          ]
        : [],
    ),
    versions: [...changes.versions.values()].filter(stays).map(versionColumns),
    revisions: changes.revisions.filter(stays).map((row) =>
      JSON.stringify({
        ...{ project_uid: row.projectUid, revision: row.revision },
        ...{ closed_at: row.closedAt, mac: row.mac },
      }),
    ),
    ...notesOf(living, changes.revisions.filter(stays)),
    buried: changes.buried.filter(stays).map((row) =>
      rowText(
        {
          ...{ secret_uid: row.secretUid, project_uid: row.projectUid, namespace: row.namespace },
          ...{ name: row.name, deleted_at: row.at, deleted_by: row.by },
        },
        { body: row.text },
      ),
    ),
    former: changes.former.map((name) => JSON.stringify(name)),
    agents: changes.agents.map((agent) => JSON.stringify(agent)),
    audit,
    notices: changes.notices.map((row) => JSON.stringify(row)),
    ...keptRows(changes),
  }
  const filled = Object.entries(parts).filter(([, rows]) => rows.length > 0)
  return {
    objects: objects.length === 0 ? null : list(objects),
    more:
      filled.length === 0
        ? null
        : storableJson(`{${filled.map(([name, rows]) => `"${name}":${list(rows)}`).join(',')}}`),
    lists: filled.map(([name]) => name),
  }
}
