// The controller as the owner of what it reports: its writes of status are in `managedFields` as any
// other client's would be.
import type { KubeObject } from '../resources/meta.ts'
import { apiVersionOf, requireKind } from '../resources/registry.ts'
import { parseManagers, renderManagers } from './managers.ts'
import { shapeOfKind } from './shape.ts'
import { managersAfterUpdate } from './update.ts'

/** Name of the controller in `managedFields`, here and in a cluster that it follows. */
export const controllerManager = 'stagely-controller'

const statusOf = (object: KubeObject | undefined): object =>
  object?.status === undefined ? {} : { status: object.status }

/** The object with the controller as owner of the fields of `status` that differ from `before`. */
export const withStatusOwner = (
  object: KubeObject,
  before: KubeObject | undefined,
  now: string,
): KubeObject => {
  const kind = requireKind(object.kind)
  if (kind.status === undefined) return object
  const { managedFields: known, ...metadata } = object.metadata
  const managers = managersAfterUpdate({
    shape: shapeOfKind(kind),
    managers: parseManagers(known) ?? [],
    who: { manager: controllerManager, apiVersion: apiVersionOf(kind), subresource: 'status' },
    before: statusOf(before),
    after: statusOf(object),
    now,
  })
  const managedFields = renderManagers(managers)
  return {
    ...object,
    metadata: managedFields.length === 0 ? metadata : { ...metadata, managedFields },
  }
}
