// The one way in which a source stores an object. A manifest is merged as by the CLI's apply: what others
// have set stays. An object of a mirror is stored whole: what the other side does not have goes.
import { applyMergePatch, applyPatch, withLastApplied } from '../../src/manifests/merge.ts'
import { annotations, refOf, type KubeObject, type ObjectRef } from '../../src/resources/meta.ts'
import { givesValue } from '../../src/store/secrets/value-owner.ts'
import type { Transaction } from '../../src/store/store.ts'
import { systemSource } from '../../src/store/core/actor.ts'
import { ownedBy } from '../../src/store/core/errors.ts'
import { isOwnedBy } from './owned.ts'

interface Applied {
  readonly before: KubeObject | undefined
  readonly after: KubeObject
}

/** Creates or updates the object to what `next` makes of the stored one. Throws the store's errors. */
const apply = async (
  tx: Transaction,
  ref: ObjectRef,
  next: (before: KubeObject | undefined) => KubeObject,
): Promise<Applied> => {
  const before = await tx.get(ref)
  const wanted = next(before)
  if (before === undefined) return { before, after: await tx.create(wanted) }
  return { before, after: wanted === before ? before : await tx.update(wanted) }
}

export interface AppliedManifest extends Applied {
  /** The difference to the stored object; {} for a new one. */
  readonly patch: Record<string, unknown>
}

export const applyManifest = async (
  tx: Transaction,
  manifest: KubeObject,
): Promise<AppliedManifest> => {
  let patch: Record<string, unknown> = {}
  const applied = await apply(tx, refOf(manifest), (before) => {
    if (before === undefined) return withLastApplied(manifest)
    const fields = applyPatch(manifest, before)
    patch = applyMergePatch(openValue(manifest, before), fields) as Record<string, unknown>
    // What nobody owns, such as what was adopted and released, is the source's by a write alone.
    if (Object.keys(patch).length === 0 && !isOwnedBy(before, systemSource)) return before
    return applyMergePatch(before, patch) as KubeObject
  })
  return { ...applied, patch }
}

/**
 * `wanted` makes the object of what is stored now: somebody may have set a request annotation meanwhile. Conflict for an
 * object of another source, also where nothing changes: what was adopted as it is must say so on the other side.
 */
export const applyMirrored = async (
  tx: Transaction,
  source: string,
  ref: ObjectRef,
  wanted: (before: KubeObject | undefined) => KubeObject,
): Promise<Applied> => {
  await ensureTeam(tx, ref.namespace)
  return apply(tx, ref, (before) => {
    const owner = before?.metadata.annotations?.[annotations.source] ?? source
    if (owner !== source && owner !== systemSource) throw ownedBy(ref, owner)
    const object = wanted(before)
    const { labels: _, annotations: __, ...kept } = before?.metadata ?? {}
    return { ...object, metadata: { ...kept, ...object.metadata } }
  })
}

/** The namespace of a mirrored object is a team. */
export const ensureTeam = async (tx: Transaction, name: string): Promise<void> => {
  if ((await tx.get({ kind: 'Namespace', namespace: '', name })) !== undefined) return
  await tx.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
}

/**
 * When a manifest no longer contains a value, the annotation that its owner gives the value is removed.
 * That counts as a change.
 */
const openValue = (manifest: KubeObject, before: KubeObject): Record<string, unknown> => {
  const marked = before.metadata.annotations?.[annotations.valueSource] !== undefined
  if (!marked || givesValue(manifest)) return {}
  return { metadata: { annotations: { [annotations.valueSource]: null } } }
}
