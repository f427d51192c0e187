// What is stored, in memory: all objects, what projects do not show, and the heads of their sets. An
// overlay is what a write leaves behind, as long as it is not committed.
import { genesis, type ChainPoint } from '../../audit/texts.ts'
import {
  buriedTerms,
  headTerms,
  objectTerms,
  projectTerms,
  term,
  termsAtLoad,
  type BuriedRow,
  type HeadRow,
  type ProjectRow,
  type StoredRow,
} from './rows.ts'
import { SortedNames } from './sorted-names.ts'
import { OverlayTable, Table, type Lookup } from './table.ts'

export interface View {
  readonly objects: Lookup<StoredRow>
  readonly projects: Lookup<ProjectRow>
  readonly heads: Lookup<HeadRow>
  readonly buried: Lookup<BuriedRow>
  /** Whether a namespace that is gone had this name. */
  hadNamespace(name: string): boolean
}

/** What one commit changes. `former` are names of namespaces that go by it. */
export interface Delta {
  readonly objects: Iterable<readonly [id: string, row: StoredRow | undefined]>
  readonly projects: Iterable<readonly [id: string, row: ProjectRow | undefined]>
  readonly heads: Iterable<readonly [id: string, row: HeadRow | undefined]>
  readonly buried: Iterable<readonly [id: string, row: BuriedRow | undefined]>
  readonly former: Iterable<string>
}

export class State implements View {
  /** Counts restores. */
  readonly epoch: number
  /** Newest version that is applied. */
  rv: number
  /** Where the chain of audit rows ends at that version. */
  chain: ChainPoint
  readonly objects = new Table(objectTerms)
  readonly projects = new Table(projectTerms)
  readonly heads = new Table(headTerms)
  readonly buried = new Table(buriedTerms)
  readonly names = new SortedNames()
  readonly #former = new Set<string>()

  constructor({ rv, epoch, chain = genesis }: { rv: number; epoch: number; chain?: ChainPoint }) {
    this.chain = chain
    this.rv = rv
    this.epoch = epoch
  }

  hadNamespace(name: string): boolean {
    return this.#former.has(name)
  }

  /** What goes with a project. */
  withoutProject(uid: string): Delta {
    const gone = ({ id }: { id: string }): readonly [string, undefined] => [id, undefined]
    return {
      ...{ objects: [], former: [], projects: [[uid, undefined]] },
      heads: this.heads.withTerm(term.headsOf(uid)).map(gone),
      buried: this.buried.withTerm(term.headsOf(uid)).map(gone),
    }
  }

  /** Objects that are not here yet. */
  load(rows: readonly StoredRow[]): void {
    for (const row of rows) {
      this.names.add(row.id)
      this.objects.load(row, termsAtLoad(row))
    }
  }

  apply(delta: Delta, rv: number): void {
    for (const [id, row] of delta.objects) {
      if (row === undefined) this.names.drop(id)
      else if (this.objects.get(id) === undefined) this.names.add(id)
      this.objects.set(id, row)
    }
    for (const [id, row] of delta.projects) this.projects.set(id, row)
    for (const [id, row] of delta.heads) this.heads.set(id, row)
    for (const [id, row] of delta.buried) this.buried.set(id, row)
    for (const name of delta.former) this.#former.add(name)
    this.rv = rv
  }
}

export class Overlay implements View {
  readonly objects: OverlayTable<StoredRow>
  readonly projects: OverlayTable<ProjectRow>
  readonly heads: OverlayTable<HeadRow>
  readonly buried: OverlayTable<BuriedRow>
  readonly former = new Set<string>()
  readonly #base: View

  constructor(base: View) {
    this.#base = base
    this.objects = new OverlayTable(base.objects, objectTerms)
    this.projects = new OverlayTable(base.projects, projectTerms)
    this.heads = new OverlayTable(base.heads, headTerms)
    this.buried = new OverlayTable(base.buried, buriedTerms)
  }

  hadNamespace(name: string): boolean {
    return this.former.has(name) || this.#base.hadNamespace(name)
  }

  /** Takes over what was done on top of this one. */
  absorb(above: Overlay): void {
    for (const [id, row] of above.objects.changes()) this.objects.set(id, row)
    for (const [id, row] of above.projects.changes()) this.projects.set(id, row)
    for (const [id, row] of above.heads.changes()) this.heads.set(id, row)
    for (const [id, row] of above.buried.changes()) this.buried.set(id, row)
    for (const name of above.former) this.former.add(name)
  }

  get delta(): Delta {
    return {
      objects: this.objects.changes(),
      projects: this.projects.changes(),
      heads: this.heads.changes(),
      buried: this.buried.changes(),
      former: this.former,
    }
  }
}
