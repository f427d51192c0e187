// What an agent gets to look for values: never a value that it does not have.
import { randomBytes } from 'node:crypto'
import type { LookOrder } from '../../src/protocol/look.ts'
import { createWindowHash, fingerprintOf } from '../../src/scan/fingerprints.ts'

/** A value that is looked for. */
export interface WantedValue {
  /** Stands for it in answers. */
  readonly name: string
  readonly value: Buffer
  /** A generator or a rotation has drawn it by chance. */
  readonly generated: boolean
  /** Names of the agents that have got it as a part of a set. */
  readonly holders: ReadonlySet<string>
}

type Prints = Pick<LookOrder, 'values' | 'key' | 'prints'>

/** For one agent and one look. `guessable`: names of those that are not looked for there. */
export const printsFor = (
  agent: string,
  wanted: readonly WantedValue[],
): Prints & { readonly guessable: readonly string[] } => {
  const key = randomBytes(32)
  const hashOf = createWindowHash(key)
  const values: Prints['values'] = []
  const prints: Prints['prints'] = []
  const guessable: string[] = []
  for (const { name, value, generated, holders } of wanted) {
    if (holders.has(agent)) {
      values.push({ name, value: value.toString('base64') })
      continue
    }
    const print = fingerprintOf(key, hashOf, value, generated)
    if (print?.strength !== 'strong') guessable.push(name)
    else prints.push({ name, filter: print.filter, length: print.length, mac: print.mac })
  }
  return { values, key: key.toString('base64url'), prints, guessable }
}
