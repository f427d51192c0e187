// The secrets of one set, found by key: which of them a service sees, and what such a value is made of. Pure; it
// asks the rule of precedence that the controller and the agents use.
import { defined } from '../../../src/kernel/defined.ts'
import { keyOfReference, targetOf } from '../../../src/secrets/references.ts'
import { environmentSet, type LaidOut } from '../../../src/secrets/environment-set.ts'
import { emptyLayout, type Layout } from '../../../src/secrets/layout.ts'
import { sees, viewersIn, type ServiceViewer } from '../../../src/secrets/place.ts'
import { winnersFor, type ProjectEntry } from '../../../src/secrets/set-entry.ts'
import type { Secret, SetDiff } from '../../../src/generated/rest-types.ts'

export interface SetIndex {
  readonly of: (key: string) => readonly ProjectEntry[]
  /** Which stagelet is in which environment. */
  readonly layout: Layout
  readonly keys: () => Iterable<string>
  /** Keys whose secrets are not those of the newest set. */
  readonly differs: (key: string) => boolean
  /** Keys of templates that refer to this key, also by way of others. */
  readonly referring: (key: string) => ReadonlySet<string>
}

const placeOf = ({
  audience,
  stagelet: name,
  environments,
}: Partial<Pick<Secret, 'audience' | 'stagelet' | 'environments'>>): Pick<
  ProjectEntry,
  'stagelet' | 'environments'
> => {
  const stageletRef = name === undefined ? undefined : { name }
  return viewersIn(defined({ audience, stageletRef, environments }))
}

/** A secret with a value, as a set holds it. What the values are plays no part in who wins. */
export const entryOf = (secret: Secret): ProjectEntry => ({
  secretId: secret.id,
  name: secret.name,
  version: secret.version,
  key: secret.key,
  scope: secret.scope,
  type: secret.type,
  bytes: secret.bytes ?? 0,
  valueDigest: '',
  ...placeOf(secret),
  ...(secret.references === true && { references: secret.refers_to }),
})

/** A secret without a value is in no set. */
export const entriesOf = (secrets: readonly Secret[]): ProjectEntry[] =>
  secrets.filter(({ version }) => version > 0).map(entryOf)

const none: readonly ProjectEntry[] = []
const noKey: ReadonlySet<string> = new Set()

/** All that is reached from a key. */
const allFrom = (key: string, next: (key: string) => Iterable<string>): ReadonlySet<string> => {
  const found = new Set<string>()
  const follow = (from: string): void => {
    for (const reached of next(from)) {
      if (found.has(reached)) continue
      found.add(reached)
      follow(reached)
    }
  }
  follow(key)
  return found
}

export const createSetIndex = ({ entries, layout = emptyLayout }: LaidOut): SetIndex => {
  const byKey = new Map<string, ProjectEntry[]>()
  const referring = new Map<string, Set<string>>()
  for (const entry of entries) {
    const sameKey = byKey.get(entry.key)
    if (sameKey === undefined) byKey.set(entry.key, [entry])
    else sameKey.push(entry)
    if (entry.references === undefined) continue
    for (const key of entry.references.map(keyOfReference))
      referring.set(key, (referring.get(key) ?? new Set<string>()).add(entry.key))
  }
  return {
    layout,
    of: (key) => byKey.get(key) ?? none,
    keys: () => byKey.keys(),
    differs: () => false,
    referring: (key) =>
      referring.has(key) ? allFrom(key, (from) => referring.get(from) ?? noKey) : noKey,
  }
}

/** The version is not known of what is gone since: no secret of the newest set is like it. */
const removedEntry = (gone: SetDiff['removed'][number]): ProjectEntry => ({
  secretId: gone.id,
  name: gone.name,
  key: gone.key,
  scope: gone.scope,
  ...placeOf(gone),
  version: 0,
  type: 'env',
  bytes: 0,
  valueDigest: '',
})

/** `null`: it was of none; absent: as now. */
const before = <T>(was: T | null | undefined, now: T | undefined): T | undefined =>
  was === undefined ? now : (was ?? undefined)

const changedBack = (entry: ProjectEntry, was: SetDiff['changed'][number]): ProjectEntry => {
  const { stagelet, environments, ...rest } = entry
  return {
    ...rest,
    version: was.from_version,
    scope: was.from_scope ?? entry.scope,
    type: was.from_type ?? entry.type,
    ...(was.from_audience === 'Controller'
      ? placeOf({ audience: 'Controller' })
      : defined({
          stagelet: before(was.from_stagelet, stagelet),
          environments: before<readonly string[]>(was.from_environments, environments),
        })),
  }
}

/** The set of an earlier revision, from the newest one and from what differs. */
export const setBefore = (head: SetIndex, { added, removed, changed }: SetDiff): SetIndex => {
  const keys = new Set([...added, ...removed, ...changed].map(({ key }) => key))
  const isAdded = new Set(added.map(({ id }) => id))
  const changes = new Map(changed.map((change) => [change.id, change]))
  const back = new Map<string, ProjectEntry[]>()
  for (const key of keys) {
    const unchanged = head.of(key).filter(({ secretId }) => !isAdded.has(secretId))
    const then = unchanged.map((entry) => {
      const was = changes.get(entry.secretId)
      return was === undefined ? entry : changedBack(entry, was)
    })
    back.set(key, [...then, ...removed.filter((entry) => entry.key === key).map(removedEntry)])
  }
  return {
    // The stagelets of then are not asked for: they are taken to be where they are now.
    layout: head.layout,
    of: (key) => back.get(key) ?? head.of(key),
    keys: () => new Set([...head.keys(), ...keys]),
    differs: (key) => keys.has(key),
    referring: (key) => head.referring(key),
  }
}

/** The rule of precedence is asked where there are rivals, which is seldom. */
export const winnerOf = (
  set: SetIndex,
  viewer: ServiceViewer,
  key: string,
): ProjectEntry | undefined => {
  const all = set.of(key)
  const mine = all.filter((entry) => sees(entry, viewer, set.layout))
  if (mine.length < 2) return mine[0]
  const entries = environmentSet({ entries: all, layout: set.layout }, viewer.stagelet)
  const winner = winnersFor(viewer.service, viewer.stagelet, entries).get(key)
  return all.find(({ secretId }) => secretId === winner?.secretId)
}

/** Secrets and versions that the value of an entry is made of, itself among them, as one name for each. */
export const madeOf = (
  set: SetIndex,
  stagelet: string,
  entry: ProjectEntry,
  found = new Set<string>(),
): ReadonlySet<string> => {
  const name = `${entry.secretId} ${entry.version}`
  if (found.has(name)) return found
  found.add(name)
  for (const reference of entry.references ?? []) {
    const { scope, key } = targetOf(entry, reference)
    const target = winnerOf(set, { stagelet, service: scope }, key)
    if (target === undefined) found.add(`no ${scope}/${key}`)
    else madeOf(set, stagelet, target, found)
  }
  return found
}

const isWithin = (part: ReadonlySet<string>, whole: ReadonlySet<string>): boolean =>
  [...part].every((element) => whole.has(element))

/** Whether a service finds the same value in both sets: the same secret, the same version, and so all it refers to. */
export const isSameIn = (a: SetIndex, b: SetIndex, viewer: ServiceViewer, key: string): boolean => {
  const [inA, inB] = [winnerOf(a, viewer, key), winnerOf(b, viewer, key)]
  if (inA === undefined || inB === undefined) return inA === inB
  if (inA.secretId !== inB.secretId || inA.version !== inB.version) return false
  if (inA.references === undefined) return true
  const [ofOne, ofOther] = [madeOf(a, viewer.stagelet, inA), madeOf(b, viewer.stagelet, inB)]
  return ofOne.size === ofOther.size && isWithin(ofOne, ofOther)
}

/** Whether what a service sees under `key` is made of all of `parts`. */
export const isMadeOf = (
  set: SetIndex,
  viewer: ServiceViewer,
  key: string,
  parts: ReadonlySet<string>,
): boolean => {
  const winner = winnerOf(set, viewer, key)
  return winner !== undefined && isWithin(parts, madeOf(set, viewer.stagelet, winner))
}
