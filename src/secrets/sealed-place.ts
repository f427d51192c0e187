// What a sealed value in a manifest is bound to, and who opens it.

/** The one secret that a sealed value was made for. */
export interface SealedPlace {
  readonly namespace: string
  /** Another namespace that has the same name later has another one. Undefined: who seals does not know it. */
  readonly namespaceUid?: string | undefined
  readonly project: string
  readonly key: string
  readonly scope: string
  readonly stagelet?: string | undefined
}

/**
 * Names alone (`hpke1`) also say a namespace that is made anew under the name: they count only in the
 * first one of that name. With its uid (`hpke2`) a place is in one namespace for ever.
 */
export type SealedFormat = 'hpke1' | 'hpke2'

export const isBoundToNames = (sealedValue: string): boolean => sealedValue.startsWith('hpke1:')

/** Canonical: JSON of a fixed list, so that no two places share one byte string. */
export const placeBytes = (
  format: SealedFormat,
  { namespace, namespaceUid, project, key, scope, stagelet }: SealedPlace,
): Buffer => {
  const names = [namespace, project, key, scope, stagelet ?? null]
  const place =
    format === 'hpke1'
      ? ['stagely sealed value v1', ...names]
      : ['stagely sealed value v2', namespaceUid ?? null, ...names]
  return Buffer.from(JSON.stringify(place))
}

export interface SealedValueOpener {
  /** Undefined when it was not sealed for this place, or for a key that is not here. */
  open(place: SealedPlace, sealedValue: string): Buffer | undefined
}
