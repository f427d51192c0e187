// Finds the values that a failed revision brought to a service: key, version, and who set it. Pure.
import type { Quarantined } from '../../../src/kinds/observation/schema.ts'
import type { StageletSet } from '../../../src/secrets/environment-set.ts'
import { createDependencies } from '../../../src/secrets/references.ts'
import { visibleTo, type SetEntry } from '../../../src/secrets/visible.ts'
import type { Blame } from '../../../src/store/core/activity-entry.ts'

/** The person or program that set the present version of a secret. */
export interface Author {
  readonly version: number
  readonly by: string
  readonly at: string
}

const mostNamed = 5
const mostKept = 20

/** Secrets that the service gets in `head`, directly or by reference, and that have another version in `healthy`. */
export const suspectsOf = (
  stagelet: string,
  { service }: Pick<Quarantined, 'service'>,
  { head, healthy }: { head: StageletSet; healthy: StageletSet },
): SetEntry[] => {
  const before = new Map(visibleTo(service, stagelet, healthy.entries).map((e) => [e.key, e]))
  const had = new Set(healthy.entries.map((e) => `${e.secretId} ${e.version}`))
  const byId = new Map(head.entries.map((e) => [e.secretId, e]))
  const changed = visibleTo(service, stagelet, head.entries)
    .filter((e) => before.get(e.key)?.valueDigest !== e.valueDigest)
    .flatMap((e) => byId.get(e.secretId) ?? [])
    .flatMap(createDependencies(head.entries, stagelet))
  return [...new Set(changed)].filter((e) => !had.has(`${e.secretId} ${e.version}`))
}

interface Sets {
  readonly head: StageletSet
  readonly healthy: StageletSet
}

/** Keys of secrets that the service got in `healthy`, and gets no longer. */
const takenAway = (
  stagelet: string,
  { service }: Pick<Quarantined, 'service'>,
  { head, healthy }: Sets,
): string[] => {
  const has = new Set(visibleTo(service, stagelet, head.entries).map((e) => e.key))
  return visibleTo(service, stagelet, healthy.entries)
    .filter((e) => !has.has(e.key))
    .map((e) => e.key)
}

/** The author of an entry, where it is still the version that he set. */
const authorOf = (
  authors: ReadonlyMap<string, Author>,
  { secretId, version }: SetEntry,
): Author | undefined => {
  const author = authors.get(secretId)
  return author?.version === version ? author : undefined
}

export const blameOf = (
  stagelet: string,
  failed: Quarantined,
  sets: Sets & { readonly authors: ReadonlyMap<string, Author> },
): Blame => {
  const news = suspectsOf(stagelet, failed, sets)
  const gone = takenAway(stagelet, failed, sets)
  const authors = news.flatMap((entry) => authorOf(sets.authors, entry)?.by ?? [])
  return {
    service: failed.service,
    keys: [...new Set([...news.map((e) => e.key), ...gone])].slice(0, mostKept),
    authors: [...new Set(authors)].sort(),
  }
}

/** As a phrase; undefined where the sets do not tell. */
export const describeBlame = (
  stagelet: string,
  failed: Quarantined,
  sets: {
    head: StageletSet | undefined
    healthy: StageletSet | undefined
    authors: ReadonlyMap<string, Author>
  },
): string | undefined => {
  const { head, healthy, authors } = sets
  if (head === undefined || healthy === undefined) return undefined
  const { service } = failed
  const news = suspectsOf(stagelet, failed, { head, healthy }).map((entry) => {
    const author = authorOf(authors, entry)
    const who = author === undefined ? '' : `, set by ${author.by} at ${author.at}`
    return `${entry.key} (version ${entry.version}${who})`
  })
  const gone = takenAway(stagelet, failed, { head, healthy }).map((key) => `${key} taken away`)
  const all = [...news, ...gone]
  if (all.length === 0) return undefined
  const more = all.length > mostNamed ? ` and ${all.length - mostNamed} more` : ''
  return `with ${all.slice(0, mostNamed).join(', ')}${more} for ${service}`
}
