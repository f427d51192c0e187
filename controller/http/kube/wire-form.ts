// Objects in the form for clients. The last safeguard before an answer: no secret value passes.
import { defined } from '../../../src/kernel/defined.ts'
import { withoutValue } from '../../../src/kinds/secret/last-applied.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { valueFields } from '../../../src/kinds/secret/value.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import type { StoredObject } from '../../../src/store/store.ts'

export type Wire = Record<string, unknown>

/**
 * Moves the fields to their place for clients: a core/v1 Event has its fields at the top level, and the
 * store has them in `spec`. Keeps values: for an answer use toWire().
 */
export const lifted = ({ apiVersion, kind, metadata, spec, status }: KubeObject): Wire =>
  kind === 'Event'
    ? { apiVersion, kind, metadata, ...spec }
    : { apiVersion, kind, metadata, ...defined({ spec, status }) }

/** The object in the form for clients. The store never returns a value; one of a dry run or of a patch is taken out here. */
export const toWire = (object: KubeObject): Wire =>
  lifted(object.kind === 'StagelySecret' ? withoutValue(object) : object)

const mayHoldValue = new RegExp(String.raw`"(?:${valueFields.join('|')})\\*"\s*:`)

/** Stored objects whose text holds no value, as was found before. */
const harmless = new WeakSet<StoredObject>()

const isHarmless = (stored: StoredObject): boolean => {
  if (harmless.has(stored)) return true
  if (mayHoldValue.test(stored.text)) return false
  harmless.add(stored)
  return true
}

/** JSON of an object for clients: the stored text unchanged, whenever possible. */
export const wireText = (kind: Kind, stored: StoredObject): string =>
  kind.kind === 'Event' || (kind.kind === 'StagelySecret' && !isHarmless(stored))
    ? JSON.stringify(toWire(stored.object))
    : stored.text

export const toPartial = (object: Wire): Wire => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object['metadata'],
})

/** The `metadata` of a list or table. */
export interface ListMeta {
  readonly resourceVersion: string
  readonly continue?: string
  readonly remainingItemCount?: number
}

/**
 * JSON of a list from the JSON texts of its items, as bytes: a text of the whole list would be made, measured and encoded,
 * three times over megabytes.
 */
export const listBytes = (
  head: object,
  name: 'items' | 'rows',
  items: readonly string[],
): Uint8Array<ArrayBuffer> => {
  const start = `${JSON.stringify(head).slice(0, -1)},"${name}":[`
  const commas = Math.max(0, items.length - 1)
  const size = items.reduce((sum, item) => sum + Buffer.byteLength(item), commas + 2)
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(start) + size)
  let at = bytes.write(start)
  for (const [i, item] of items.entries()) {
    if (i > 0) at += bytes.write(',', at)
    at += bytes.write(item, at)
  }
  bytes.write(']}', at)
  return bytes
}
