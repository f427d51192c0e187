// One way to ask for an action of an object: an annotation, which whichever replica leads sees.
import { realClock, toFineTimestamp } from '../../src/kernel/clock.ts'
import type { KubeObject, requestAnnotations } from '../../src/resources/meta.ts'
import type { KindNames } from '../../src/resources/kind-names.ts'
import type { KubeApi } from '../connect/api.ts'
import { mergePatchObject } from '../objects/objects.ts'

export interface RequestedAction {
  /** The object as it is with the request. */
  readonly object: KubeObject
  /** The text of the annotation. A status that repeats this text says that the action is done. */
  readonly request: string
}

/** `details`: what the action is for, such as keys of a store. */
export const requestAction = async (
  api: KubeApi,
  target: { readonly kind: KindNames; readonly name: string },
  annotation: (typeof requestAnnotations)[number],
  details: readonly string[] = [],
): Promise<RequestedAction> => {
  const request = [toFineTimestamp(realClock.now()), ...details].join('\n')
  const patch = { metadata: { annotations: { [annotation]: request } } }
  return { object: await mergePatchObject(api, target, patch), request }
}
