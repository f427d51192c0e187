// The place that a sealed value is bound to, and the interface that opens it.
import type { SecretPlace } from './place.ts'

/** The one secret that a sealed value was made for. */
export interface SealedPlace extends SecretPlace {
  readonly namespace: string
  /**
   * Uid of the namespace. A later namespace of the same name has another uid. undefined: the sealer
   * does not know it.
   */
  readonly namespaceUid?: string | undefined
  readonly project: string
  readonly key: string
}

/**
 * `hpke1` is bound to names only. A namespace that is deleted and created again has the same name. So
 * `hpke1` is accepted only in the first namespace of that name. `hpke2` is bound to the uid.
 */
export type SealedFormat = 'hpke1' | 'hpke2'

export const isBoundToNames = (sealedValue: string): boolean => sealedValue.startsWith('hpke1:')

/** JSON of a fixed list, so that two places never have the same bytes. */
export const placeBytes = (
  format: SealedFormat,
  { namespace, namespaceUid, project, key, scope, stagelet, environments }: SealedPlace,
): Buffer => {
  const names = [
    ...[namespace, project, key, scope, stagelet ?? null],
    // Absent for a secret of no environment, as in values that were sealed before there were any.
    ...(environments === undefined ? [] : [environments]),
  ]
  const place =
    format === 'hpke1'
      ? ['stagely sealed value v1', ...names]
      : ['stagely sealed value v2', namespaceUid ?? null, ...names]
  return Buffer.from(JSON.stringify(place))
}

export interface SealedValueOpener {
  /** undefined when the value was not sealed for this place, or for a key that is not here. */
  open(place: SealedPlace, sealedValue: string): Buffer | undefined
}
