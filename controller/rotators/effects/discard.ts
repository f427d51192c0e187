// Takes a candidate back.
import { attemptOf, endOf, placeOf, type Work } from './work.ts'

/** The candidate that nothing runs with is accepted nowhere any more. */
export const discard = async (work: Work): Promise<void> => {
  const { rotator, rotation, staged, status, signal } = work
  // Of one login whose password is changed in place, the old password is gone until it is set again.
  if (rotation.spec.inPlace === true) {
    const old = await staged.open(placeOf(work, 'old'))
    if (old !== undefined) await rotator.set(old, attemptOf(work), signal)
    return
  }
  if (rotator.slots.length > 0) return rotator.scramble(status.candidateSlot, signal)
  const candidate = await staged.open(placeOf(work, 'new'))
  if (candidate === undefined) return
  if (rotator.discard === undefined) await rotator.revoke(candidate, endOf(work), signal)
  else await rotator.discard(candidate, endOf(work), signal)
}
