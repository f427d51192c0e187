// What is known of a rotation, and what it does next.
import type { Restored, RotationSpec, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import type { Typed } from '../../../src/kinds/typed.ts'
import type { Effect, EventReason } from './machine.ts'
import type { Proof } from '../proof/proof.ts'
import type { RolloutStep } from '../providers/rotator.ts'

export type RotationObject = Typed<'Rotation'>

export interface RotationFacts {
  readonly nowMs: number
  readonly uid: string
  readonly createdMs: number
  /** Why it cannot start, such as an output that does not exist. */
  readonly faults: readonly string[]
  /** Nothing is known of what runs: the project does not exist. */
  readonly hasProject: boolean
  /** The project as it is now: another one may have had its name. */
  readonly project?: Restored['project']
  /** Of a credential that was delivered untested: the stagelets whose agents are away. */
  readonly away: readonly string[]
  /** Every output has a value. */
  readonly hasValues: boolean
  /** What the outputs hold is not what this Rotation has written: the names of those. */
  readonly changed: readonly string[]
  /** By output, the versions that this Rotation has not made, where they may be a login of it. */
  readonly foreign?: Readonly<Record<string, number>> | undefined
  /** Of the rotator. */
  readonly steps: readonly RolloutStep[]
  readonly proof: Proof
  /** Another rotation that must end first. */
  readonly busy: Holder | undefined
}

/** A rotation that is under way while another one should begin. */
export interface Holder {
  /** In words, and where it stands. */
  readonly message: string
  /** It waits itself, and ends only when somebody does something. */
  readonly isBlocked: boolean
}

export interface RotationEvent {
  readonly reason: EventReason
  readonly message: string
}

export interface Move {
  readonly do: 'move'
  readonly status: RotationStatus
  readonly rotationEvent?: RotationEvent
}

export interface MachineWait {
  readonly do: 'wait'
  readonly status: RotationStatus
  readonly until: number | undefined
}

export type Next = Move | MachineWait | { readonly do: 'effect'; readonly effect: Effect }

/** What guards look at. */
export interface RotationSituation {
  readonly spec: RotationSpec
  readonly status: RotationStatus
  readonly facts: RotationFacts
}
