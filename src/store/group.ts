// Writes that share a commit: each runs on top of what those before it left behind.
import type { ChainPoint } from '../audit/chain.ts'
import { changeEvent } from './change-event.ts'
import type { OwnCommit } from './feed.ts'
import { chained } from './log/audit-rows.ts'
import {
  Changes,
  payloadOf,
  projectStateKind,
  stateOf,
  type Payload,
  type ProjectChange,
} from './log/changes.ts'
import type { WriteSession } from './session.ts'
import { objectRow } from './state/rows.ts'
import { Overlay, type State } from './state/state.ts'
import type { ChangeEvent } from './store.ts'

export class Group {
  /** What the writes were admitted on. */
  readonly state: State
  readonly startRv: number
  readonly overlay: Overlay
  /** All of them. */
  readonly changes = new Changes()
  /** What is not stored yet. */
  readonly #pending = new Changes()
  rv: number
  /** Term of the leaders among the writers. */
  leader: number | undefined
  /** Where the chain of audit rows ends after them. */
  chain: ChainPoint
  readonly #events: ChangeEvent[] = []

  constructor(state: State) {
    this.state = state
    this.startRv = state.rv
    this.rv = state.rv
    this.chain = state.chain
    this.overlay = new Overlay(state)
  }

  /** The write is done, and counts. */
  absorb(session: WriteSession): void {
    this.overlay.absorb(session.view)
    this.#take(session.changes)
    this.rv = session.rv
  }

  #take(changes: Changes): void {
    for (const { type, row, previous } of changes.objects) {
      const change = { resourceVersion: row.rv, type, text: row.text }
      this.#events.push(changeEvent({ ...change, previous }))
    }
    this.changes.absorb(changes)
    this.#pending.absorb(changes)
  }

  get isEmpty(): boolean {
    return this.rv === this.startRv && !this.isAudited && this.projects().length === 0
  }

  /** Some write has audit rows. */
  get isAudited(): boolean {
    return this.#pending.audit.length > 0 || this.chain !== this.state.chain
  }

  /** Every project that is another than before, or whose head is. */
  projects(): ProjectChange[] {
    return projectsOf(this.overlay, this.state)
  }

  /** All that is not stored yet. */
  payload(): Payload {
    const projects = this.projects()
    if (projects.length > 0 && this.rv === this.startRv) this.#tell(projects)
    // A place in the chain is taken at one version of the state: that one is then over.
    if (this.isAudited && this.rv === this.startRv) this.rv += 1
    return payloadOf(this.#pending, projects, { tells: true, audit: this.#link() })
  }

  /** What followers need of the projects, where the changes of objects were stored ahead. */
  lateState(): string | undefined {
    const projects = this.projects()
    const isLate = projects.length > 0 && this.#pending.objects.length === 0
    return isLate ? stateOf(projects) : undefined
  }

  /** What a write has done since it was asked last, to be stored ahead of its end. */
  partOf({ view, changes }: WriteSession): Payload {
    this.#take(changes)
    changes.clear()
    const what = { tells: false, audit: this.#link() }
    const payload = payloadOf(this.#pending, projectsOf(view, this.state), what)
    this.#pending.clear()
    return payload
  }

  get commit(): OwnCommit {
    const { rv, chain } = this
    return { delta: this.overlay.delta, events: this.#events, rv, chain }
  }

  /** Gives the rows that are not stored yet their places. */
  #link(): string[] {
    const { rows, end } = chained(this.chain, this.#pending.audit)
    this.chain = end
    return rows
  }

  /** A change for followers where no object changed. */
  #tell([first]: readonly ProjectChange[]): void {
    const ref = { kind: projectStateKind, namespace: '', name: '' }
    const uid = first?.uid ?? ''
    const row = objectRow(ref, { uid, rv: ++this.rv, source: 'system', text: '{}' })
    this.#pending.objects.push({ type: 'MODIFIED', ref, row, previous: undefined, at: 0 })
  }
}

const projectsOf = (overlay: Overlay, state: State): ProjectChange[] => {
  type Parts = Pick<ProjectChange, 'heads' | 'buried'>
  const parts = new Map<string, { [K in keyof Parts]: Parts[K][number][] }>()
  const partOf = (uid: string): { [K in keyof Parts]: Parts[K][number][] } => {
    let part = parts.get(uid)
    if (part === undefined) parts.set(uid, (part = { heads: [], buried: [] }))
    return part
  }
  for (const [uid, row] of overlay.projects.changes())
    if (row !== undefined || state.projects.get(uid) !== undefined) partOf(uid)
  for (const [id, head] of overlay.heads.changes()) {
    const uid = (head ?? state.heads.get(id))?.projectUid
    if (uid !== undefined) partOf(uid).heads.push([id, head])
  }
  for (const [id, row] of overlay.buried.changes()) {
    const uid = (row ?? state.buried.get(id))?.projectUid
    if (uid !== undefined) partOf(uid).buried.push([id, row !== undefined])
  }
  return [...parts].map(([uid, part]) => ({ uid, row: overlay.projects.get(uid), ...part }))
}
