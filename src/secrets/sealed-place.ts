// What a sealed value in a manifest is bound to, and who opens it.

/** The one secret that a sealed value was made for. By names: who seals has no ids. */
export interface SealedPlace {
  readonly namespace: string
  readonly project: string
  readonly key: string
  readonly scope: string
  readonly stagelet?: string | undefined
}

/** Canonical: JSON of a fixed list, so that no two places share one byte string. */
export const placeBytes = ({ namespace, project, key, scope, stagelet }: SealedPlace): Buffer =>
  Buffer.from(
    JSON.stringify(['stagely sealed value v1', namespace, project, key, scope, stagelet ?? null]),
  )

export interface SealedValueOpener {
  /** Undefined when it was not sealed for this place, or for a key that is not here. */
  open(place: SealedPlace, sealedValue: string): Buffer | undefined
}
