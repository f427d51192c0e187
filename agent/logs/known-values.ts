// All values that a stagelet got since the agent started, which are hidden in its logs: old lines hold replaced values,
// and new ones may.
import { createHash } from 'node:crypto'
import type { KeyedValue } from '../../src/masking/keyed-search.ts'
import { createMasker, type Masker } from '../../src/masking/masker.ts'
import type { ClaimedProject } from '../state/stack-state.ts'
import { countSurplus, hiddenOf, ownBytes } from '../state/old-values.ts'
import type { OpenedSecret } from '../state/stack-target.ts'
import type { LogSource } from './project-log.ts'

export interface KnownValues {
  /** Adds the secrets that are in use now, but for plain ones. `older` are those of sets to go back to. */
  learn(newest: readonly OpenedSecret[], older?: readonly OpenedSecret[]): void
  /** The same masker until a new value is learned. */
  readonly masker: () => Masker
  /** What the masker hides, by the keys that have or had it. */
  readonly values: () => KeyedValue[]
  /** The logs of this project, with all values hidden. */
  sourceOf(held: ClaimedProject): TaskSource
}

/** A project, its masker, and how a value that is not in use yet gets into that. */
export interface TaskSource extends LogSource {
  readonly hide: (values: readonly string[]) => void
}

export const createKnownValues = (): KnownValues => {
  const values = new Map<string, { readonly value: Buffer; readonly keys: Set<string> }>()
  let masker: Masker | undefined
  const current = (): Masker =>
    (masker ??= createMasker([...values.values()].map(({ value }) => value)))
  return {
    learn: (newest, older) => {
      const hidden = hiddenOf(newest, older)
      const entries = [...hidden.newest, ...hidden.older]
      for (const digest of hidden.shown) if (values.delete(digest)) masker = undefined
      if (entries.some((e) => !values.has(e.valueDigest))) masker = undefined
      for (const { valueDigest, value, key } of entries) {
        const entry = values.get(valueDigest) ?? { value: ownBytes(value), keys: new Set<string>() }
        entry.keys.add(key)
        values.delete(valueDigest)
        values.set(valueDigest, entry)
      }
      const inUse = new Set(entries.map((e) => e.valueDigest))
      const old = [...values].filter(([digest]) => !inUse.has(digest))
      // The oldest are forgotten first.
      const surplus = countSurplus(old.map(([, { value }]) => value))
      for (const [digest] of old.slice(0, surplus)) values.delete(digest)
    },
    masker: current,
    values: () =>
      [...values.values()].flatMap(({ value, keys }) => [...keys].map((key) => ({ key, value }))),
    sourceOf: ({ project, ending }) => ({
      project,
      masker: current,
      ended: ending.signal,
      hide: (more) => {
        for (const value of more) {
          const name = `task ${createHash('sha256').update(value).digest('hex')}`
          if (values.has(name)) continue
          values.set(name, { value: ownBytes(Buffer.from(value)), keys: new Set() })
          masker = undefined
        }
      },
    }),
  }
}
