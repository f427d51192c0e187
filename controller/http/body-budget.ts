// Limits the bytes of request bodies that are in memory at the same time, and for some owners the bodies that are on
// their way. A body takes its bytes as they arrive and returns them when its request is over.
import { StagelyError } from '../../src/kernel/errors.ts'

export interface OpenBody {
  /** TooManyRequests when the owner, or all owners together, hold too many bytes. */
  take(bytes: number): void
  /** All of it has come. */
  arrived(): void
  /** Returns its bytes. Idempotent. */
  close(): void
}

export interface BodyBudget {
  /** TooManyRequests when `atOnce` bodies of the owner are on their way. */
  open(owner: string, atOnce?: number): OpenBody
  /** Bytes of all bodies. */
  readonly held: number
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

interface Owned {
  bytes: number
  coming: number
  /** Bodies that are not closed. */
  open: number
}

const tooMany = (what: string): StagelyError =>
  new StagelyError('TooManyRequests', `${what}; try again in 1 s`, { retryAfterSeconds: 1 })

export const createBodyBudget = (): BodyBudget => {
  const owners = new Map<string, Owned>()
  let all = 0
  const reserve = (owned: Owned, bytes: number): void => {
    const own = owned.bytes + bytes
    const room = own > littleOfOne ? maxOfAll : maxOfAll + littleOfAll
    if (own > maxOfOne || all + bytes > room) {
      const whose = own > maxOfOne ? 'your requests' : 'all requests together'
      throw tooMany(`${whose} hold too many bytes that are still being worked on`)
    }
    owned.bytes = own
    all += bytes
  }
  return {
    get held() {
      return all
    },
    open: (owner, atOnce = Infinity) => {
      const owned = owners.get(owner) ?? { bytes: 0, coming: 0, open: 0 }
      if (owned.coming >= atOnce)
        throw tooMany(`more than ${atOnce} of your requests send their bodies at the same time`)
      owners.set(owner, owned)
      owned.coming++
      owned.open++
      let taken = 0
      let isComing = true
      let isOpen = true
      const arrived = (): void => {
        if (isComing) owned.coming--
        isComing = false
      }
      return {
        take: (bytes) => {
          if (!isOpen) return
          reserve(owned, bytes)
          taken += bytes
        },
        arrived,
        close: () => {
          if (!isOpen) return
          isOpen = false
          arrived()
          owned.bytes -= taken
          all -= taken
          if (--owned.open === 0) owners.delete(owner)
        },
      }
    },
  }
}
