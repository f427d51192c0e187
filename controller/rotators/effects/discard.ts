// Takes a candidate back.
import { attemptIdOf, revocationIdOf, stagedPlaceOf, type EffectContext } from './work.ts'

/** The candidate that nothing runs with is accepted nowhere any more. */
export const discard = async (work: EffectContext): Promise<void> => {
  const { rotator, rotation, staged, status, signal } = work
  // Of one login whose password is changed in place, the old password is gone until it is set again.
  if (rotation.spec.inPlace === true) {
    const old = await staged.open(stagedPlaceOf(work, 'old'))
    if (old !== undefined) await rotator.set(old, attemptIdOf(work), signal)
    return
  }
  if (rotator.slots.length > 0) return rotator.disable(status.candidateSlot, signal)
  const candidate = await staged.open(stagedPlaceOf(work, 'new'))
  if (candidate === undefined) return
  if (rotator.discard === undefined) await rotator.revoke(candidate, revocationIdOf(work), signal)
  else await rotator.discard(candidate, revocationIdOf(work), signal)
}
