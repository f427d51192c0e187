// Follows references between the secrets of one set, for one stagelet. See ADR 0026.
import { StagelyError } from '../kernel/errors.ts'
import type { LaidOut } from './environment-set.ts'
import { emptyLayout } from './layout.ts'
import { isForAll, isForController, type Viewer } from './place.ts'
import { winnersFor, type SetEntry } from './set-entry.ts'

/** A reference cannot be followed. `why` names keys, never a value. */
export class BrokenReference extends StagelyError {
  readonly why: string

  constructor(entry: SetEntry, why: string) {
    super('Invalid', `secret "${entry.name}": ${why}`)
    this.why = why
  }
}

/** Computes a result from an entry and from the results of the entries that it refers to. */
export type Make<E, R> = (entry: E, referred: readonly R[]) => R

/** The target of a reference of `entry`: the scope in which it is looked up, and the key. */
export const targetOf = (
  entry: Pick<SetEntry, 'scope'>,
  reference: string,
): { scope: string; key: string } => {
  const slash = reference.indexOf('/')
  return slash === -1
    ? { scope: entry.scope, key: reference }
    : { scope: reference.slice(0, slash), key: reference.slice(slash + 1) }
}

export const keyOfReference = (reference: string): string =>
  reference.slice(reference.indexOf('/') + 1)

/**
 * Computes a result for each entry, after the entries that it refers to; each entry once. `stagelet` is
 * the stagelet that gets the values; undefined: a stagelet without secrets of its own. Throws
 * BrokenReference when a reference has no target or is circular.
 */
export const createResolver = <E extends SetEntry, R>(
  entries: readonly E[],
  stagelet: string | undefined,
  make: Make<E, R>,
): ((entry: E) => R) => {
  const made = new Map<string, R>()
  const seenFrom = new Map<string, ReadonlyMap<string, E>>()
  const find = (scope: string, key: string): E | undefined => {
    const winners = seenFrom.get(scope) ?? winnersFor(scope, stagelet, entries)
    seenFrom.set(scope, winners)
    return winners.get(key)
  }
  const fold = (entry: E, path: readonly E[]): R => {
    const resolved = made.get(entry.secretId)
    if (resolved !== undefined) return resolved
    const here = [...path, entry]
    const referred = (entry.references ?? []).map((reference) => {
      const { scope, key } = targetOf(entry, reference)
      const target = find(scope, key)
      if (target === undefined)
        throw missing(entry, { reference, scope, stagelet, isHidden: isHidden(entries, key) })
      if (here.includes(target)) throw cycle(entry, [...here, target])
      return fold(target, here)
    })
    const result = make(entry, referred)
    made.set(entry.secretId, result)
    return result
  }
  return (entry) => fold(entry, [])
}

const isHidden = (entries: readonly SetEntry[], key: string): boolean =>
  entries.some((entry) => entry.key === key && isForController(entry))

const missing = (
  entry: SetEntry,
  target: { reference: string; scope: string; stagelet: string | undefined; isHidden: boolean },
): BrokenReference => {
  if (target.isHidden) {
    const why = 'that secret is for the controller alone (audience: Controller)'
    return new BrokenReference(entry, `it refers to \${${target.reference}}: ${why}`)
  }
  const where = isForAll(target) ? 'scope "global"' : `scope "${target.scope}" or "global"`
  const own =
    entry.stagelet === undefined ? '' : `, of the project or of stagelet "${entry.stagelet}"`
  return new BrokenReference(
    entry,
    `it refers to \${${target.reference}}, and no secret with a value has that key in ${where}${own}`,
  )
}

const cycle = (entry: SetEntry, path: readonly SetEntry[]): BrokenReference => {
  const from = path.indexOf(path.at(-1)!)
  const names = path.slice(from).map(({ name }) => `"${name}"`)
  return new BrokenReference(entry, `its references lead in a circle: ${names.join(' to ')}`)
}

/** The entry, and every entry that its value is made of. */
export const createDependencies = <E extends SetEntry>(
  entries: readonly E[],
  stagelet: string | undefined,
): ((entry: E) => readonly E[]) => {
  const fold = createResolver<E, readonly E[]>(entries, stagelet, (entry, referred) => [
    ...new Set([entry, ...referred.flat()]),
  ])
  return (entry) => fold(entry)
}

/** The stagelets with secrets of their own, all environments with stagelets or secrets, and undefined for all others. */
export const viewersOf = ({ entries, layout = emptyLayout }: LaidOut): Viewer[] => {
  const named = entries.flatMap(({ environments = [] }) => environments)
  const names = [...layout.isolated, ...named, ...layout.stagelets.values()]
  return [
    undefined,
    ...[...new Set(names)].map((environment) => ({ environment })),
    ...new Set(
      entries.filter((entry) => !isForController(entry)).flatMap((entry) => entry.stagelet ?? []),
    ),
  ]
}
