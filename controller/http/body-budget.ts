// Bytes of request bodies that are in work at the same time. A body takes its bytes as they come and
// gives them back when its request is over.
import { StagelyError } from '../../src/kernel/errors.ts'

export interface BodyBudget {
  /** TooManyRequests where `owner`, or all together, have too many in work. */
  take(owner: string, bytes: number): void
  giveBack(owner: string, bytes: number): void
}

/** Parsed, a body takes up to ten times its bytes. */
const mostOfOne = 24 * 1024 * 1024
const mostOfAll = 96 * 1024 * 1024
/** Beyond that there is room for whoever holds little: a few who send long bodies slowly keep nobody out. */
const littleOfOne = 256 * 1024
const littleOfAll = 16 * 1024 * 1024

export const createBodyBudget = (): BodyBudget => {
  const held = new Map<string, number>()
  let all = 0
  return {
    take: (owner, bytes) => {
      const own = (held.get(owner) ?? 0) + bytes
      const room = own > littleOfOne ? mostOfAll : mostOfAll + littleOfAll
      if (own > mostOfOne || all + bytes > room) {
        const whose = own > mostOfOne ? 'your requests' : 'all requests together'
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
