// Objects as clients see them. The last fence before an answer: no secret value passes.
import { cleanLastApplied } from '../../../src/resources/last-applied.ts'
import { annotations, type KubeObject } from '../../../src/resources/meta.ts'
import { valueFields } from '../../../src/resources/secret-value.ts'
import type { Kind } from '../../../src/resources/registry.ts'
import type { StoredObject } from '../../../src/store/store.ts'

export type Wire = Record<string, unknown>

/**
 * The fields where clients have them: core/v1 Event has its own at the top level, and the store keeps
 * them in `spec`. With values as they are: for an answer take toWire.
 */
export const lifted = ({ apiVersion, kind, metadata, spec, status }: KubeObject): Wire =>
  kind === 'Event'
    ? { apiVersion, kind, metadata, ...spec }
    : {
        apiVersion,
        kind,
        metadata,
        ...(spec === undefined ? {} : { spec }),
        ...(status === undefined ? {} : { status }),
      }

/** As clients see it. */
export const toWire = (object: KubeObject): Wire =>
  lifted(object.kind === 'StagelySecret' ? withoutValues(object) : object)

const hidden = new Set<string>(valueFields)

/** A store never gives a value out; should one come all the same (a dry run, a patch), it stops here. */
const withoutValues = (object: KubeObject): KubeObject => {
  const applied = object.metadata.annotations?.[annotations.lastApplied]
  const metadata =
    applied === undefined
      ? object.metadata
      : {
          ...object.metadata,
          annotations: {
            ...object.metadata.annotations,
            [annotations.lastApplied]: cleanLastApplied(applied) ?? '{}',
          },
        }
  if (object.spec === undefined) return { ...object, metadata }
  const spec = Object.fromEntries(Object.entries(object.spec).filter(([key]) => !hidden.has(key)))
  return { ...object, metadata, spec }
}

const mayHoldValue = new RegExp(String.raw`"(?:${valueFields.join('|')})\\*"\s*:`)

/** JSON of an object as clients see it: the stored text as it is, wherever that may be. */
export const wireText = (kind: Kind, stored: StoredObject): string =>
  kind.kind === 'Event' || (kind.kind === 'StagelySecret' && mayHoldValue.test(stored.text))
    ? JSON.stringify(toWire(stored.object))
    : stored.text

export const toPartial = (object: Wire): Wire => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object['metadata'],
})

/** What the `metadata` of a list or table says. */
export interface ListMeta {
  readonly resourceVersion: string
  readonly continue?: string
  readonly remainingItemCount?: number
}

/** JSON of a list whose items are JSON already. */
export const listText = (
  head: { readonly kind: string; readonly apiVersion: string; readonly metadata: ListMeta },
  items: readonly string[],
): string => `${JSON.stringify(head).slice(0, -1)},"items":[${items.join(',')}]}`
