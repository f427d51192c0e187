// Decides what a folder no longer declares and may be removed. Pure.
import { keyOf, refOf, type KubeObject } from '../../src/resources/meta.ts'
import type { Scan } from './scan.ts'

export interface PruneInput {
  readonly scan: Scan
  /** Everything that the folder owns, by the store. */
  readonly owned: readonly KubeObject[]
  /** Last known file of each object; objects of before this process are not in it. */
  readonly knownFiles: ReadonlyMap<string, string>
  readonly pruneAll: boolean
}

export interface PruneDecision {
  readonly remove: readonly KubeObject[]
  /** More than half would go: somebody must say that this is meant. */
  readonly heldBack: number
}

/**
 * An object whose file is broken, or whose file is not known while any file is broken, stays: a
 * broken file says nothing about what it declares.
 */
export const decidePrune = ({ scan, owned, knownFiles, pruneAll }: PruneInput): PruneDecision => {
  const absent = owned.filter((object) => {
    if (object.metadata.deletionTimestamp !== undefined) return false
    // A namespace takes everything in it along, also what never came from the folder.
    if (object.kind === 'Namespace') return false
    const key = keyOf(refOf(object))
    if (scan.declared.has(key)) return false
    const file = knownFiles.get(key)
    return file === undefined ? scan.brokenFiles.size === 0 : !scan.brokenFiles.has(file)
  })
  const tooMany = absent.length > 1 && absent.length > owned.length / 2
  if (tooMany && !pruneAll) return { remove: [], heldBack: absent.length }
  return { remove: absent, heldBack: 0 }
}
