// Once a day, and where a service dies after a rotation: is what the outputs hold still accepted?
import { toTimestamp } from '../../../src/kernel/clock.ts'
import type { RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { RotatorFault } from '../providers/rotator.ts'
import { readOld } from './logins.ts'
import { afterEffect, type EffectOutcome } from './outcome.ts'
import { triedFrom } from './try-new.ts'
import type { EffectContext } from './work.ts'

type Asked = NonNullable<RotationStatus['accepted']>

/** Nobody could be asked: the last answer stays, with its time. */
export const notAsked = ({ accepted }: RotationStatus, nowMs: number, why: string): Asked => {
  const now = toTimestamp(nowMs)
  return { ...(accepted ?? { at: now, is: 'unknown' }), triedAt: now, why }
}

export const retest = async (work: EffectContext): Promise<EffectOutcome> => {
  const { rotator, rotation, status, nowMs, signal } = work
  const now = toTimestamp(nowMs)
  const current = await readOld(work)
  try {
    const answer = current && (await rotator.checkAccepted(current, signal))
    if (current === undefined || answer === undefined)
      throw new RotatorFault('Failed', 'the outputs hold no value')
    const set = { accepted: { at: now, is: answer } }
    const login = current.values['username'] ?? current.slot
    const whose = login === undefined ? '' : ` of ${login}`
    const was = status.accepted?.is
    if (answer === 'accepted') {
      const message = `the credential${whose} is accepted again`
      const result = was === 'refused' ? 'AcceptedAgain' : 'StillAccepted'
      return afterEffect(work, ['retest', result], { set, message })
    }
    const message = `the credential${whose} that services run is refused now (${triedFrom(rotation.spec)}), and no other one is valid: give that login what the outputs hold again, or make a new one: stagely rotation run ${rotation.metadata.name}`
    const result = was === 'refused' ? 'StillRefused' : 'NowRefused'
    return afterEffect(work, ['retest', result], { set, message })
  } catch (error) {
    if (!(error instanceof RotatorFault)) throw error
    const set = { accepted: notAsked(status, nowMs, error.message) }
    return afterEffect(work, ['retest', 'NotAsked'], { set })
  }
}
