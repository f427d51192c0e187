// What was away for a rotation, and is back: a try that waits for its time is made at once. Pure.
import { statusConditions, isTrue } from '../../src/resources/conditions.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { RotationStatus } from '../../src/kinds/rotation/schema.ts'
import type { ChangeEvent } from '../../src/store/store.ts'
import type { RotationObject } from './machine/facts.ts'

type Change = Pick<ChangeEvent, 'type' | 'object' | 'previous'>

const isReady = ({ status }: KubeObject): boolean => isTrue(statusConditions({ status }), 'Ready')

/** An agent or a stack that is ready again, and a secret that has a value now. */
export const isReturn = ({ type, object, previous }: Change): boolean => {
  if (type === 'DELETED') return false
  if (object.kind === 'Agent' || object.kind === 'Stagelet')
    return isReady(object) && (previous === undefined ? type === 'ADDED' : !isReady(previous))
  return object.kind === 'StagelySecret' && hasValue(object) && !hasValue(previous)
}

const hasValue = (secret: KubeObject | undefined): boolean =>
  secret?.status?.['version'] !== undefined

/** An effect has failed, and is made again at its time. */
export const isTriedAgain = ({ tries, retryAt }: RotationStatus): boolean =>
  tries !== undefined && retryAt !== undefined

export const triedNow = ({ retryAt: _, ...status }: RotationStatus): RotationStatus => status

/** Objects of other namespaces bring no database of this one back. */
export const isNear = ({ object }: Change, { metadata }: RotationObject): boolean =>
  object.metadata.namespace === metadata.namespace
