// What each service should see and what it runs, for each secret and each cell: computed when it is shown, and once.
// What a service should see is what wins in the newest set; what it runs is what won in the set that it is measured
// to run. Pure.
import { grouped } from '../../../src/kernel/grouped.ts'
import { isStopped } from '../../../src/kinds/stagelet/stopped-service.ts'
import type { ProjectEntry } from '../../../src/secrets/set-entry.ts'
import type { Secret, Stagelet } from '../../../src/generated/rest-types.ts'
import { reaches, sees } from '../../../src/secrets/place.ts'
import { isMadeOf, isSameIn, madeOf, winnerOf, type SetIndex } from './set-index.ts'
import {
  counted,
  latest,
  sayRuns,
  summary,
  type Counted,
  type Measured,
  type RunCount,
  type ServiceConsumer,
  type ServiceRef,
} from './run-count.ts'

/** The set of a revision; undefined: not known yet. */
export type SetAt = (revision: number) => SetIndex | undefined

/** What one or several services of a stagelet have under a key. */
export interface Cell extends RunCount {
  /** What wins, each once. */
  readonly winners: readonly ProjectEntry[]
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

/** The services that see a secret which is alone with its key: the same for all such secrets of one place. */
interface Group {
  readonly serviceRefs: readonly ServiceRef[]
  /** Of those whose answer is the same for every key. */
  readonly fixed: Counted
  /** The others, by the revision that they run. */
  readonly late: ReadonlyMap<number, readonly ServiceRef[]>
  readonly since: string | undefined
}

/** The revision by which a service is compared; undefined: what it runs is said by the service alone. */
const comparedBy = ({ status }: ServiceRef): number | undefined =>
  status.state !== 'unknown' && !isStopped(status) && status.in_sync === false
    ? status.revision
    : undefined

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
  stagelets.flatMap((parent) =>
    parent.services.map((status) => ({
      parent,
      status,
      stagelet: parent.name,
      service: status.name,
    })),
  )

/** Whether a service runs what it should; undefined: not known. */
const measured = (
  serviceRef: ServiceRef,
  setAt: SetAt,
  isSame: (set: SetIndex) => boolean | undefined,
): boolean | undefined => {
  const { state, in_sync: inSync } = serviceRef.status
  if (state === 'unknown') return undefined
  if (isStopped(serviceRef.status)) return false
  if (inSync !== false) return inSync
  const revision = comparedBy(serviceRef)
  if (revision === undefined) return false
  const set = setAt(revision)
  return set === undefined ? undefined : isSame(set)
}
const noSet: SetAt = () => undefined

/** The services that may see a secret, by its place. */
type RefsFor = (entry: ProjectEntry) => readonly ServiceRef[]

const createConsumers = (
  head: SetIndex,
  {
    serviceRefs,
    refsFor,
  }: { readonly serviceRefs: readonly ServiceRef[]; readonly refsFor: RefsFor },
  setAt: SetAt,
) => {
  const direct = (entry: ProjectEntry, serviceRef: ServiceRef): Measured | undefined =>
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
    entry: ProjectEntry,
    serviceRef: ServiceRef,
    referring: ReadonlySet<string>,
  ): Measured | undefined => {
    if (referring.size === 0) return undefined
    if (!reaches(entry, serviceRef.stagelet, head.layout)) return undefined
    const parts = madeOf(head, serviceRef.stagelet, entry)
    const referrers = [...referring].filter((referrer) =>
      isMadeOf(head, serviceRef, referrer, parts),
    )
    const isSame = (set: SetIndex): boolean =>
      referrers.every((referrer) => isMadeOf(set, serviceRef, referrer, parts))
    return referrers.length === 0
      ? undefined
      : { serviceRef, isCurrent: measured(serviceRef, setAt, isSame) }
  }
  return ({ id, key }: Pick<Secret, 'id' | 'key'>): Measured[] => {
    const entry = head.of(key).find(({ secretId }) => secretId === id)
    if (entry === undefined) return []
    const referring = head.referring(key)
    const found: Measured[] = []
    for (const serviceRef of referring.size === 0 ? refsFor(entry) : serviceRefs) {
      const consumer = direct(entry, serviceRef) ?? indirect(entry, serviceRef, referring)
      if (consumer !== undefined) found.push(consumer)
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
  const groups = new Map<string, Group>()
  const groupFor = (entry: ProjectEntry): Group => {
    const { scope, stagelet, environments } = entry
    const place = JSON.stringify([scope, stagelet, environments])
    const known = groups.get(place)
    if (known !== undefined) return known
    const own = stagelet === undefined ? serviceRefs : (byStagelet.get(stagelet) ?? [])
    const group = groupOf(own.filter((serviceRef) => sees(entry, serviceRef, head.layout)))
    groups.set(place, group)
    return group
  }
  const consumersOfSecret = createConsumers(
    head,
    { serviceRefs, refsFor: (entry) => groupFor(entry).serviceRefs },
    setAt,
  )
  const runs = new Map<string, RunCount>()
  const runsOf: Matrix['runsOf'] = (secret) => {
    const cached = runs.get(secret.id)
    if (cached !== undefined) return cached
    const count = quickly(secret) ?? summary(consumersOfSecret(secret))
    runs.set(secret.id, count)
    return count
  }
  /** Most keys have one secret, which nothing refers to: then services are counted, not compared. */
  const quickly = ({ id, key }: Pick<Secret, 'id' | 'key'>): RunCount | undefined => {
    const [entry, rival] = head.of(key)
    if (entry?.secretId !== id || rival !== undefined) return undefined
    if (entry.references !== undefined || head.referring(key).size > 0) return undefined
    const { serviceRefs: all, fixed, late, since } = groupFor(entry)
    let { current, behind } = fixed
    for (const [revision, services] of late) {
      const set = setAt(revision)
      if (set === undefined) continue
      const differing = set.differs(key)
        ? services.filter((serviceRef) => !isSameIn(head, set, serviceRef, key))
        : []
      current += services.length - differing.length
      behind ??= differing[0]
    }
    return sayRuns({ total: all.length, current, behind }, () => since)
  }
  const cellOf: Matrix['cellOf'] = (key, services) => {
    const winners = new Map<string, ProjectEntry>()
    const found: Measured[] = []
    let compose = 0
    for (const serviceRef of services) {
      const winner = winnerOf(head, serviceRef, key)
      if (winner !== undefined) {
        winners.set(winner.secretId, winner)
        found.push({
          serviceRef,
          isCurrent: measured(serviceRef, setAt, (set) => isSameIn(head, set, serviceRef, key)),
        })
      } else if (serviceRef.status.compose_keys?.includes(key) === true) compose += 1
    }
    if (found.length === 0 && compose === 0) return undefined
    return { ...summary(found), winners: [...winners.values()], compose }
  }
  return {
    head,
    serviceRefs,
    runsOf,
    cellOf,
    serviceRefsOf: (stagelet) => byStagelet.get(stagelet) ?? [],
    consumersOf: (secret) =>
      consumersOfSecret(secret).map(({ serviceRef, isCurrent }) => ({
        stagelet: serviceRef.parent,
        service: serviceRef.status,
        isCurrent,
      })),
  }
}
