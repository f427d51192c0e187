// Renders errors as metav1 Status, in the words that kubectl knows.
import { defined } from '../../../src/kernel/defined.ts'
import { httpStatusOf, maxFaults, StagelyError, type Fault } from '../../../src/kernel/errors.ts'
import { resourceNameOf } from '../../../src/resources/kind-names.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'

export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: { continue?: string }
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: object
  code?: number
}

const base = { kind: 'Status', apiVersion: 'v1', metadata: {} } as const

export const failureStatus = (error: StagelyError): Status => {
  const { faults, kind, group, name, uid, retryAfterSeconds } = error.details
  const details = {
    ...(name && { name }),
    ...(group && { group }),
    ...defined({ kind, uid }),
    ...(faults && faults.length > 0 && { causes: faults }),
    ...defined({ retryAfterSeconds }),
  }
  const next = error.details.continue
  return {
    ...base,
    metadata: defined({ continue: next }),
    status: 'Failure',
    message: error.message,
    reason: error.reason,
    ...(Object.keys(details).length > 0 && { details }),
    code: httpStatusOf[error.reason],
  }
}

/** The answer to a DELETE when the object is gone. */
export const deletedStatus = (kind: Kind, name: string, uid: string | undefined): Status => ({
  ...base,
  status: 'Success',
  details: {
    name,
    ...(kind.group && { group: kind.group }),
    kind: kind.plural,
    ...defined({ uid }),
  },
})

export const kubeNotFound = (kind: Kind, name: string): StagelyError =>
  new StagelyError('NotFound', `${resourceNameOf(kind)} ${JSON.stringify(name)} not found`, {
    kind: kind.plural,
    group: kind.group,
    name,
  })

export const kubeConflict = (kind: Kind, name: string): StagelyError =>
  new StagelyError(
    'Conflict',
    `Operation cannot be fulfilled on ${resourceNameOf(kind)} ${JSON.stringify(name)}: the object has been modified; please apply your changes to the latest version and try again`,
    { kind: kind.plural, group: kind.group, name },
  )

/** 422 with the faults; the message names the Kind, as kubectl expects. */
export const kubeInvalid = (
  kind: Pick<Kind, 'kind' | 'group'>,
  name: string,
  faults: readonly Fault[],
): StagelyError => {
  const qualified = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`
  const shownFaults = faults.slice(0, maxFaults)
  const list = shownFaults.map((f) => (f.field === '' ? f.message : `${f.field}: ${f.message}`))
  if (faults.length > shownFaults.length)
    list.push(`and ${faults.length - shownFaults.length} more`)
  const text = list.length === 1 ? list[0]! : `[${list.join(', ')}]`
  return new StagelyError('Invalid', `${qualified} ${JSON.stringify(name)} is invalid: ${text}`, {
    kind: kind.kind,
    group: kind.group,
    name,
    faults: shownFaults,
  })
}
