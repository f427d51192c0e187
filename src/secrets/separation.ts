// Which values of an environment are also values of another one that it has to differ from (`differsFrom`): see ADR 0080.
import { grouped } from '../kernel/grouped.ts'
import { environmentSet, type LaidOut } from './environment-set.ts'
import { emptyLayout } from './layout.ts'
import { type Viewer, isForStagelet, stageletOf } from './place.ts'
import { BrokenReference, createDependencies } from './references.ts'
import { createResolvedDigest } from './resolved-digest.ts'
import type { SetEntry } from './set-entry.ts'

/** An environment that has to differ from others. */
export interface SeparationRule {
  readonly name: string
  readonly differsFrom: readonly string[]
  readonly allowEqual?: readonly string[] | undefined
}

/** A value that stagelets of an environment get. */
export interface HeldValue {
  readonly entry: SetEntry
  readonly viewer: Viewer
  /** createResolvedDigest(): it decides the finished value. */
  readonly digest: string
  /** All secrets that the finished value is made of; its own one too. */
  readonly parts: readonly SetEntry[]
}

/** `here` has a value that `there` has too, in an environment that it has to differ from. */
export interface SameValue {
  readonly environment: string
  readonly here: HeldValue
  readonly from: string
  readonly there: HeldValue
}

/** An own value, or one that an own value may have changed. */
const differsFor = (entry: SetEntry, viewer: Viewer): boolean =>
  typeof viewer !== 'string' || entry.stagelet !== undefined || entry.references !== undefined

const heldBy = (set: LaidOut, viewer: Viewer): HeldValue[] => {
  const entries = environmentSet(set, viewer)
  const stagelet = stageletOf(viewer)
  const follow = createResolvedDigest(entries, stagelet)
  const reach = createDependencies(entries, stagelet)
  return entries.flatMap((entry) => {
    if (!isForStagelet(entry, stagelet) || !differsFor(entry, viewer)) return []
    try {
      const parts = entry.references === undefined ? [entry] : reach(entry)
      return [{ entry, viewer, digest: follow(entry).valueDigest, parts }]
    } catch (error) {
      // Nobody gets a value that cannot be filled.
      if (error instanceof BrokenReference) return []
      throw error
    }
  })
}

/** The values of an environment: those that all of its stagelets get, and those of single ones. */
export const heldIn = (set: LaidOut, environment: string): HeldValue[] => {
  const owners = new Set(set.entries.flatMap(({ stagelet }) => stagelet ?? []))
  const inside = [...(set.layout ?? emptyLayout).stagelets]
    .filter(([name, its]) => its === environment && owners.has(name))
    .map(([name]) => name)
  return [{ environment }, ...inside].flatMap((viewer) => heldBy(set, viewer))
}

/** Everybody who reads names may read it. */
const isShown = ({ parts }: HeldValue): boolean => parts.every(({ plain }) => plain === true)

/**
 * `heldOf` are the values of each environment. `fingerprintOf` is the same text for the same bytes; undefined: the value
 * may be equal.
 */
export const sameValues = (
  rules: readonly SeparationRule[],
  heldOf: (environment: string) => readonly HeldValue[],
  fingerprintOf: (held: HeldValue) => string | undefined,
): SameValue[] =>
  rules.flatMap(({ name: environment, differsFrom, allowEqual = [] }) =>
    differsFrom.flatMap((from) => {
      const theirs = grouped(
        heldOf(from).filter((there) => !isShown(there)),
        fingerprintOf,
      )
      return heldOf(environment).flatMap((here): SameValue[] => {
        const fingerprint = fingerprintOf(here)
        const mayBeEqual = ({ entry: { key } }: HeldValue): boolean =>
          allowEqual.includes(key) && allowEqual.includes(here.entry.key)
        const equal = (fingerprint === undefined ? [] : (theirs.get(fingerprint) ?? [])).filter(
          (there) => !mayBeEqual(there),
        )
        const there = equal.find(({ entry }) => entry.key === here.entry.key) ?? equal[0]
        return there === undefined ? [] : [{ environment, here, from, there }]
      })
    }),
  )
