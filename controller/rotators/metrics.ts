// What metrics count of rotations.
export const countedStates = ['Failed', 'Blocked', 'Overdue'] as const
export type RotationCounts = Readonly<Record<(typeof countedStates)[number], number>>

export interface RotationMetrics {
  /** Called with the time (ms) from the start of a rotation until the old credential was ended. */
  readonly onRevoked: (ms: number) => void
  /** Called with how many rotations have each condition. */
  readonly onRotations: (counts: RotationCounts) => void
}
