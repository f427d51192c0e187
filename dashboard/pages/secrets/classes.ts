// Which secrets of one key hold equal values: each class has a letter. The controller compares keyed digests, so
// that nobody sees a value; it tells this to those who may write.
import { useMemo } from 'preact/hooks'
import { defined } from '../../../src/kernel/defined.ts'
import { api, must } from '../../api/client.ts'
import type { paths, Secret } from '../../../src/generated/rest-types.ts'
import { isForAll } from '../../../src/secrets/place.ts'
import { whyNot } from '../../session/session.ts'
import { partOf } from '../../live/known.ts'
import { useQuery } from '../../ui/use-query.ts'
import type { ProjectPlace } from '../project/data.ts'

type Answer =
  paths['/projects/{project_id}/value-classes']['get']['responses'][200]['content']['application/json']
export type KeyClasses = Answer['keys'][number]

interface ValueClass {
  readonly letter: string
  /** Other secrets of the key with the same value. */
  readonly same: readonly Secret[]
  /** Other secrets of the key with another value. */
  readonly others: readonly Secret[]
}

/** Of a secret by its id; undefined: it is alone with its key, refers to others, or nothing is known. */
export type ClassOf = (secretId: string) => ValueClass | undefined

const noClass: ClassOf = () => undefined

/** A to Z, then AA. */
const letterOf = (index: number): string =>
  index < 26
    ? String.fromCharCode(65 + index)
    : letterOf(Math.floor(index / 26) - 1) + letterOf(index % 26)

/** Places of the project before those of stagelets, the global one first: A is what most of them are compared with. */
const order = ({ scope, stagelet }: Secret): string =>
  `${stagelet === undefined ? 0 : 1} ${stagelet ?? ''} ${isForAll({ scope }) ? 0 : 1} ${scope}`

/** `secrets` are those of the moment in which the classes were asked for. */
export const classesOf = (
  keys: readonly KeyClasses[],
  secrets: ReadonlyMap<string, Secret>,
): ReadonlyMap<string, ValueClass> => {
  const found = new Map<string, ValueClass>()
  for (const { classes } of keys) {
    const stored = classes
      .map((ids) =>
        ids
          .flatMap((id) => secrets.get(id) ?? [])
          // What is compared of a value with references is how it is written: containers may hold another text.
          .filter(({ references }) => references !== true)
          .sort((a, b) => (order(a) < order(b) ? -1 : 1)),
      )
      .filter((same) => same.length > 0)
      .sort(([a], [b]) => (order(a!) < order(b!) ? -1 : 1))
    if (stored.flat().length < 2) continue
    for (const [index, same] of stored.entries())
      for (const secret of same)
        found.set(secret.id, {
          letter: letterOf(index),
          same: same.filter((other) => other !== secret),
          others: stored.flatMap((others) => (others === same ? [] : others)),
        })
  }
  return found
}

const readAll = async (
  { team, project }: ProjectPlace,
  signal: AbortSignal,
): Promise<readonly KeyClasses[]> => {
  const keys: KeyClasses[] = []
  let cursor: string | undefined
  do {
    const page = await must(
      api.GET('/projects/{project_id}/value-classes', {
        params: {
          path: { project_id: `${team}/${project}` },
          query: { limit: 1000, ...defined({ cursor }) },
        },
        signal,
      }),
    )
    keys.push(...page.keys)
    cursor = page.next_cursor
  } while (cursor !== undefined)
  return keys
}

/** `stamp` changes with each stored version: earlier classes are not valid then. */
export const useClasses = (
  place: ProjectPlace,
  secrets: readonly Secret[],
  { stamp, isReady }: { readonly stamp: string; readonly isReady: boolean },
): ClassOf => {
  const mayKnow = whyNot('update', 'stagelysecrets', place.team) === undefined
  const read = useQuery({
    key: ['value-classes', place.team, place.project],
    refetchOn: stamp,
    exact: true,
    enabled: mayKnow && isReady,
    read: (signal) => readAll(place, signal),
  })
  const data = partOf(read)
  return useMemo(() => {
    if (data === undefined || data.length === 0) return noClass
    const found = classesOf(data, new Map(secrets.map((secret) => [secret.id, secret])))
    return (secretId) => found.get(secretId)
  }, [data, data === undefined ? undefined : secrets])
}
