// All values that a stagelet got since the agent started, which are hidden in its logs: old lines hold replaced values,
// and new ones may.
import { createMasker, type Masker } from '../../src/masking/masker.ts'
import type { ClaimedProject } from '../project-claim.ts'
import type { OpenedSecret } from '../stack-state.ts'
import type { LogSource } from './project-log.ts'

/** Bytes of values that are not in use any more; the oldest are forgotten first. */
const maxOldBytes = 8 * 1024 * 1024

export interface KnownValues {
  /** Adds the secrets that are in use now. */
  learn(entries: readonly OpenedSecret[]): void
  /** The same masker until a new value is learned. */
  readonly masker: () => Masker
  /** The logs of this project, with all values hidden. */
  sourceOf(held: ClaimedProject): LogSource
}

export const createKnownValues = (): KnownValues => {
  const values = new Map<string, Buffer>()
  let masker: Masker | undefined
  const current = (): Masker => (masker ??= createMasker([...values.values()]))
  return {
    learn: (entries) => {
      if (entries.some((e) => !values.has(e.valueDigest))) masker = undefined
      for (const { valueDigest, value } of entries) {
        values.delete(valueDigest)
        values.set(valueDigest, value)
      }
      const inUse = new Set(entries.map((e) => e.valueDigest))
      const old = [...values].filter(([digest]) => !inUse.has(digest))
      let bytes = old.reduce((sum, [, value]) => sum + value.length, 0)
      for (const [digest, value] of old) {
        if (bytes <= maxOldBytes) break
        values.delete(digest)
        bytes -= value.length
      }
    },
    masker: current,
    sourceOf: ({ project, ending }) => ({ project, masker: current, ended: ending.signal }),
  }
}
