// The media types of patches, by kind. Strategic merge patches are supported for Kubernetes' own kinds
// only, as in a cluster: kubectl and client-node send them for no other kind.
import type { Kind } from '../../../../src/resources/define-kind.ts'

export type PatchType = 'apply' | 'json' | 'merge' | 'strategic'

const common: readonly (readonly [string, PatchType])[] = [
  ['application/apply-patch+yaml', 'apply'],
  ['application/json-patch+json', 'json'],
  ['application/merge-patch+json', 'merge'],
]

export const patchTypesOf = (kind: Kind): ReadonlyMap<string, PatchType> =>
  new Map(
    kind.group === ''
      ? [...common, ['application/strategic-merge-patch+json', 'strategic']]
      : common,
  )
