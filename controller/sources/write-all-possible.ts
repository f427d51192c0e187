// Writes many objects in one transaction, leaving out those that are refused.
import { isReason, StagelyError } from '../../src/kernel/errors.ts'
import type { ObjectRef } from '../../src/resources/meta.ts'
import { requireKind } from '../../src/kinds/index.ts'
import type { Actor, Store, Transaction, WriteOptions } from '../../src/store/store.ts'

interface ManifestOutcome<Item, Result> {
  readonly results: ReadonlyMap<Item, Result>
  readonly refused: ReadonlyMap<Item, StagelyError>
}

interface ManifestWork<Item, Result> {
  readonly actor: Actor
  readonly options: WriteOptions
  readonly items: readonly Item[]
  readonly each: (tx: Transaction, item: Item) => Promise<Result>
  readonly before?: (tx: Transaction) => Promise<void>
  /**
   * The object that an item writes. A fault of that object at the end of the transaction belongs to the
   * item.
   */
  readonly refOf: (item: Item) => ObjectRef
  /** Runs at the end of the transaction, with the results. */
  readonly after?: (tx: Transaction, results: ReadonlyMap<Item, Result>) => Promise<void>
}

class Refusal extends Error {
  readonly item: unknown
  readonly error: StagelyError

  constructor(item: unknown, error: StagelyError) {
    super('refused')
    this.item = item
    this.error = error
  }
}

/**
 * Runs `each` for every item in order, in one transaction. After a refusal the whole transaction is
 * repeated without the refused item: Postgres accepts no more statements after a failed one. Errors
 * that are not about the item (InternalError, ServiceUnavailable) are thrown.
 */
export const writeAllPossible = async <Item, Result>(
  store: Store,
  work: ManifestWork<Item, Result>,
): Promise<ManifestOutcome<Item, Result>> => {
  const refused = new Map<Item, StagelyError>()
  for (;;) {
    const results = new Map<Item, Result>()
    try {
      await store.write(work.actor, work.options, async (tx) => {
        results.clear()
        await work.before?.(tx)
        for (const item of work.items) {
          if (refused.has(item)) continue
          results.set(item, await eachOrRefuse(tx, item, work.each))
        }
        await work.after?.(tx, results)
      })
      return { results, refused }
    } catch (error) {
      const { item, error: why } =
        error instanceof Refusal ? error : refusalAtEnd(error, work, refused)
      refused.set(item as Item, why)
    }
  }
}

const mayBeOfItem = (error: unknown): error is StagelyError =>
  (
    [
      ...(['Invalid', 'Conflict', 'Forbidden'] as const),
      ...(['PolicyOverdue', 'KeyRotationOverdue', 'SameAsProduction'] as const),
    ] as const
  ).some((reason) => isReason(error, reason))

/** Finds the item of a refusal at the end of the transaction, such as a broken reference. */
const refusalAtEnd = <Item, Result>(
  error: unknown,
  { items, refOf }: ManifestWork<Item, Result>,
  refused: ReadonlyMap<Item, StagelyError>,
): Refusal => {
  if (!mayBeOfItem(error)) throw error
  const { kind, name, namespace } = error.details
  const item = items.find((candidate) => {
    const ref = refOf(candidate)
    return (
      !refused.has(candidate) &&
      ref.name === name &&
      ref.namespace === namespace &&
      // A Conflict names the plural, and an invalid object its kind, as in Kubernetes.
      (ref.kind === kind || requireKind(ref.kind).plural === kind)
    )
  })
  if (item === undefined) throw error
  return new Refusal(item, error)
}

const eachOrRefuse = async <Item, Result>(
  tx: Transaction,
  item: Item,
  each: ManifestWork<Item, Result>['each'],
): Promise<Result> => {
  try {
    return await each(tx, item)
  } catch (error) {
    const aboutItem =
      error instanceof StagelyError &&
      error.reason !== 'InternalError' &&
      error.reason !== 'ServiceUnavailable'
    throw aboutItem ? new Refusal(item, error) : error
  }
}
