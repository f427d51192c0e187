// The answer to a ChangeSetReview: what a set of objects would change. Names only, never values.

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
  /** A secret gets another value than the stored one. */
  readonly valueChanged: boolean
}

/** One service that would get a new container. */
export interface AffectedService {
  readonly namespace: string
  readonly stagelet: string
  readonly service: string
  /** Keys whose secret is new, gone, or has another value for this service. */
  readonly keys: readonly string[]
  readonly reason: string
}

/** One service that would be re-created although it does not see the change. */
export interface CascadedService {
  readonly namespace: string
  readonly stagelet: string
  readonly service: string
  /** The services with which it is re-created, since it holds the id of their containers. */
  readonly with: readonly string[]
}

export interface ReviewStatus {
  readonly faults: readonly ReviewFault[]
  readonly changes: readonly ReviewChange[]
  readonly affected: readonly AffectedService[]
  /** Absent from controllers before 0.2. */
  readonly cascaded?: readonly CascadedService[]
}
