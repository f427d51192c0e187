// Writes that share a commit. Each of them runs on the state as the writes before it leave it.
import type { ChainPoint } from '../../audit/texts.ts'
import { changeEvent } from '../core/change-event.ts'
import type { OwnCommit } from './feed.ts'
import { chained } from '../core/audit-entry.ts'
import { Changes, projectStateKind, type ProjectChange } from '../core/changes.ts'
import { payloadOf, type Commit } from './commit.ts'
import type { WriteSession } from '../core/write-session.ts'
import { objectRow } from '../state/rows.ts'
import { Overlay, type StoreState, type Tip } from '../state/state.ts'

export class Group {
  /** The state that the first write runs on. */
  readonly state: StoreState
  readonly startRv: number
  readonly overlay: Overlay
  /** All changes of the writes. */
  readonly changes = new Changes()
  rv: number
  /** How many writes were added. */
  size = 0
  /** Term of the leader, where a write is of a leader. */
  leader: number | undefined
  /** The commit, once it was sent. */
  tip: Tip | undefined
  /** Where the chain of audit rows ends after the writes. */
  chain: ChainPoint

  constructor(state: StoreState) {
    this.state = state
    this.startRv = state.rv
    this.rv = state.rv
    this.chain = state.chain
    this.overlay = new Overlay(state)
  }

  /** Adds a write that has succeeded. */
  add(session: WriteSession, leader: number | undefined): void {
    this.overlay.merge(session.view)
    this.changes.append(session.changes)
    this.rv = session.rv
    this.size += 1
    this.leader = leader ?? this.leader
  }

  /** The state is still the one that the writes ran on. */
  isOn(state: StoreState): boolean {
    return this.state === state && state.rv === this.startRv
  }

  get isEmpty(): boolean {
    return this.rv === this.startRv && !this.isAudited && this.projects().length === 0
  }

  /** Some write has audit rows. */
  get isAudited(): boolean {
    return this.changes.audit.length > 0
  }

  /** Projects whose row, head set or deleted secrets have changed. */
  projects(): ProjectChange[] {
    return projectsOf(this.overlay, this.state)
  }

  /** The changes as commit_changes() takes them. */
  payload(): Commit['payload'] {
    const projects = this.projects()
    if (projects.length > 0 && this.rv === this.startRv) this.#addProjectChange(projects)
    // Each commit with audit rows has a version of its own, so that two commits never take the same place in the chain.
    if (this.isAudited && this.rv === this.startRv) this.rv += 1
    const { rows, end } = chained(this.chain, this.changes.audit)
    this.chain = end
    return payloadOf(this.changes, projects, rows)
  }

  get commit(): OwnCommit {
    const { rv, chain, tip } = this
    const events = this.changes.objects
      .filter(({ ref }) => ref.kind !== projectStateKind)
      .map(({ type, row: { id, rv: resourceVersion, text, object }, previous }) =>
        changeEvent({ id, resourceVersion, type, text, object, previous }),
      )
    return { delta: this.overlay.delta, events, rv, chain, tip }
  }

  /** Followers read of projects in the last change of an object. Where no object changes, this one is added. */
  #addProjectChange([first]: readonly ProjectChange[]): void {
    const ref = { kind: projectStateKind, namespace: '', name: '' }
    const uid = first?.uid ?? ''
    const row = objectRow(ref, { uid, rv: ++this.rv, source: 'system', text: '{}' })
    this.changes.objects.push({ type: 'MODIFIED', ref, row, previous: undefined, at: 0 })
  }
}

const projectsOf = (overlay: Overlay, state: StoreState): ProjectChange[] => {
  interface Parts {
    readonly heads: ProjectChange['heads'][number][]
    readonly deletedSecrets: ProjectChange['deletedSecrets'][number][]
  }
  const parts = new Map<string, Parts>()
  const partOf = (uid: string): Parts => {
    let part = parts.get(uid)
    if (part === undefined) parts.set(uid, (part = { heads: [], deletedSecrets: [] }))
    return part
  }
  for (const [uid, row] of overlay.projects.changes())
    if (row !== undefined || state.projects.get(uid) !== undefined) partOf(uid)
  for (const [id, head] of overlay.heads.changes()) {
    const uid = (head ?? state.heads.get(id))?.projectUid
    if (uid !== undefined) partOf(uid).heads.push([id, head])
  }
  for (const [id, row] of overlay.deletedSecrets.changes()) {
    const uid = (row ?? state.deletedSecrets.get(id))?.projectUid
    if (uid !== undefined) partOf(uid).deletedSecrets.push([id, row !== undefined])
  }
  return [...parts].map(([uid, part]) => {
    const row = overlay.projects.get(uid)
    const movesStagelets = row?.layout !== state.projects.get(uid)?.layout
    return { uid, row, movesStagelets, ...part }
  })
}
