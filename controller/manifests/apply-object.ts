// Stores one manifest, by the same three-way merge as the CLI's apply.
import { StagelyError } from '../../src/kernel/errors.ts'
import { applyMergePatch, applyPatch, withLastApplied } from '../../src/manifests/merge.ts'
import { annotations, refOf, type KubeObject } from '../../src/resources/meta.ts'
import { decodeObject } from '../../src/kinds/decode.ts'
import { givesValue } from '../../src/store/secrets/value-owner.ts'
import type { Transaction } from '../../src/store/store.ts'

export interface AppliedManifest {
  readonly before: KubeObject | undefined
  readonly after: KubeObject
  /** The difference to the stored object; {} for a new one. */
  readonly patch: Record<string, unknown>
}

/**
 * Creates or updates the object. An update without a difference writes nothing. Throws the store's
 * errors.
 */
export const applyManifest = async (
  tx: Transaction,
  manifest: KubeObject,
): Promise<AppliedManifest> => {
  const before = await tx.get(refOf(manifest))
  if (before === undefined) {
    return { before, after: await tx.create(decoded(withLastApplied(manifest))), patch: {} }
  }
  const fields = applyPatch(manifest, before)
  const patch = applyMergePatch(openValue(manifest, before), fields) as Record<string, unknown>
  if (Object.keys(patch).length === 0) return { before, after: before, patch }
  return { before, after: await tx.update(decoded(applyMergePatch(before, patch))), patch }
}

const decoded = (input: unknown): KubeObject => {
  const { object, faults } = decodeObject(input)
  if (object !== undefined) return object
  throw new StagelyError('Invalid', 'the object is invalid', { faults })
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
