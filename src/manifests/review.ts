// The status of a ChangeSetReview: what a set of objects would change. Names, and of values only plain ones.
import type { KeyChange } from '../secrets/key-change.ts'

export interface ReviewFault {
  /** Position in spec.objects. */
  readonly index: number
  readonly field: string
  readonly message: string
}

export interface ReviewChange {
  readonly index: number
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly action: 'Create' | 'Update' | 'Unchanged'
  /** Paths of the fields that differ. */
  readonly fields: readonly string[]
  /** The secret gets a value that differs from the stored one. */
  readonly valueChanged: boolean
  /** The plain value before and after; a masked one is absent. Absent from older controllers. */
  readonly plain?: { readonly before?: string; readonly after?: string }
  /** What the value refers to and has no value yet: the value before stays until then. Absent from older controllers. */
  readonly awaits?: readonly string[]
}

/** One service that would get a new container. */
export interface AffectedService extends KeyChange {
  readonly namespace: string
  readonly stagelet: string
  readonly service: string
  readonly reason: string
}

/** What changes for one service. */
export type ServiceChange = Omit<AffectedService, 'namespace' | 'stagelet'>

/** One service that would be re-created although its own secrets do not change. */
export interface CascadedService {
  readonly namespace: string
  readonly stagelet: string
  readonly service: string
  /** The services that it is re-created with: it refers to the ids of their containers. */
  readonly with: readonly string[]
}

/** A stagelet that would be affected, and that no new revision reaches now. */
export interface HeldStagelet {
  readonly namespace: string
  readonly stagelet: string
  /** A word: Paused, AgentAway, Quarantined and others. */
  readonly why: string
  readonly message: string
  /** Absent where the time is not recorded. */
  readonly since?: string
  /** Those of its services that get a new container once nothing holds it; none where they are not known. */
  readonly services: readonly ServiceChange[]
}

/** A secret whose key was kept to fewer services before: `before` are those places. */
export interface WidenedKey {
  readonly namespace: string
  readonly project: string
  /** Name of the object. */
  readonly secret: string
  readonly key: string
  readonly scope: string
  readonly stagelet?: string
  readonly environments?: readonly string[]
  readonly before: readonly Pick<WidenedKey, 'scope' | 'stagelet' | 'environments'>[]
  /** Services that see the key now and did not before, as agents have reported them. */
  readonly services: readonly { readonly stagelet: string; readonly service: string }[]
}

export interface ReviewStatus {
  readonly faults: readonly ReviewFault[]
  readonly changes: readonly ReviewChange[]
  readonly affected: readonly AffectedService[]
  /** Absent from controllers before 0.2. */
  readonly cascaded?: readonly CascadedService[]
  /** Nobody was there who knows which services run. */
  readonly isReachUnknown?: boolean
  /** Absent from older controllers. */
  readonly held?: readonly HeldStagelet[]
  /** Absent from older controllers. */
  readonly widened?: readonly WidenedKey[]
}
