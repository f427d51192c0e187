// Values that end: events about them, and new values.
import type { StagelyError } from '../../../src/kernel/errors.ts'
import {
  findCondition,
  statusConditions,
  type NewCondition,
} from '../../../src/resources/conditions.ts'
import { endOf } from '../../../src/kinds/secret/expiry.ts'
import { refOf, type KubeObject } from '../../../src/resources/meta.ts'
import { datesOf } from '../../../src/kinds/secret/expiry-status.ts'
import type { RotationRequest } from '../../../src/kinds/rotation/schema.ts'
import type { SecretStatus } from '../../../src/kinds/secret/schema.ts'
import { specOf, statusOf } from '../../../src/kinds/typed.ts'
import type { EventInput, Transaction } from '../../../src/store/store.ts'
import { no } from '../verdict.ts'
import type { SecretObject } from './gather.ts'

/** The value has ended, and the spec asks for a new one. */
export const isToRenew = (
  { spec, status = {}, metadata }: SecretObject,
  nowMs: number,
): boolean => {
  if (spec.expiry?.onExpiry !== 'Rotate' || metadata.deletionTimestamp !== undefined) return false
  const end = endOf(datesOf(spec, status))
  return end?.expiresFrom === 'Spec' && Date.parse(end.expiresAt) <= nowMs
}

/** Requests a run of the Rotation, which makes the new value. A Rotation that was asked for this end is not asked again. */
const startRotation = async (tx: Transaction, secret: KubeObject, name: string): Promise<void> => {
  const { namespace } = refOf(secret)
  const rotation = await tx.get({ kind: 'Rotation', namespace, name })
  const status = rotation?.status ?? {}
  const isUnderWay = status.request !== undefined || (status.phase ?? 'Idle') !== 'Idle'
  const { expiresAt = '' } = statusOf('StagelySecret', secret)
  const wasTried = status.endedAt !== undefined && status.endedAt > expiresAt
  if (rotation === undefined || isUnderWay || wasTried) return
  const { key, projectRef } = specOf('StagelySecret', secret)
  // A secret may start only a Rotation of its project that has it as an output.
  const { spec } = rotation
  const isOutput = Object.values(spec.outputs).includes(secret.metadata.name)
  if (!isOutput || spec.projectRef.name !== projectRef.name) return
  const request: RotationRequest = { at: expiresAt, by: `spec.expiry of ${key}`, cause: 'Expiry' }
  await tx.setStatus({ ...rotation, status: { ...status, request } })
}

const renewedCondition = 'Renewed'

/** The new value was refused. */
export const notRenewed = (
  { metadata }: KubeObject,
  { reason, message }: StagelyError,
): NewCondition => ({
  type: renewedCondition,
  ...no(reason, `${message}; the value of before goes on being served`),
  observedGeneration: metadata.generation ?? 1,
})

/** Makes a new value, and counts it in the status: machines write no spec. */
export const renew = async (tx: Transaction, current: KubeObject): Promise<void> => {
  const { rotation } = specOf('StagelySecret', current).valueFrom ?? {}
  if (rotation !== undefined) return startRotation(tx, current, rotation.name)
  const renewals = (statusOf('StagelySecret', current).renewals ?? 0) + 1
  const renewed = await tx.renewSecret(refOf(current))
  const conditions = statusConditions(renewed).filter(({ type }) => type !== renewedCondition)
  const after = { ...renewed, status: { ...renewed.status, renewals, conditions } }
  await tx.setStatus(after)
  const { version = 0 } = statusOf('StagelySecret', after)
  const message = `version ${version}: a new value was generated at the end of the one before (spec.expiry)`
  await tx.recordEvent({ regarding: after, type: 'Normal', reason: 'Renewed', message })
}

const reasons = { Expiring: 'ExpiryNear', Expired: 'Expired', RotationDue: 'RotationDue' } as const
const mostNamed = 5

const whoRuns = ({ serviceCount = 0, services = [] }: SecretStatus): string => {
  if (serviceCount === 0) return 'no service sees it'
  const more = serviceCount > mostNamed ? ` and ${serviceCount - mostNamed} more` : ''
  return `seen by ${services.slice(0, mostNamed).join(', ')}${more}`
}

/** An event for each warning, for the end, and for a value that is too old, where its condition has changed. */
export const expiryEvents = (before: KubeObject, after: KubeObject): EventInput[] =>
  (['Expiring', 'Expired', 'RotationDue'] as const).flatMap((type): EventInput[] => {
    const was = findCondition(statusOf('StagelySecret', before).conditions, type)
    const is = findCondition(statusOf('StagelySecret', after).conditions, type)
    const isNews =
      is?.status === 'True' && (is.reason !== was?.reason || is.message !== was.message)
    if (!isNews) return []
    const { key } = specOf('StagelySecret', after)
    const message = `${key}: ${is.message}; ${whoRuns(statusOf('StagelySecret', after))}`
    return [{ regarding: after, type: 'Warning', reason: reasons[type], message }]
  })
