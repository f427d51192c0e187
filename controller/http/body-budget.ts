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

export interface BodyOwner {
  /** Bodies of the owner that may come at the same time; undefined: any number. */
  readonly atOnce?: number | undefined
  /** Has shown no credential. Whoever has is not refused because of strangers, however many addresses they have. */
  readonly isStranger?: boolean | undefined
}

export interface BodyBudget {
  /** TooManyRequests when `atOnce` bodies of the owner are on their way. */
  open(owner: string, of?: BodyOwner): OpenBody
  /** Bytes of all bodies. */
  readonly held: number
}

interface Bounds {
  readonly ofOne: number
  readonly ofAll: number
  /**
   * An owner below this amount is not refused because of a few others that send long bodies slowly: there is so much
   * more room for such owners.
   */
  readonly little: number
  readonly littleOfAll: number
}

const MiB = 1024 * 1024
/** A parsed body takes up to ten times its bytes. */
const ofKnown: Bounds = {
  ofOne: 24 * MiB,
  ofAll: 96 * MiB,
  little: MiB / 4,
  littleOfAll: 16 * MiB,
}
/** Their bodies have 64 KiB at most. */
const ofStrangers: Bounds = {
  ofOne: 4 * MiB,
  ofAll: 12 * MiB,
  little: MiB / 16,
  littleOfAll: 4 * MiB,
}

interface Owned {
  bytes: number
  coming: number
  /** Bodies that are not closed. */
  open: number
}

const tooMany = (what: string): StagelyError =>
  new StagelyError('TooManyRequests', `${what}; try again in 1 s`, { retryAfterSeconds: 1 })

class Pool {
  readonly owners = new Map<string, Owned>()
  readonly #bounds: Bounds
  held = 0

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  reserve(owned: Owned, bytes: number): void {
    const { ofOne, ofAll, little, littleOfAll } = this.#bounds
    const own = owned.bytes + bytes
    const room = own > little ? ofAll : ofAll + littleOfAll
    if (own > ofOne || this.held + bytes > room) {
      const whose = own > ofOne ? 'your requests' : 'all requests together'
      throw tooMany(`${whose} hold too many bytes that are still being worked on`)
    }
    owned.bytes = own
    this.held += bytes
  }
}

export const createBodyBudget = (): BodyBudget => {
  const [identified, anonymous] = [new Pool(ofKnown), new Pool(ofStrangers)]
  return {
    get held() {
      return identified.held + anonymous.held
    },
    open: (owner, { atOnce = Infinity, isStranger = false } = {}) => {
      const pool = isStranger ? anonymous : identified
      const owned = pool.owners.get(owner) ?? { bytes: 0, coming: 0, open: 0 }
      if (owned.coming >= atOnce)
        throw tooMany(`more than ${atOnce} of your requests send their bodies at the same time`)
      pool.owners.set(owner, owned)
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
          pool.reserve(owned, bytes)
          taken += bytes
        },
        arrived,
        close: () => {
          if (!isOpen) return
          isOpen = false
          arrived()
          owned.bytes -= taken
          pool.held -= taken
          if (--owned.open === 0) pool.owners.delete(owner)
        },
      }
    },
  }
}
