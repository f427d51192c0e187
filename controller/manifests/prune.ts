// Decides which objects a folder no longer declares and may be removed. Pure.
import { keyOf, refOf, type KubeObject } from '../../src/resources/meta.ts'
import { isSuspect } from '../sources/owned.ts'
import type { Scan } from './scan.ts'

interface PruneInput {
  readonly scan: Scan
  /** All objects in the store that the folder owns. */
  readonly owned: readonly KubeObject[]
  /** Last known file of each object; empty for objects from before this process. */
  readonly knownFiles: ReadonlyMap<string, string>
  readonly pruneAll: boolean
}

interface PruneDecision {
  readonly remove: readonly KubeObject[]
  /** More than half of the objects would be removed: somebody must confirm that. */
  readonly heldBack: number
}

/**
 * An object stays when its file is broken, and also when its file is unknown while any file is broken:
 * a broken file does not show what it declares.
 */
export const decidePrune = ({ scan, owned, knownFiles, pruneAll }: PruneInput): PruneDecision => {
  const absent = owned.filter((object) => {
    if (object.metadata.deletionTimestamp !== undefined) return false
    // Deleting a namespace would delete everything in it, also objects that are not from the folder.
    if (object.kind === 'Namespace') return false
    const key = keyOf(refOf(object))
    if (scan.declared.has(key)) return false
    const file = knownFiles.get(key)
    return file === undefined ? scan.brokenFiles.size === 0 : !scan.brokenFiles.has(file)
  })
  if (isSuspect(absent, owned) && !pruneAll) return { remove: [], heldBack: absent.length }
  return { remove: absent, heldBack: 0 }
}
