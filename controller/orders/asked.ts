// What an agent sends for an order costs it nothing, once: the controller has asked for it. A batch of logs that comes again
// was asked for by nobody.
import type { LogBatch } from '../../src/protocol/logs.ts'

/** Whether the answer `state` is to something that was asked for. */
export type WasAsked<T> = (body: T, state: string) => boolean

/** More than there are readers. */
const mostKnown = 2_000

export const createAskedLogs = (): WasAsked<LogBatch> => {
  /** By session, the last batch that was taken. */
  const newest = new Map<string, number>()
  return ({ session, seq }, state) => {
    // Nothing was taken: it has to come again.
    if (state === 'full') return true
    if (state !== 'taken' || seq <= (newest.get(session) ?? -1)) return false
    newest.delete(session)
    newest.set(session, seq)
    if (newest.size > mostKnown) newest.delete([...newest.keys()][0]!)
    return true
  }
}

export const isTaken: WasAsked<unknown> = (_, state) => state === 'taken'
