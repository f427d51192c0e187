// `metadata.ownerReferences`, as in Kubernetes. They are kept for clients that read them.
import * as z from 'zod'

const filled = z.string().min(1, 'must not be empty')

const ownerReference = z.strictObject({
  apiVersion: filled.describe('Version of its schema.'),
  kind: filled.describe('Its kind.'),
  name: filled.describe('Its name.'),
  uid: filled.describe('Its uid: an object of the same name may be another.'),
  controller: z.boolean().optional().describe('True for the one that manages this object.'),
  blockOwnerDeletion: z.boolean().optional().describe('Kept, and without an effect.'),
})

export type OwnerReference = z.infer<typeof ownerReference>

const hasOneController = (references: readonly OwnerReference[]): boolean =>
  references.filter(({ controller }) => controller === true).length < 2

export const ownerReferences = z
  .array(ownerReference.describe('Names an object of the same namespace.'))
  .refine(hasOneController, 'only one reference can have controller set to true')
  .describe('Objects that this one belongs to. Kept; nothing is deleted with its owner.')
  .meta({
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['uid'],
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-patch-merge-key': 'uid',
  })
