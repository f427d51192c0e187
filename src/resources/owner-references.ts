// `metadata.ownerReferences`, as in Kubernetes. They are kept for clients that read them.
import * as z from 'zod'
import { limits } from './limits.ts'

const filled = z.string().max(limits.name).min(1, 'must not be empty')

const ownerReference = z.strictObject({
  apiVersion: filled.describe('API version of the owner.'),
  kind: filled.describe('Kind of the owner.'),
  name: filled.describe('Name of the owner.'),
  uid: filled.describe('UID of the owner.'),
  controller: z.boolean().optional().describe('True: this owner manages the object.'),
  blockOwnerDeletion: z.boolean().optional().describe('Stored. Has no effect.'),
})

export type OwnerReference = z.infer<typeof ownerReference>

const hasOneController = (references: readonly OwnerReference[]): boolean =>
  references.filter(({ controller }) => controller === true).length < 2

export const ownerReferences = z
  .array(ownerReference.describe('Names an object of the same namespace.'))
  .max(limits.entries)
  .refine(hasOneController, 'only one reference can have controller set to true')
  .describe('Owners of this object. Stored; the object is not deleted with its owner.')
  .meta({
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['uid'],
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-patch-merge-key': 'uid',
  })
