// Streams whose client does not read. What is written to a client waits in memory until its connection takes it: so
// streams are written in pieces, one after the other, a client that takes nothing is left, and what waits for one
// person is bounded.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

/** So much is written before the client has taken what came before. */
export const pieceLength = 65_536

/** A client that takes no piece is left after three to four of these. */
const usualLookEveryMs = 10_000
const mostLooks = 3
const usualMostOfOwner = 32 * 1024 * 1024

export interface SlowReaders {
  /** Leaves the client where it takes nothing for 30 s, or where too much waits for its owner. Until the answer ends. */
  follow(response: ServerResponse, owner: string): void
}

export const createSlowReaders = ({
  lookEveryMs = usualLookEveryMs,
  mostOfOwner = usualMostOfOwner,
} = {}): SlowReaders => {
  const waiting = new Map<string, number>()
  const add = (owner: string, bytes: number): number => {
    const all = (waiting.get(owner) ?? 0) + bytes
    if (all > 0) waiting.set(owner, all)
    else waiting.delete(owner)
    return all
  }
  return {
    follow: (response, owner) => {
      let hasTaken = true
      let looks = 0
      let held = 0
      const hold = (bytes: number): number => {
        const all = add(owner, bytes - held)
        held = bytes
        return all
      }
      const check = (): void => {
        const isStuck = response.writableNeedDrain && !hasTaken
        hasTaken = false
        looks = isStuck ? looks + 1 : 0
        const all = hold(isStuck ? response.writableLength : 0)
        if (looks > mostLooks || all > mostOfOwner) response.destroy()
      }
      const timer = setInterval(check, lookEveryMs)
      response.on('drain', () => (hasTaken = true))
      response.once('close', () => {
        clearInterval(timer)
        hold(0)
      })
    },
  }
}

/** The text in pieces. Half a surrogate pair alone would be another character. */
export const piecesOf = function* (text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    const end = at + pieceLength
    const isHalf = /[\ud800-\udbff]/.test(text.charAt(end - 1))
    const to = isHalf ? end - 1 : end
    yield text.slice(at, to)
    at = to
  }
}

/** Resolves when there is room for more. AbortError when `signal` aborts. */
export const writePieces = async (
  response: ServerResponse,
  text: string,
  signal: AbortSignal,
): Promise<void> => {
  for (const piece of piecesOf(text))
    if (!response.write(piece)) await once(response, 'drain', { signal })
}
