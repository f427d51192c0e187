// The state in memory: all objects, the rows of projects, and the current versions of secrets. An overlay holds the changes
// of writes that are not committed yet.
import { genesis, type ChainPoint } from '../../audit/texts.ts'
import {
  deletedSecretTerms,
  hasSameTerms,
  headTerms,
  objectTerms,
  projectTerms,
  term,
  termsAtLoad,
  type DeletedSecretRow,
  type HeadRow,
  type ProjectRow,
  type StoredRow,
} from './rows.ts'
import { SortedNames } from './sorted-names.ts'
import { OverlayTable, IndexedTable, type Lookup } from './table.ts'

export interface View {
  readonly objects: Lookup<StoredRow>
  readonly projects: Lookup<ProjectRow>
  readonly heads: Lookup<HeadRow>
  readonly deletedSecrets: Lookup<DeletedSecretRow>
  /** True where a removed namespace had this name. */
  hadNamespace(name: string): boolean
}

/** The changes of one commit. */
export interface Delta {
  readonly objects: Iterable<readonly [id: string, row: StoredRow | undefined]>
  readonly projects: Iterable<readonly [id: string, row: ProjectRow | undefined]>
  readonly heads: Iterable<readonly [id: string, row: HeadRow | undefined]>
  readonly deletedSecrets: Iterable<readonly [id: string, row: DeletedSecretRow | undefined]>
  readonly removedNamespaces: Iterable<string>
}

/** A commit. */
export interface Tip {
  readonly id: string
  /** By the clock of the replica that made it, in ms. */
  readonly at: number
}

export class StoreState implements View {
  /** Counts restores. */
  readonly epoch: number
  /** The newest version in the state. */
  rv: number
  /** End of the chain of audit rows at that version. */
  chain: ChainPoint
  /** The newest commit in the state. Undefined after a restore, until the next one. */
  tip: Tip | undefined
  readonly objects = new IndexedTable(objectTerms, hasSameTerms)
  readonly projects = new IndexedTable(projectTerms)
  readonly heads = new IndexedTable(headTerms)
  readonly deletedSecrets = new IndexedTable(deletedSecretTerms)
  readonly names = new SortedNames()
  /**
   * Kept for ever: a value that was sealed for a name alone must not open in a later namespace of that name. A name has 63
   * characters at most: about 10 MB for 100,000 removed namespaces.
   */
  readonly #removedNamespaces = new Set<string>()

  constructor(start: { rv: number; epoch: number; chain?: ChainPoint; tip?: Tip | undefined }) {
    const { rv, epoch, chain = genesis, tip } = start
    this.chain = chain
    this.tip = tip
    this.rv = rv
    this.epoch = epoch
  }

  hadNamespace(name: string): boolean {
    return this.#removedNamespaces.has(name)
  }

  /** Removes a project with its rows. */
  withoutProject(uid: string): Partial<Delta> {
    const gone = ({ id }: { id: string }): readonly [string, undefined] => [id, undefined]
    return {
      projects: [[uid, undefined]],
      heads: this.heads.withTerm(term.headsOf(uid)).map(gone),
      deletedSecrets: this.deletedSecrets.withTerm(term.headsOf(uid)).map(gone),
    }
  }

  /** Adds objects at the start. */
  load(rows: readonly StoredRow[]): void {
    for (const row of rows) {
      this.names.add(row.id)
      this.objects.load(row, termsAtLoad(row))
    }
  }

  apply(delta: Partial<Delta>, rv: number): void {
    const {
      objects = [],
      projects = [],
      heads = [],
      deletedSecrets = [],
      removedNamespaces = [],
    } = delta
    for (const [id, row] of objects) {
      if (row === undefined) this.names.drop(id)
      else if (this.objects.get(id) === undefined) this.names.add(id)
      this.objects.set(id, row)
    }
    for (const [id, row] of projects) this.projects.set(id, row)
    for (const [id, row] of heads) this.heads.set(id, row)
    for (const [id, row] of deletedSecrets) this.deletedSecrets.set(id, row)
    for (const name of removedNamespaces) this.#removedNamespaces.add(name)
    this.rv = rv
  }
}

export class Overlay implements View {
  readonly objects: OverlayTable<StoredRow>
  readonly projects: OverlayTable<ProjectRow>
  readonly heads: OverlayTable<HeadRow>
  readonly deletedSecrets: OverlayTable<DeletedSecretRow>
  readonly removedNamespaces = new Set<string>()
  readonly #base: View

  constructor(base: View) {
    this.#base = base
    this.objects = new OverlayTable(base.objects, objectTerms)
    this.projects = new OverlayTable(base.projects, projectTerms)
    this.heads = new OverlayTable(base.heads, headTerms)
    this.deletedSecrets = new OverlayTable(base.deletedSecrets, deletedSecretTerms)
  }

  hadNamespace(name: string): boolean {
    return this.removedNamespaces.has(name) || this.#base.hadNamespace(name)
  }

  /** Applies the changes of an overlay on top of this one. */
  merge(above: Overlay): void {
    for (const [id, row] of above.objects.changes()) this.objects.set(id, row)
    for (const [id, row] of above.projects.changes()) this.projects.set(id, row)
    for (const [id, row] of above.heads.changes()) this.heads.set(id, row)
    for (const [id, row] of above.deletedSecrets.changes()) this.deletedSecrets.set(id, row)
    for (const name of above.removedNamespaces) this.removedNamespaces.add(name)
  }

  get delta(): Delta {
    return {
      objects: this.objects.changes(),
      projects: this.projects.changes(),
      heads: this.heads.changes(),
      deletedSecrets: this.deletedSecrets.changes(),
      removedNamespaces: this.removedNamespaces,
    }
  }
}
