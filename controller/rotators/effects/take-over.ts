// Takes over what the outputs hold, though this Rotation has not made it: one that was deleted and made again, or an output
// that came back. It must name a login of the Rotation, and be accepted.
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { readOld } from './logins.ts'
import { ownLoginsOf } from './own-logins.ts'
import { afterEffect, type EffectOutcome } from './outcome.ts'
import { RotatorFault } from '../providers/rotator.ts'
import type { EffectContext } from './work.ts'

const againMs = 60_000

export const takeOver = async (work: EffectContext): Promise<EffectOutcome> => {
  const { rotator, status, gathered, nowMs, signal } = work
  const { judged: _, retryAt: __, retryFor: ___, ...rest } = status
  const versions = { ...gathered.facts.foreign }
  const old = await readOld(work)
  const not = (message: string): EffectOutcome =>
    afterEffect(work, ['takeOver', 'NotTakenOver'], {
      status: rest,
      set: { judged: { versions, message } },
    })
  const { username } = old?.values ?? {}
  const slot = username === undefined ? rotator.slots[0] : old?.slot
  if (old === undefined || slot === undefined)
    return not(`it is a login that is none of ${rotator.slots.join(', ')}`)
  try {
    if ((await rotator.checkAccepted(old, signal)) !== 'accepted')
      return not(`the database does not accept it as a password of ${slot}`)
  } catch (error) {
    if (!(error instanceof RotatorFault)) throw error
    if (error.kind === 'Failed') return not(error.message)
    const retryAt = toTimestamp(nowMs + againMs)
    const set = { retryAt, retryFor: error.message }
    return afterEffect(work, ['takeOver', 'RetryLater'], { status: rest, set })
  }
  const ownSlots = [...new Set([...ownLoginsOf(work), slot])]
  const message = `what the outputs hold is accepted as a login of ${slot}: it is taken over`
  const set = { versions, slot, ownSlots }
  return afterEffect(work, ['takeOver', 'TakenOver'], { status: rest, set, message })
}
