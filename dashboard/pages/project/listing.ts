// The secrets of a project in order, and the set that they are. What holds of the list before is kept: a list comes in
// pages, and most changes are of one secret among thousands, and of nothing that a set holds. Pure.
import { emptyLayout, layoutText, type Layout } from '../../../src/secrets/layout.ts'
import type { ProjectEntry } from '../../../src/secrets/set-entry.ts'
import type { Secret } from '../../../src/generated/rest-types.ts'
import { createSetIndex, entryOf, type SetIndex } from './set-index.ts'

export interface SecretListing {
  readonly secrets: readonly Secret[]
  /** The same object as before while nothing of the set has changed. */
  readonly head: SetIndex
  /** Changes with each version that is stored: what was asked before then says nothing of it. */
  readonly stamp: string
}

export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export const byPlace = (a: Secret, b: Secret): number =>
  byText(a.key, b.key) ||
  byText(a.scope, b.scope) ||
  byText(a.stagelet ?? '', b.stagelet ?? '') ||
  byText(a.environments?.join() ?? '', b.environments?.join() ?? '')

/** Sorting takes few comparisons: nearly all are in order. */
const inOrder = (before: readonly Secret[], stored: readonly Secret[]): readonly Secret[] => {
  const left = new Map(stored.map((secret) => [secret.id, secret]))
  const sorted: Secret[] = []
  for (const { id } of before) {
    const now = left.get(id)
    if (now === undefined) continue
    sorted.push(now)
    left.delete(id)
  }
  return [...sorted, ...left.values()].sort(byPlace)
}

const isEqual = (a: ProjectEntry, b: ProjectEntry): boolean =>
  JSON.stringify(a) === JSON.stringify(b)

/** Entries of the set; one that is as before is the same object. A secret without a value is in no set. */
const createEntries = () => {
  const ofSecret = new WeakMap<Secret, ProjectEntry>()
  let entries = new Map<string, ProjectEntry>()
  const entryFor = (secret: Secret): ProjectEntry => {
    const entry = ofSecret.get(secret) ?? entryOf(secret)
    const before = entries.get(secret.id)
    return before !== undefined && (before === entry || isEqual(before, entry)) ? before : entry
  }
  return (secrets: readonly Secret[]): ProjectEntry[] => {
    const next = new Map<string, ProjectEntry>()
    for (const secret of secrets) {
      if (secret.version === 0) continue
      const entry = entryFor(secret)
      ofSecret.set(secret, entry)
      next.set(secret.id, entry)
    }
    entries = next
    return [...next.values()]
  }
}

export const createListing = (): ((
  stored: readonly Secret[],
  layout?: Layout,
) => SecretListing) => {
  const entriesOf = createEntries()
  let secrets: readonly Secret[] = []
  let entries: readonly ProjectEntry[] = []
  let head = createSetIndex({ entries })
  return (stored, layout = emptyLayout) => {
    secrets = inOrder(secrets, stored)
    const next = entriesOf(secrets)
    const isOther =
      next.length !== entries.length || next.some((entry, index) => entry !== entries[index])
    if (isOther || layoutText(layout) !== layoutText(head.layout)) {
      entries = next
      head = createSetIndex({ entries, layout })
    }
    const versions = secrets.reduce((sum, { version }) => sum + version, 0)
    return { secrets, head, stamp: `${secrets.length}.${versions}` }
  }
}
