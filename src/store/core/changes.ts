// The changes of a write, and of all writes that share a commit. commit.ts stores them.
import { append } from '../../kernel/append.ts'
import type { ObjectRef } from '../../resources/meta.ts'
import type { Layout } from '../../secrets/layout.ts'
import type { EndedIn, ProjectEntry } from '../../secrets/set-entry.ts'
import { activityId, type ActivityEntry } from './activity-entry.ts'
import type { NoticeRow } from './notice.ts'
import type { HeadRow, ProjectRow, StoredRow } from '../state/rows.ts'
import type { Actor } from './actor.ts'
import type { ChangeEvent } from './objects.ts'
import { auditText, type AuditEntry } from './audit-entry.ts'

/** One change of an object. The row has the version of the change; of a removed object, also its last text. */
export interface ObjectChange {
  readonly type: ChangeEvent['type']
  readonly ref: ObjectRef
  readonly row: StoredRow
  /** Text of the object that the change replaces or removes. */
  readonly previous: string | undefined
  /** ms */
  readonly at: number
}

/** A new version of a secret, sealed. */
export interface NewVersionRow {
  readonly projectUid: string
  readonly entry: ProjectEntry
  readonly fromRevision: number
  readonly sealed: string
  readonly dataKey: { readonly id: string; readonly wrapped: string }
  readonly at: number
  readonly by: string
}

export interface Ended {
  readonly toRevision: number
  readonly by: string
  /** Absent: the version was not for one stagelet. */
  readonly place: EndedIn | undefined
}

/** A new data key of a project. It seals all new versions from now on. */
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

/** The layout of a project, from a revision on. */
export interface LayoutRow {
  readonly projectUid: string
  readonly fromRevision: number
  readonly layout: Layout
  /** Stagelets that see the secrets of another environment by it. */
  readonly moved: readonly string[]
  readonly by: readonly string[]
}

interface DeletedSecretText {
  readonly secretUid: string
  readonly projectUid: string
  readonly namespace: string
  readonly name: string
  /** Of the object. */
  readonly text: string
  readonly at: number
  readonly by: string
}

export const versionId = (uid: string, version: number): string => `${uid}/${version}`

/** Most stagelets that a revision names. */
const mostMoved = 20

export class Changes {
  readonly objects: ObjectChange[] = []
  /** By versionId(). */
  readonly versions = new Map<string, NewVersionRow & { ended?: Ended }>()
  /** By secret, the id of its new version that is still current. */
  readonly #current = new Map<string, string>()
  /** By secret, the end of a version that is stored already. */
  readonly ended = new Map<string, Ended & { projectUid: string }>()
  /** By project and revision. */
  readonly layouts = new Map<string, LayoutRow>()
  readonly keys: NewKeyRow[] = []
  readonly revisions: RevisionRow[] = []
  readonly deletedSecrets: DeletedSecretText[] = []
  /** Names of removed namespaces. */
  readonly removedNamespaces: string[] = []
  /** Removed agents: their keys and open join tokens go with them. */
  readonly agents: { uid: string; namespace: string; name: string }[] = []
  /** JSON texts of audit rows, without their places in the chain. */
  readonly audit: string[] = []
  readonly notices: NoticeRow[] = []
  /** By activityId(). */
  readonly activity = new Map<string, ActivityEntry>()

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

  layOut(row: LayoutRow): void {
    const id = versionId(row.projectUid, row.fromRevision)
    const { moved = [], by = [] } = this.layouts.get(id) ?? {}
    this.layouts.set(id, {
      ...row,
      moved: [...new Set([...moved, ...row.moved])].sort().slice(0, mostMoved),
      by: [...new Set([...by, ...row.by])],
    })
  }

  note(actor: Actor, ms: number, ref: ObjectRef, entry: AuditEntry): void {
    this.audit.push(auditText(actor, ms, ref, entry))
  }

  /** A later entry with the same id adds its details. */
  recordActivity(entry: ActivityEntry): void {
    const id = activityId(entry)
    const { detail } = this.activity.get(id) ?? {}
    const merged = { ...entry, detail: { ...detail, ...entry.detail } } as ActivityEntry
    this.activity.set(id, merged)
  }

  /** Adds the changes of a later write. */
  append(later: Changes): void {
    append(this.objects, later.objects)
    for (const [secretUid, { projectUid, ...ended }] of later.ended)
      this.end(projectUid, secretUid, ended)
    for (const row of later.versions.values()) this.begin(row)
    for (const row of later.layouts.values()) this.layOut(row)
    append(this.keys, later.keys)
    append(this.revisions, later.revisions)
    append(this.deletedSecrets, later.deletedSecrets)
    append(this.removedNamespaces, later.removedNamespaces)
    append(this.agents, later.agents)
    append(this.audit, later.audit)
    append(this.notices, later.notices)
    for (const entry of later.activity.values()) this.recordActivity(entry)
  }
}

/** A changed project as the log has it: its row, and the changes of its head set and of its deleted secrets. */
export interface ProjectStateText extends Partial<
  Omit<ProjectRow, 'id' | 'lines' | 'headMac' | 'layout'>
> {
  /** layoutText(); absent: as before. */
  readonly layout?: string
  readonly uid: string
  readonly headMac?: string
  readonly isGone?: boolean
  readonly heads: Readonly<Record<string, ProjectEntry | null>>
  /** By uid: whether the deleted secret can be restored. */
  readonly buried: Readonly<Record<string, boolean>>
}

/** Kind of the change that is logged where a commit changes projects and no object. */
export const projectStateKind = 'ProjectState'

/** A project after the commit. `row` is undefined for a removed one. */
export interface ProjectChange {
  readonly uid: string
  readonly row: ProjectRow | undefined
  /** The commit changes the layout. */
  readonly movesStagelets: boolean
  readonly heads: readonly (readonly [secretUid: string, head: HeadRow | undefined])[]
  readonly deletedSecrets: readonly (readonly [secretUid: string, isRestorable: boolean])[]
}
