// Writes that share a commit: each runs on top of what those before it left behind.
import type { ChainPoint } from '../audit/texts.ts'
import { changeEvent } from './change-event.ts'
import type { OwnCommit } from './feed.ts'
import { chained } from './log/audit-rows.ts'
import {
  Changes,
  payloadOf,
  projectStateKind,
  type Payload,
  type ProjectChange,
} from './log/changes.ts'
import type { WriteSession } from './session.ts'
import { objectRow } from './state/rows.ts'
import { Overlay, type State } from './state/state.ts'

export class Group {
  /** What the writes were admitted on. */
  readonly state: State
  readonly startRv: number
  readonly overlay: Overlay
  /** All that they change. */
  readonly changes = new Changes()
  rv: number
  /** How many writes count. */
  absorbed = 0
  /** Term of the leaders among the writers. */
  leader: number | undefined
  /** Where the chain of audit rows ends after them. */
  chain: ChainPoint

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
    this.changes.absorb(session.changes)
    this.rv = session.rv
    this.absorbed += 1
  }

  get isEmpty(): boolean {
    return this.rv === this.startRv && !this.isAudited && this.projects().length === 0
  }

  /** Some write has audit rows. */
  get isAudited(): boolean {
    return this.changes.audit.length > 0
  }

  /** Every project that is another than before, or whose head is. */
  projects(): ProjectChange[] {
    return projectsOf(this.overlay, this.state)
  }

  /** What the database gets. */
  payload(): Payload {
    const projects = this.projects()
    if (projects.length > 0 && this.rv === this.startRv) this.#tell(projects)
    // A place in the chain is taken at one version of the state: that one is then over.
    if (this.isAudited && this.rv === this.startRv) this.rv += 1
    const { rows, end } = chained(this.chain, this.changes.audit)
    this.chain = end
    return payloadOf(this.changes, projects, rows)
  }

  get commit(): OwnCommit {
    const { rv, chain } = this
    const events = this.changes.objects
      .filter(({ ref }) => ref.kind !== projectStateKind)
      .map(({ type, row: { rv: resourceVersion, text, object }, previous }) =>
        changeEvent({ resourceVersion, type, text, object, previous }),
      )
    return { delta: this.overlay.delta, events, rv, chain }
  }

  /** A change for followers where no object changed. */
  #tell([first]: readonly ProjectChange[]): void {
    const ref = { kind: projectStateKind, namespace: '', name: '' }
    const uid = first?.uid ?? ''
    const row = objectRow(ref, { uid, rv: ++this.rv, source: 'system', text: '{}' })
    this.changes.objects.push({ type: 'MODIFIED', ref, row, previous: undefined, at: 0 })
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
