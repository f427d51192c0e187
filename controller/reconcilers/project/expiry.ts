// What follows when a value comes near its end, or to it.
import { findCondition } from '../../../src/resources/conditions.ts'
import { endOf } from '../../../src/resources/expiry.ts'
import { refOf, type KubeObject } from '../../../src/resources/meta.ts'
import { datesOf } from '../../../src/resources/secret-expiry.ts'
import type {
  RotationRequest,
  RotationSpec,
  RotationStatus,
} from '../../../src/resources/rotation.ts'
import type { SecretSpec, SecretStatus } from '../../../src/resources/stagelysecret.ts'
import type { EventInput, Transaction } from '../../../src/store/store.ts'
import type { SecretObject } from './gather.ts'

const statusOf = ({ status }: KubeObject): SecretStatus => status ?? {}

/** The value has ended, and the spec says that a new one is made. */
export const isToRenew = (
  { spec, status = {}, metadata }: SecretObject,
  nowMs: number,
): boolean => {
  if (spec.expiry?.onExpiry !== 'Rotate' || metadata.deletionTimestamp !== undefined) return false
  const end = endOf(datesOf(spec, status))
  return end?.expiresFrom === 'Spec' && Date.parse(end.expiresAt) <= nowMs
}

/** The Rotation makes the new value, and says how it goes. One that was asked already is not asked again. */
const startRotation = async (tx: Transaction, secret: KubeObject, name: string): Promise<void> => {
  const { namespace } = refOf(secret)
  const rotation = await tx.get({ kind: 'Rotation', namespace, name })
  const status: RotationStatus = rotation?.status ?? {}
  const isUnderWay = status.request !== undefined || (status.phase ?? 'Idle') !== 'Idle'
  const { expiresAt = '' } = statusOf(secret)
  const wasTried = status.endedAt !== undefined && status.endedAt > expiresAt
  if (rotation === undefined || isUnderWay || wasTried) return
  const { key, projectRef } = secret.spec as SecretSpec
  // A secret that only says so starts no credential of another project, and none that it does not hold.
  const spec = rotation.spec as RotationSpec
  const isOutput = Object.values(spec.outputs).includes(secret.metadata.name)
  if (!isOutput || spec.projectRef.name !== projectRef.name) return
  const request: RotationRequest = { at: expiresAt, by: `spec.expiry of ${key}`, cause: 'Expiry' }
  await tx.setStatus({ ...rotation, status: { ...status, request } })
}

/** A counter in status tells of it: machines write no spec. */
export const renew = async (tx: Transaction, current: KubeObject): Promise<void> => {
  const { rotation } = (current.spec as SecretSpec).valueFrom ?? {}
  if (rotation !== undefined) return startRotation(tx, current, rotation.name)
  const renewals = (statusOf(current).renewals ?? 0) + 1
  const renewed = await tx.renewSecret(refOf(current))
  const after = { ...renewed, status: { ...renewed.status, renewals } }
  await tx.setStatus(after)
  const { version = 0 } = statusOf(after)
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

/** One for each warning, one at the end, and one for an age that is too old: a condition that says the same as before is no news. */
export const expiryEvents = (before: KubeObject, after: KubeObject): EventInput[] =>
  (['Expiring', 'Expired', 'RotationDue'] as const).flatMap((type): EventInput[] => {
    const was = findCondition(statusOf(before).conditions, type)
    const is = findCondition(statusOf(after).conditions, type)
    const isNews =
      is?.status === 'True' && (is.reason !== was?.reason || is.message !== was.message)
    if (!isNews) return []
    const { key } = after.spec as SecretSpec
    const message = `${key}: ${is.message}; ${whoRuns(statusOf(after))}`
    return [{ regarding: after, type: 'Warning', reason: reasons[type], message }]
  })
