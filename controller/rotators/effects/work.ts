// What an effect of a rotation works with.
import type { RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import type {
  StagedPlace,
  StagedRole,
  StagedValues,
} from '../../../src/store/secrets/staged-values.ts'
import type { ObjectRef } from '../../../src/resources/meta.ts'
import type { Clock } from '../../../src/kernel/clock.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import type { Store } from '../../../src/store/store.ts'
import type { LookElsewhere } from '../../where/elsewhere.ts'
import type { Gathered } from '../gather.ts'
import type { RotationObject } from '../machine/facts.ts'
import type { Rotator } from '../providers/rotator.ts'

export interface EffectContext {
  readonly store: Pick<Store, 'revealSecret' | 'get' | 'list'>
  readonly staged: Pick<StagedValues, 'open'>
  readonly rotator: Rotator
  readonly rotation: RotationObject
  readonly status: RotationStatus
  readonly gathered: Gathered
  /** Absent where there are no agents. */
  readonly lookElsewhere?: LookElsewhere | undefined
  readonly nowMs: number
  readonly clock: Clock
  /** From 0 to below 1. */
  readonly random: () => number
  readonly log: Pick<Logger, 'error'>
  readonly signal: AbortSignal
}

export const projectOfRotation = ({ spec, metadata }: RotationObject): ObjectRef => ({
  kind: 'Project',
  namespace: metadata.namespace ?? '',
  name: spec.projectRef.name,
})

export const stagedPlaceOf = (
  { rotation, status }: EffectContext,
  role: StagedRole,
): StagedPlace => ({
  rotationUid: rotation.metadata.uid ?? '',
  attempt: status.attempt ?? 0,
  role,
})

export const attemptIdOf = ({ rotation, status }: EffectContext): string =>
  `${rotation.metadata.uid ?? ''}.${String(status.attempt ?? 0)}`

/** Of an end that is tried again, another one: a service that has answered, and not done it, must not repeat that answer. */
export const revocationIdOf = (work: EffectContext): string => {
  const { tries = 0 } = work.status
  return tries === 0 ? attemptIdOf(work) : `${attemptIdOf(work)}.${String(tries)}`
}
