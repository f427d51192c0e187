// Flushes the sessions that have something to send, many at a time, so that they share reads. After every 20 of them the event
// loop goes on, so that a change for thousands of agents does not block the controller.
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { background } from '../../../../src/kernel/async/background.ts'

const workers = 256
const flushesBeforeYield = 20

/** Returns schedule(). A session that is scheduled several times is flushed once. `onFault` gets errors. */
export const createFanOut = <S>(
  flush: (session: S) => Promise<void>,
  onFault: (session: S, error: unknown) => void,
): ((session: S) => void) => {
  const waiting = new Set<S>()
  let active = 0
  let flushes = 0
  const work = async (): Promise<void> => {
    for (const session of waiting) {
      waiting.delete(session)
      try {
        await flush(session)
      } catch (error) {
        onFault(session, error)
      }
      if (++flushes % flushesBeforeYield === 0) await yieldToOthers()
    }
    active -= 1
  }
  return (session) => {
    waiting.add(session)
    if (active >= workers) return
    active += 1
    background(work, () => {
      active -= 1
    })
  }
}

const tickMs = 100

/** Calls `onTick` for each member once in `periodMs`, spread evenly, with one timer for all; none while there are no members. */
export const createWheel = <S>(
  periodMs: number,
  onTick: (member: S) => void,
): { add(member: S): void; remove(member: S): void; stop(): void } => {
  const slots = Array.from(
    { length: Math.max(1, Math.round(periodMs / tickMs)) },
    () => new Set<S>(),
  )
  const slotOf = new Map<S, number>()
  let hand = 0
  let next = 0
  let timer: NodeJS.Timeout | undefined
  const tick = (): void => {
    hand = (hand + 1) % slots.length
    for (const member of slots[hand]!) onTick(member)
  }
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }
  return {
    add: (member) => {
      next = (next + 1) % slots.length
      slots[next]!.add(member)
      slotOf.set(member, next)
      timer ??= setInterval(tick, tickMs).unref()
    },
    remove: (member) => {
      slots[slotOf.get(member) ?? 0]!.delete(member)
      slotOf.delete(member)
      if (slotOf.size === 0) stop()
    },
    stop,
  }
}
