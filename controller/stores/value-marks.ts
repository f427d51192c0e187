// Versions of values whose store tells none: marks that change with the value and tell nothing of it.
import { createHmac } from 'node:crypto'

/**
 * `key`: nobody who reads a mark may know it, or the mark would let guesses of short values be checked.
 * The same key gives the same marks after a restart.
 */
export const valueMarks = (key: string): ((name: string, value: string) => string) => {
  const own = createHmac('sha256', key).update('stagely marks of values').digest()
  return (name, value) =>
    createHmac('sha256', own).update(`${name.length}:${name}${value}`).digest('hex').slice(0, 16)
}
