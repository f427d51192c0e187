// The status of a ChangeSetReview: what a set of objects would change. Names only, never values.

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
  /** What the value refers to and has no value yet: the value before stays until then. Absent from older controllers. */
  readonly awaits?: readonly string[]
}

/** One service that would get a new container. */
export interface AffectedService {
  readonly namespace: string
  readonly stagelet: string
  readonly service: string
  /** Keys whose secret is new, removed, or has another value for this service. */
  readonly keys: readonly string[]
  /** Those of the keys that it does not have now, and those that it has no more. Absent: none, or an older controller. */
  readonly gains?: readonly string[]
  readonly loses?: readonly string[]
  readonly reason: string
}

/** What changes for one service. */
export type ServiceChange = Pick<AffectedService, 'service' | 'keys' | 'gains' | 'loses' | 'reason'>

/** `gains A, loses B, other value of C`; the plain keys where none comes or goes. */
export const keysText = ({
  keys,
  gains = [],
  loses = [],
}: Omit<ServiceChange, 'service'>): string => {
  if (gains.length + loses.length === 0) return keys.join(', ')
  const others = keys.filter((key) => !gains.includes(key) && !loses.includes(key))
  const parts = [
    ['gains', gains],
    ['loses', loses],
    ['other value of', others],
  ] as const
  return parts
    .filter(([, some]) => some.length > 0)
    .map(([word, some]) => `${word} ${some.join(', ')}`)
    .join(', ')
}

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
