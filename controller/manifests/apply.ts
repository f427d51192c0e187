// Stores one scan of a folder: one transaction, one change set. Storing it again writes nothing.
import { randomUUID } from 'node:crypto'
import { faultsOf, type StagelyError } from '../../src/kernel/errors.ts'
import type { ManifestDocument } from '../../src/manifests/parse.ts'
import { keyOf, refOf, type KubeObject } from '../../src/resources/meta.ts'
import { byApplyOrder } from '../../src/kinds/index.ts'
import type { Actor, Store, Transaction } from '../../src/store/store.ts'
import { applyManifest, type AppliedManifest } from '../sources/apply-object.ts'
import type { FolderFault } from './scan.ts'
import { writeAllPossible } from '../sources/write-all-possible.ts'

interface FolderApplied {
  /** Refusals of the store, with file and line. */
  readonly faults: readonly FolderFault[]
  readonly changed: number
  readonly removed: number
}

type Item = { readonly document: ManifestDocument } | { readonly remove: KubeObject }

/** Writes `documents`, then deletes `remove` in the reverse order of kinds. */
export const applyFolder = async (
  store: Store,
  actor: Actor,
  documents: readonly ManifestDocument[],
  remove: readonly KubeObject[],
): Promise<FolderApplied> => {
  const doomed = [...remove].sort((a, b) => byApplyOrder(b, a))
  const items: Item[] = [
    ...documents.map((document) => ({ document })),
    ...doomed.map((object) => ({ remove: object })),
  ]
  const { results, refused } = await writeAllPossible<Item, AppliedManifest | undefined>(store, {
    actor,
    // Files may be arriving in the folder one by one.
    options: { changeSet: { id: randomUUID(), last: true, isSoFar: true } },
    items,
    refOf: (item) => refOf('document' in item ? item.document.object : item.remove),
    each: async (tx, item) => {
      if ('document' in item) return applyManifest(tx, item.document.object)
      await removeOne(tx, item.remove)
      return undefined
    },
  })
  const applied = [...results.values()].filter((result) => result !== undefined)
  const changed = applied.filter(
    ({ before, after }) => before?.metadata.resourceVersion !== after.metadata.resourceVersion,
  )
  return {
    faults: [...refused].flatMap(([item, error]) => placed(item, error)),
    changed: changed.length,
    removed: [...results.keys()].filter((item) => 'remove' in item).length,
  }
}

const removeOne = async (tx: Transaction, object: KubeObject): Promise<void> => {
  const ref = refOf(object)
  if ((await tx.get(ref)) === undefined) return
  const { uid } = object.metadata
  await tx.remove(ref, uid === undefined ? undefined : { uid })
}

const placed = (item: Item, error: StagelyError): FolderFault[] => {
  const object = 'document' in item ? item.document.object : item.remove
  const key = keyOf(refOf(object))
  const place = (field: string): { file: string; line: number } =>
    'document' in item
      ? { file: item.document.file, line: item.document.lineOf(field) }
      : { file: '(removed)', line: 0 }
  return faultsOf(error).map(({ field, message }) => ({ ...place(field), field, message, key }))
}
