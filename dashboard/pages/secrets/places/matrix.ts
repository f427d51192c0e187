// What each service should see and what it runs, for each secret and each cell: computed when it is shown, and once.
// What a service should see is what wins in the newest set; what it runs is what won in the set that it is measured
// to run. Pure.
import { isStopped } from '../../../../src/resources/kinds/stopped-service.ts'
import type { SetEntry } from '../../../../src/secrets/set-entry.ts'
import type { Secret, Service, Stagelet } from '../../../../src/rest/types.ts'
import { stageletState } from '../../../live/states.ts'
import type { StateKind } from '../../../ui/state.tsx'
import { isMadeOf, isSameIn, madeOf, winnerOf, type SetIndex, type Viewer } from '../set-index.ts'

/** One service of one stagelet. */
export interface Seat extends Viewer {
  readonly of: Stagelet
  readonly is: Service
}

export interface Consumer {
  readonly stagelet: Stagelet
  readonly service: Service
  /** undefined: nobody sees it now. */
  readonly isCurrent: boolean | undefined
}

/** In how many of the services that see a secret its newest value runs. */
export interface Runs {
  readonly kind: StateKind
  /** `current`, `behind`, `unknown` or `unseen`, for the filter. */
  readonly word: 'current' | 'behind' | 'unknown' | 'unseen'
  readonly current: number
  readonly total: number
  /** When the newest of the containers started; only when all run it. */
  readonly since: string | undefined
}

export const unseen: Runs = {
  ...{ kind: 'wait', word: 'unseen', current: 0, total: 0 },
  since: undefined,
}

/** The set of a revision; undefined: not known yet. */
export type SetAt = (revision: number) => SetIndex | undefined

/** What one or several services of a stagelet have under a key. */
export interface Cell extends Runs {
  /** What wins, each once. */
  readonly winners: readonly SetEntry[]
  /** How many services have it from the Compose file alone. */
  readonly compose: number
}

export interface Matrix {
  readonly head: SetIndex
  readonly seats: readonly Seat[]
  readonly seatsOf: (stagelet: string) => readonly Seat[]
  readonly runsOf: (secret: Pick<Secret, 'id' | 'key'>) => Runs
  /** The services that see a secret, also those that see only another one that refers to it. */
  readonly consumersOf: (secret: Pick<Secret, 'id' | 'key'>) => readonly Consumer[]
  readonly cellOf: (key: string, seats: readonly Seat[]) => Cell | undefined
}

interface Measured {
  readonly seat: Seat
  /** undefined: nobody sees it now. */
  readonly isCurrent: boolean | undefined
}

const latest = (seats: readonly Seat[]): string | undefined => {
  let last: string | undefined
  for (const { is } of seats)
    if (is.since !== undefined && (last === undefined || is.since > last)) last = is.since
  return last
}

/** How many services run it, and one that does not. */
interface Counted {
  readonly total: number
  readonly current: number
  readonly behind: Seat | undefined
}

const sayRuns = ({ total, current, behind }: Counted, since: () => string | undefined): Runs => {
  const say = (kind: StateKind, word: Runs['word']): Runs => ({
    ...{ kind, word, current, total },
    since: word === 'current' ? since() : undefined,
  })
  if (total === 0) return unseen
  if (current === total) return say('ok', 'current')
  if (behind === undefined) return say('unknown', 'unknown')
  const { kind } = stageletState(behind.of)
  return say(kind === 'ok' ? 'wait' : kind, 'behind')
}

const counted = (found: readonly Measured[]): Counted => ({
  total: found.length,
  current: found.filter(({ isCurrent }) => isCurrent === true).length,
  behind: found.find(({ isCurrent }) => isCurrent === false)?.seat,
})

const summary = (found: readonly Measured[]): Runs =>
  sayRuns(counted(found), () => latest(found.map(({ seat }) => seat)))

/** The services that see a secret which is alone with its key: the same for all such secrets of one place. */
interface Group {
  readonly seats: readonly Seat[]
  /** Of those whose answer is the same for every key. */
  readonly fixed: Counted
  /** The others, by the revision that they run. */
  readonly late: ReadonlyMap<number, readonly Seat[]>
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
const comparedBy = ({ is }: Seat): number | undefined =>
  is.state !== 'unknown' && !isStopped(is) && is.in_sync === false ? is.revision : undefined

const groupOf = (seats: readonly Seat[]): Group => {
  const late = grouped(seats, comparedBy)
  const alike = late.get(undefined) ?? []
  late.delete(undefined)
  return {
    seats,
    fixed: counted(
      alike.map((seat) => ({ seat, isCurrent: measured(seat, noSet, () => undefined) })),
    ),
    late: late as Map<number, Seat[]>,
    since: latest(seats),
  }
}

const seatsIn = (stagelets: readonly Stagelet[]): Seat[] =>
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

/** Of one seat: whether what it runs is what it should; undefined: nobody knows. */
const measured = (
  seat: Seat,
  setAt: SetAt,
  isSame: (set: SetIndex) => boolean | undefined,
): boolean | undefined => {
  const { state, in_sync: inSync } = seat.is
  if (state === 'unknown') return undefined
  if (isStopped(seat.is)) return false
  if (inSync !== false) return inSync
  const revision = comparedBy(seat)
  if (revision === undefined) return false
  const set = setAt(revision)
  return set === undefined ? undefined : isSame(set)
}
const noSet: SetAt = () => undefined

/** The services in which a secret may be seen by its place. */
type SeatsFor = (entry: SetEntry) => readonly Seat[]

const createConsumers = (
  head: SetIndex,
  { seats, seatsFor }: { readonly seats: readonly Seat[]; readonly seatsFor: SeatsFor },
  setAt: SetAt,
) => {
  const direct = (entry: SetEntry, seat: Seat): Measured | undefined =>
    winnerOf(head, seat, entry.key)?.secretId === entry.secretId
      ? { seat, isCurrent: measured(seat, setAt, (set) => isSameIn(head, set, seat, entry.key)) }
      : undefined
  /** Of a service that sees only what refers to the secret. */
  const indirect = (
    entry: SetEntry,
    seat: Seat,
    referring: ReadonlySet<string>,
  ): Measured | undefined => {
    if (referring.size === 0) return undefined
    if (entry.stagelet !== undefined && entry.stagelet !== seat.stagelet) return undefined
    const parts = madeOf(head, seat.stagelet, entry)
    const by = [...referring].filter((one) => isMadeOf(head, seat, one, parts))
    const isSame = (set: SetIndex): boolean => by.every((one) => isMadeOf(set, seat, one, parts))
    return by.length === 0 ? undefined : { seat, isCurrent: measured(seat, setAt, isSame) }
  }
  return ({ id, key }: Pick<Secret, 'id' | 'key'>): Measured[] => {
    const entry = head.of(key).find(({ secretId }) => secretId === id)
    if (entry === undefined) return []
    const referring = head.referring(key)
    const found: Measured[] = []
    for (const seat of referring.size === 0 ? seatsFor(entry) : seats) {
      const one = direct(entry, seat) ?? indirect(entry, seat, referring)
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
  const seats = seatsIn(stagelets)
  const byStagelet = grouped(seats, ({ stagelet }) => stagelet)
  const group = remembered((place) => {
    const [scope = '', stagelet] = place.split(' ')
    const own = stagelet === undefined ? seats : (byStagelet.get(stagelet) ?? [])
    return groupOf(scope === 'global' ? own : own.filter(({ service }) => service === scope))
  })
  const groupFor = ({ scope, stagelet }: SetEntry): Group =>
    group(stagelet === undefined ? scope : `${scope} ${stagelet}`)
  const seen = createConsumers(head, { seats, seatsFor: (entry) => groupFor(entry).seats }, setAt)
  const runs = new Map<string, Runs>()
  const runsOf: Matrix['runsOf'] = (secret) => {
    const known = runs.get(secret.id)
    if (known !== undefined) return known
    const made = quickly(secret) ?? summary(seen(secret))
    runs.set(secret.id, made)
    return made
  }
  /** Most keys have one secret, which nothing refers to: then services are counted, not compared. */
  const quickly = ({ id, key }: Pick<Secret, 'id' | 'key'>): Runs | undefined => {
    const [entry, rival] = head.of(key)
    if (entry?.secretId !== id || rival !== undefined) return undefined
    if (entry.references !== undefined || head.referring(key).size > 0) return undefined
    const { seats: all, fixed, late, since } = groupFor(entry)
    let { current, behind } = fixed
    for (const [revision, of] of late) {
      const set = setAt(revision)
      if (set === undefined) continue
      const differing = set.differs(key) ? of.filter((seat) => !isSameIn(head, set, seat, key)) : []
      current += of.length - differing.length
      behind ??= differing[0]
    }
    return sayRuns({ total: all.length, current, behind }, () => since)
  }
  const cellOf: Matrix['cellOf'] = (key, of) => {
    const winners = new Map<string, SetEntry>()
    const found: Measured[] = []
    let compose = 0
    for (const seat of of) {
      const winner = winnerOf(head, seat, key)
      if (winner !== undefined) {
        winners.set(winner.secretId, winner)
        found.push({
          seat,
          isCurrent: measured(seat, setAt, (set) => isSameIn(head, set, seat, key)),
        })
      } else if (seat.is.compose_keys?.includes(key) === true) compose += 1
    }
    if (found.length === 0 && compose === 0) return undefined
    return { ...summary(found), winners: [...winners.values()], compose }
  }
  return {
    ...{ head, seats, runsOf, cellOf },
    seatsOf: (stagelet) => byStagelet.get(stagelet) ?? [],
    consumersOf: (secret) =>
      seen(secret).map(({ seat, isCurrent }) => ({
        ...{ stagelet: seat.of, service: seat.is, isCurrent },
      })),
  }
}
