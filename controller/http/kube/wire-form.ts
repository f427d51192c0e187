// Objects as clients see them. The last fence before an answer: no secret value passes.
import { annotations, type KubeObject } from '../../../src/resources/meta.ts'
import { apiVersionOf, type Kind } from '../../../src/resources/registry.ts'

export type Wire = Record<string, unknown>

/** core/v1 Event has its fields at the top level; the store keeps them in `spec`. */
export const toWire = (object: KubeObject): Wire => {
  const { apiVersion, kind, metadata, spec, status } = object
  if (kind === 'Event') return { apiVersion, kind, metadata, ...spec }
  const safe = kind === 'StagelySecret' ? withoutValues(object) : object
  return {
    apiVersion,
    kind,
    metadata: safe.metadata,
    ...(safe.spec === undefined ? {} : { spec: safe.spec }),
    ...(status === undefined ? {} : { status }),
  }
}

const valueFields = ['value', 'valueBase64']

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
            [annotations.lastApplied]: withoutAppliedValues(applied),
          },
        }
  if (object.spec === undefined) return { ...object, metadata }
  const spec = Object.fromEntries(
    Object.entries(object.spec).filter(([key]) => !valueFields.includes(key)),
  )
  return { ...object, metadata, spec }
}

/** Text that cannot be read as an object is dropped: nobody can tell what is in it. */
const withoutAppliedValues = (text: string): string => {
  try {
    const applied = JSON.parse(text) as { spec?: Record<string, unknown> }
    if (applied.spec === undefined || !valueFields.some((field) => field in applied.spec!))
      return text
    const spec = Object.fromEntries(
      Object.entries(applied.spec).filter(([key]) => !valueFields.includes(key)),
    )
    return `${JSON.stringify({ ...applied, spec })}\n`
  } catch {
    return '{}'
  }
}

export const toPartial = (object: Wire): Wire => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object['metadata'],
})

export const listOf = (kind: Kind, items: readonly Wire[], resourceVersion: number): Wire => ({
  kind: `${kind.kind}List`,
  apiVersion: apiVersionOf(kind),
  metadata: { resourceVersion: String(resourceVersion) },
  items,
})
