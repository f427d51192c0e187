// Notices who else writes the status of what is followed: a controller of another database, above all.
// Each would put its own status back for ever. This one waits longer and longer instead, and says why.
import type { Clock } from '../../src/kernel/clock.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { sameJson } from '../../src/store/canonical.ts'

export interface Rivals {
  /** Before `status` is written; how long (ms) to leave that, or undefined. */
  delay(uid: string, status: unknown): number | undefined
  wrote(uid: string, status: unknown): void
}

interface Written {
  readonly status: unknown
  /** How often somebody replaced just this status. */
  replaced: number
  until: number
}

/** A status may be replaced once by accident. */
const bearable = 2
/** Who fights writes often: the newest are enough. */
const mostKept = 1_000
const firstMs = 1_000
const longestMs = 300_000

export const createRivals = ({ clock, log }: { clock: Clock; log: Logger }): Rivals => {
  const written = new Map<string, Written>()
  let told = false
  return {
    delay: (uid, status) => {
      const last = written.get(uid)
      if (last === undefined || !sameJson(last.status, status)) return undefined
      const left = last.until - clock.now()
      if (left > 0) return left
      last.replaced += 1
      if (last.replaced <= bearable) return undefined
      last.until = clock.now() + Math.min(longestMs, firstMs * 2 ** (last.replaced - bearable))
      if (!told)
        log.error(
          { uid },
          'somebody else writes the status of what this controller follows: another controller, with another database, follows the same namespaces. Give each its own (--kubernetes-namespace). This one writes more and more rarely',
        )
      told = true
      return undefined
    },
    wrote: (uid, status) => {
      const last = written.get(uid)
      if (last !== undefined && sameJson(last.status, status)) return
      written.delete(uid)
      written.set(uid, { status, replaced: 0, until: 0 })
      const [oldest] = written.keys()
      if (written.size > mostKept && oldest !== undefined) written.delete(oldest)
    },
  }
}
