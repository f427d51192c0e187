// A value of the controller: loading, failed, or known. All lists and answers of the controller are held by this type, so
// that a value that is not known is never drawn as none. Pure.
export interface Failure {
  readonly error: unknown
  /** When it failed first, by the controller's clock. */
  readonly since: number
  /** Reads again at once. It is retried by itself too, where that may help. */
  readonly retry: () => void
}

/** `part` is what came so far: it may be shown, and says nothing of the rest. */
export type Known<T> =
  | { readonly state: 'loading'; readonly part?: T }
  | { readonly state: 'failed'; readonly failure: Failure; readonly part?: T }
  | {
      readonly state: 'known'
      readonly value: T
      /** Why the last reading failed: `value` is of the reading before. */
      readonly failure?: Failure
    }

export const loading: Known<never> = { state: 'loading' }

export const known = <T>(value: T): Known<T> => ({ state: 'known', value })

export const knownFailure = (value: Known<unknown>): Failure | undefined =>
  value.state === 'loading' ? undefined : value.failure

/** What there is of it, as far as it is known: for what never says that there is no more. */
export const partOf = <T>(value: Known<T>): T | undefined =>
  value.state === 'known' ? value.value : value.part

/** The same for a list. */
export const someOf = <T>(list: Known<readonly T[]>): readonly T[] => partOf(list) ?? []

export const mapKnown = <T, U>(source: Known<T>, change: (value: T) => U): Known<U> => {
  if (source.state === 'known') return { ...source, value: change(source.value) }
  return source.part === undefined ? withoutPart(source) : { ...source, part: change(source.part) }
}

const withoutPart = (source: Exclude<Known<unknown>, { state: 'known' }>): Known<never> =>
  source.state === 'loading' ? loading : { state: 'failed', failure: source.failure }

/** Those of one team; undefined: of all. In order of their names. */
export const inTeam = <T extends { readonly team: string; readonly name: string }>(
  list: Known<readonly T[]>,
  team: string | undefined,
): Known<readonly T[]> =>
  mapKnown(list, (all) =>
    all
      .filter((object) => team === undefined || object.team === team)
      .sort((a, b) => a.name.localeCompare(b.name)),
  )

/** One of a list; that there is none is known once the whole list is. */
export const findIn = <T>(
  list: Known<readonly T[]>,
  isMatch: (element: T) => boolean,
): Known<T | undefined> => {
  const found = partOf(list)?.find(isMatch)
  if (found === undefined) return mapKnown(list, () => undefined)
  const failure = knownFailure(list)
  return { state: 'known', value: found, ...(failure !== undefined && { failure }) }
}

type Values<A extends readonly Known<unknown>[]> = {
  readonly [I in keyof A]: A[I] extends Known<infer T> ? T : never
}

/** Several as one: known once all are, failed where one is. Parts are left out: they are of different moments. */
export const together = <const A extends readonly Known<unknown>[]>(
  ...all: A
): Known<Values<A>> => {
  const failures = all.flatMap((part) => knownFailure(part) ?? [])
  const failure: Failure | undefined = failures[0] && {
    error: failures[0].error,
    since: Math.min(...failures.map(({ since }) => since)),
    retry: () => {
      for (const { retry } of failures) retry()
    },
  }
  if (all.some(({ state }) => state === 'failed') && failure !== undefined)
    return { state: 'failed', failure }
  const values = all.flatMap((part) => (part.state === 'known' ? [part.value] : []))
  if (values.length < all.length) return loading
  return {
    state: 'known',
    value: values as unknown as Values<A>,
    ...(failure !== undefined && { failure }),
  }
}
