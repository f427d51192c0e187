// What each service should see and what it runs, for each secret and each cell: computed when it is shown, and once.
// What a service should see is what wins in the newest set; what it runs is what won in the set that it is measured
// to run. Pure.
import { isStopped } from '../../../../src/resources/kinds/stopped-service.ts'
import type { SetEntry } from '../../../../src/secrets/set-entry.ts'
import type { Secret, Service, Stagelet } from '../../../../src/rest/types.ts'
import { stageletState } from '../../../live/states.ts'
import type { StateKind } from '../../../ui/state.tsx'
import {
  isMadeOf,
  isSameIn,
  madeOf,
  winnerOf,
  type SetIndex,
  type SetViewer,
} from '../set-index.ts'

/** One service of one stagelet. */
export interface ServiceRef extends SetViewer {
  readonly of: Stagelet
  readonly is: Service
}

export interface ServiceConsumer {
  readonly stagelet: Stagelet
  readonly service: Service
  /** undefined: nobody sees it now. */
  readonly isCurrent: boolean | undefined
}

/** In how many of the services that see a secret its newest value runs. */
export interface RunCount {
  readonly kind: StateKind
  /** `current`, `behind`, `unknown` or `unseen`, for the filter. */
  readonly word: 'current' | 'behind' | 'unknown' | 'unseen'
  readonly current: number
  readonly total: number
  /** When the newest of the containers started; only when all run it. */
  readonly since: string | undefined
}

export const noRuns: RunCount = {
  ...{ kind: 'wait', word: 'unseen', current: 0, total: 0 },
  since: undefined,
}

/** The set of a revision; undefined: not known yet. */
export type SetAt = (revision: number) => SetIndex | undefined

/** What one or several services of a stagelet have under a key. */
export interface Cell extends RunCount {
  /** What wins, each once. */
  readonly winners: readonly SetEntry[]
  /** How many services have it from the Compose file alone. */
  readonly compose: number
}

export interface Matrix {
  readonly head: SetIndex
  readonly serviceRefs: readonly ServiceRef[]
  readonly serviceRefsOf: (stagelet: string) => readonly ServiceRef[]
  readonly runsOf: (secret: Pick<Secret, 'id' | 'key'>) => RunCount
  /** The services that see a secret, also those that see only another one that refers to it. */
  readonly consumersOf: (secret: Pick<Secret, 'id' | 'key'>) => readonly ServiceConsumer[]
  readonly cellOf: (key: string, serviceRefs: readonly ServiceRef[]) => Cell | undefined
}

interface Measured {
  readonly serviceRef: ServiceRef
  /** undefined: nobody sees it now. */
  readonly isCurrent: boolean | undefined
}

const latest = (serviceRefs: readonly ServiceRef[]): string | undefined => {
  let last: string | undefined
  for (const { is } of serviceRefs)
    if (is.since !== undefined && (last === undefined || is.since > last)) last = is.since
  return last
}

/** How many services run it, and one that does not. */
interface Counted {
  readonly total: number
  readonly current: number
  readonly behind: ServiceRef | undefined
}

const sayRuns = (
  { total, current, behind }: Counted,
  since: () => string | undefined,
): RunCount => {
  const say = (kind: StateKind, word: RunCount['word']): RunCount => ({
    ...{ kind, word, current, total },
    since: word === 'current' ? since() : undefined,
  })
  if (total === 0) return noRuns
  if (current === total) return say('ok', 'current')
  if (behind === undefined) return say('unknown', 'unknown')
  const { kind } = stageletState(behind.of)
  return say(kind === 'ok' ? 'wait' : kind, 'behind')
}

const counted = (found: readonly Measured[]): Counted => ({
  total: found.length,
  current: found.filter(({ isCurrent }) => isCurrent === true).length,
  behind: found.find(({ isCurrent }) => isCurrent === false)?.serviceRef,
})

const summary = (found: readonly Measured[]): RunCount =>
  sayRuns(counted(found), () => latest(found.map(({ serviceRef }) => serviceRef)))

/** The services that see a secret which is alone with its key: the same for all such secrets of one place. */
interface Group {
  readonly serviceRefs: readonly ServiceRef[]
  /** Of those whose answer is the same for every key. */
  readonly fixed: Counted
  /** The others, by the revision that they run. */
  readonly late: ReadonlyMap<number, readonly ServiceRef[]>
  readonly since: string | undefined
}

const grouped = <K, T>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> => {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}

/** The revision by which a service is compared; undefined: what it runs is said by the service alone. */
const comparedBy = ({ is }: ServiceRef): number | undefined =>
  is.state !== 'unknown' && !isStopped(is) && is.in_sync === false ? is.revision : undefined

const groupOf = (serviceRefs: readonly ServiceRef[]): Group => {
  const late = grouped(serviceRefs, comparedBy)
  const alike = late.get(undefined) ?? []
  late.delete(undefined)
  return {
    serviceRefs,
    fixed: counted(
      alike.map((serviceRef) => ({
        serviceRef,
        isCurrent: measured(serviceRef, noSet, () => undefined),
      })),
    ),
    late: late as Map<number, ServiceRef[]>,
    since: latest(serviceRefs),
  }
}

const serviceRefsIn = (stagelets: readonly Stagelet[]): ServiceRef[] =>
  stagelets.flatMap((of) =>
    of.services.map((is) => ({ of, is, stagelet: of.name, service: is.name })),
  )

const remembered = <T>(make: (key: string) => T): ((key: string) => T) => {
  const known = new Map<string, T>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    const made = make(key)
    known.set(key, made)
    return made
  }
}

/** Whether a service runs what it should; undefined: not known. */
const measured = (
  serviceRef: ServiceRef,
  setAt: SetAt,
  isSame: (set: SetIndex) => boolean | undefined,
): boolean | undefined => {
  const { state, in_sync: inSync } = serviceRef.is
  if (state === 'unknown') return undefined
  if (isStopped(serviceRef.is)) return false
  if (inSync !== false) return inSync
  const revision = comparedBy(serviceRef)
  if (revision === undefined) return false
  const set = setAt(revision)
  return set === undefined ? undefined : isSame(set)
}
const noSet: SetAt = () => undefined

/** The services in which a secret may be consumersOfSecret by its place. */
type RefsFor = (entry: SetEntry) => readonly ServiceRef[]

const createConsumers = (
  head: SetIndex,
  {
    serviceRefs,
    refsFor,
  }: { readonly serviceRefs: readonly ServiceRef[]; readonly refsFor: RefsFor },
  setAt: SetAt,
) => {
  const direct = (entry: SetEntry, serviceRef: ServiceRef): Measured | undefined =>
    winnerOf(head, serviceRef, entry.key)?.secretId === entry.secretId
      ? {
          serviceRef,
          isCurrent: measured(serviceRef, setAt, (set) =>
            isSameIn(head, set, serviceRef, entry.key),
          ),
        }
      : undefined
  /** Of a service that sees only what refers to the secret. */
  const indirect = (
    entry: SetEntry,
    serviceRef: ServiceRef,
    referring: ReadonlySet<string>,
  ): Measured | undefined => {
    if (referring.size === 0) return undefined
    if (entry.stagelet !== undefined && entry.stagelet !== serviceRef.stagelet) return undefined
    const parts = madeOf(head, serviceRef.stagelet, entry)
    const by = [...referring].filter((one) => isMadeOf(head, serviceRef, one, parts))
    const isSame = (set: SetIndex): boolean =>
      by.every((one) => isMadeOf(set, serviceRef, one, parts))
    return by.length === 0
      ? undefined
      : { serviceRef, isCurrent: measured(serviceRef, setAt, isSame) }
  }
  return ({ id, key }: Pick<Secret, 'id' | 'key'>): Measured[] => {
    const entry = head.of(key).find(({ secretId }) => secretId === id)
    if (entry === undefined) return []
    const referring = head.referring(key)
    const found: Measured[] = []
    for (const serviceRef of referring.size === 0 ? refsFor(entry) : serviceRefs) {
      const one = direct(entry, serviceRef) ?? indirect(entry, serviceRef, referring)
      if (one !== undefined) found.push(one)
    }
    return found
  }
}

export const createMatrix = (
  head: SetIndex,
  stagelets: readonly Stagelet[],
  setAt: SetAt,
): Matrix => {
  const serviceRefs = serviceRefsIn(stagelets)
  const byStagelet = grouped(serviceRefs, ({ stagelet }) => stagelet)
  const group = remembered((place) => {
    const [scope = '', stagelet] = place.split(' ')
    const own = stagelet === undefined ? serviceRefs : (byStagelet.get(stagelet) ?? [])
    return groupOf(scope === 'global' ? own : own.filter(({ service }) => service === scope))
  })
  const groupFor = ({ scope, stagelet }: SetEntry): Group =>
    group(stagelet === undefined ? scope : `${scope} ${stagelet}`)
  const consumersOfSecret = createConsumers(
    head,
    { serviceRefs, refsFor: (entry) => groupFor(entry).serviceRefs },
    setAt,
  )
  const runs = new Map<string, RunCount>()
  const runsOf: Matrix['runsOf'] = (secret) => {
    const known = runs.get(secret.id)
    if (known !== undefined) return known
    const made = quickly(secret) ?? summary(consumersOfSecret(secret))
    runs.set(secret.id, made)
    return made
  }
  /** Most keys have one secret, which nothing refers to: then services are counted, not compared. */
  const quickly = ({ id, key }: Pick<Secret, 'id' | 'key'>): RunCount | undefined => {
    const [entry, rival] = head.of(key)
    if (entry?.secretId !== id || rival !== undefined) return undefined
    if (entry.references !== undefined || head.referring(key).size > 0) return undefined
    const { serviceRefs: all, fixed, late, since } = groupFor(entry)
    let { current, behind } = fixed
    for (const [revision, of] of late) {
      const set = setAt(revision)
      if (set === undefined) continue
      const differing = set.differs(key)
        ? of.filter((serviceRef) => !isSameIn(head, set, serviceRef, key))
        : []
      current += of.length - differing.length
      behind ??= differing[0]
    }
    return sayRuns({ total: all.length, current, behind }, () => since)
  }
  const cellOf: Matrix['cellOf'] = (key, of) => {
    const winners = new Map<string, SetEntry>()
    const found: Measured[] = []
    let compose = 0
    for (const serviceRef of of) {
      const winner = winnerOf(head, serviceRef, key)
      if (winner !== undefined) {
        winners.set(winner.secretId, winner)
        found.push({
          serviceRef,
          isCurrent: measured(serviceRef, setAt, (set) => isSameIn(head, set, serviceRef, key)),
        })
      } else if (serviceRef.is.compose_keys?.includes(key) === true) compose += 1
    }
    if (found.length === 0 && compose === 0) return undefined
    return { ...summary(found), winners: [...winners.values()], compose }
  }
  return {
    ...{ head, serviceRefs, runsOf, cellOf },
    serviceRefsOf: (stagelet) => byStagelet.get(stagelet) ?? [],
    consumersOf: (secret) =>
      consumersOfSecret(secret).map(({ serviceRef, isCurrent }) => ({
        ...{ stagelet: serviceRef.of, service: serviceRef.is, isCurrent },
      })),
  }
}
