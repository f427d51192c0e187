// Limits the bytes of request bodies that are in memory at the same time. A body takes its bytes as
// they arrive and returns them when its request is over.
import { StagelyError } from '../../src/kernel/errors.ts'

export interface BodyBudget {
  /** TooManyRequests when `owner`, or all owners together, hold too many bytes. */
  take(owner: string, bytes: number): void
  giveBack(owner: string, bytes: number): void
}

/** A parsed body takes up to ten times its bytes. */
const maxOfOne = 24 * 1024 * 1024
const maxOfAll = 96 * 1024 * 1024
/**
 * An owner below this amount is never refused because of the others: a few clients that send long
 * bodies slowly keep nobody out.
 */
const littleOfOne = 256 * 1024
const littleOfAll = 16 * 1024 * 1024

export const createBodyBudget = (): BodyBudget => {
  const held = new Map<string, number>()
  let all = 0
  return {
    take: (owner, bytes) => {
      const own = (held.get(owner) ?? 0) + bytes
      const room = own > littleOfOne ? maxOfAll : maxOfAll + littleOfAll
      if (own > maxOfOne || all + bytes > room) {
        const whose = own > maxOfOne ? 'your requests' : 'all requests together'
        throw new StagelyError(
          'TooManyRequests',
          `${whose} hold too many bytes that are still being worked on; try again in 1 s`,
          { retryAfterSeconds: 1 },
        )
      }
      held.set(owner, own)
      all += bytes
    },
    giveBack: (owner, bytes) => {
      all -= bytes
      const left = (held.get(owner) ?? 0) - bytes
      if (left > 0) held.set(owner, left)
      else held.delete(owner)
    },
  }
}
