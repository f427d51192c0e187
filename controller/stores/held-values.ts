// Values of a look between their arrival and their write: sealed under a key that is in no dump of the
// heap, so that a look of thousands does not keep thousands of values readable in memory.
import { createSecretKey, randomBytes } from 'node:crypto'
import { open, seal } from '../../src/secrets/aead.ts'

/** Opens the value, each time anew. */
export type Held = () => Buffer

const unbound = ''

/** For one step: what it has held opens as long as somebody may still ask for it. */
export const createHolder = (): ((value: Buffer) => Held) => {
  const key = { id: 'look', bytes: createSecretKey(randomBytes(32)) }
  return (value) => {
    const sealed = seal(key, value, unbound)
    return () => open(key, sealed, unbound)
  }
}
