// What a Rotation leaves behind when it is deleted: that ends no credential. Pure.
import type { RotationSpec, RotationStatus } from './schema.ts'

/** Which credentials stay valid, in words. */
export const leftByRotation = (
  name: string,
  { rotator: { postgres, mariadb } }: Pick<RotationSpec, 'rotator'>,
  { phase = 'Idle', slot, candidateSlot, hasOld, ownSlots = [] }: RotationStatus,
): string => {
  const head = `rotation ${name}: no credential is ended, and nothing renews what the outputs hold`
  if (phase === 'Idle') return slot === undefined ? head : `${head} (${slot})`
  const old = hasOld === true ? (slot ?? 'the old credential') : undefined
  const both = [old, candidateSlot ?? 'the new credential'].filter((one) => one !== undefined)
  const turns = (postgres?.roles ?? mariadb?.users ?? ownSlots).length > 1
  const rest = turns
    ? 'A rotation of the same outputs goes on with these logins'
    : 'End by hand the one that is not in use'
  return `${head}. An attempt is under way (${phase}): ${both.join(' and ')} stay valid. ${rest}`
}
