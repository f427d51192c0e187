// Which containers held a version of a secret: by what agents told of containers, and for the time before, by rollouts.
import type { Exposure } from '../../src/audit/exposure.ts'
import { append } from '../../src/kernel/append.ts'
import { toFineTimestamp, toTimestamp } from '../../src/kernel/clock.ts'
import { engineUnavailable, type ObservationSpec } from '../../src/kinds/observation/schema.ts'
import { refOf, type KubeObject } from '../../src/resources/meta.ts'
import {
  intervalsBefore,
  lifeInterval,
  type RolloutFacts,
} from '../../src/rollout/held-intervals.ts'
import { environmentSet } from '../../src/secrets/environment-set.ts'
import { createDependencies } from '../../src/secrets/references.ts'
import type { SetEntry } from '../../src/secrets/set-entry.ts'
import { viewsOf } from '../../src/secrets/set-views.ts'
import type { Activity, ContainerActivity } from '../../src/store/core/activity-entry.ts'
import { isNotKept } from '../../src/store/core/errors.ts'
import type { SecretSet } from '../../src/store/core/sets.ts'
import type { Store } from '../../src/store/store.ts'

export type RolloutActivity = Extract<Activity, { kind: 'rollout' }>
export type IsVersion = (entry: Pick<SetEntry, 'secretId' | 'version'>) => boolean

type Holders = Exposure['holders']

interface HolderFacts {
  /** The oldest first, as containers. */
  readonly rollouts: readonly RolloutActivity[]
  readonly containers: readonly ContainerActivity[]
  readonly stagelets: readonly KubeObject[]
  readonly wanted: { readonly fromRevision: number; readonly createdAt: string }
}

/** What a service of a stagelet gets at a revision. */
interface ServiceSight {
  readonly digest: string | undefined
  /** It gets the version, also as a part of another value. */
  readonly holds: boolean
}

const noneWhereNotKept = (error: unknown): undefined => {
  if (!isNotKept(error)) throw error
}

const createSights = (
  readSet: (revision: number) => Promise<SecretSet>,
  is: IsVersion,
): ((stagelet: string, service: string, revision: number) => Promise<ServiceSight | undefined>) => {
  const sets = new Map<number, Promise<SecretSet | undefined>>()
  return async (stagelet, service, revision) => {
    const reading = sets.get(revision) ?? readSet(revision).catch(noneWhereNotKept)
    sets.set(revision, reading)
    const set = await reading
    if (set === undefined) return undefined
    const seen = environmentSet(set, stagelet)
    const parts = createDependencies(seen, stagelet)
    const { visible, digest } = viewsOf(seen).viewOf(stagelet, service)
    return { digest, holds: visible.some((entry) => parts(entry).some(is)) }
  }
}

/** The rows of one stagelet, and what its agent reported last. */
interface StageletRows {
  readonly stagelet: string
  readonly rollouts: readonly RolloutActivity[]
  readonly containers: readonly ContainerActivity[]
  readonly observed: ObservationSpec | undefined
}

const byStagelet = async (
  store: Pick<Store, 'get'>,
  { rollouts, containers, stagelets }: HolderFacts,
): Promise<StageletRows[]> => {
  const subjects = new Set([...rollouts, ...containers].map(({ subject }) => subject))
  return Promise.all(
    [...subjects].map(async (subject) => {
      const isOwn = (row: { readonly subject: string }): boolean => row.subject === subject
      const own = { rollouts: rollouts.filter(isOwn), containers: containers.filter(isOwn) }
      const stagelet = stagelets.find(({ metadata }) => metadata.uid === subject)
      const name = [...own.rollouts, ...own.containers].at(-1)?.stagelet ?? ''
      const observed = stagelet && (await store.get({ ...refOf(stagelet), kind: 'Observation' }))
      return { stagelet: name, observed: observed?.spec, ...own }
    }),
  )
}

/** When the container was looked for and not found; undefined where it is there, or nobody has looked. */
const missedAt = (
  observed: ObservationSpec | undefined,
  { detail: { service, digest }, mark }: ContainerActivity,
): string | undefined => {
  if (observed === undefined || observed.services.length === 0) return undefined
  if (observed.fault?.reason === engineUnavailable) return undefined
  const { oldest = [], digests } = observed.services.find(({ name }) => name === service) ?? {}
  if (oldest.some(({ id }) => mark.endsWith(id))) return undefined
  const isStray = observed.strays?.some((s) => s.name === service && s.digests.includes(digest))
  const isUntold = digests !== undefined && digests.length > oldest.length
  return isStray === true || isUntold ? undefined : observed.receivedAt
}

const rolloutFacts = ({ at, detail }: RolloutActivity, service: string): RolloutFacts => {
  const { revision, startedAt, finishedAt, result, services } = detail
  const rolled = services?.find(({ name }) => name === service)
  return {
    revision,
    startedAt: startedAt ?? toTimestamp(at),
    finishedAt,
    result,
    what: rolled?.what ?? (services === undefined ? undefined : 'untouched'),
    since: rolled?.since,
  }
}

const idOf = ({ mark }: ContainerActivity): string => mark.slice(mark.indexOf(' ') + 1)

type Sights = ReadonlyMap<number, ServiceSight | undefined>

/** What is known by the label of a container: false where its secrets are without the version. */
const holdsBy = (digest: string, sights: Sights): boolean | undefined =>
  [...sights.values()].find((sight) => sight?.digest === digest)?.holds

const ofService = (
  { stagelet, rollouts, containers, observed }: StageletRows,
  service: string,
  { sights, createdAt }: { readonly sights: Sights; readonly createdAt: string },
): Holders => {
  const own = containers.filter(({ detail }) => detail.service === service)
  const made = own.flatMap((row) => row.detail.made ?? []).sort()
  // Of a revision that is kept no more, nobody knows.
  const before = intervalsBefore(
    made[0],
    rollouts.map((row) => rolloutFacts(row, service)),
    (revision) => sights.get(revision)?.holds ?? true,
  )
  const measured = own.flatMap((row) => {
    const { detail, at } = row
    const holds = holdsBy(detail.digest, sights)
    const isOver = detail.removed !== undefined && detail.removed < createdAt
    if (holds === false || (holds === undefined && isOver)) return []
    const life = { ...detail, thereAt: toFineTimestamp(at), missedAt: missedAt(observed, row) }
    const certain = holds === true && detail.made !== undefined
    return [{ container: idOf(row), ...lifeInterval(life, createdAt), certain }]
  })
  const single = observed?.services.find(({ name }) => name === service)?.oneOff ?? []
  const latest = observed?.receivedAt ?? createdAt
  const running = single.flatMap((digest) =>
    holdsBy(digest, sights) === false
      ? []
      : [{ from: { earliest: createdAt, latest }, certain: false }],
  )
  return [...before, ...measured, ...running].map((held) => ({ stagelet, service, ...held }))
}

/** Which containers of the project held the version, and when. */
export const holdersOf = async (
  store: Pick<Store, 'get' | 'readSet'>,
  projectUid: string,
  is: IsVersion,
  facts: HolderFacts,
): Promise<Holders> => {
  const sightAt = createSights((revision) => store.readSet(projectUid, revision), is)
  const holders: Holders = []
  for (const rows of await byStagelet(store, facts)) {
    const { rollouts, containers, observed } = rows
    const services = new Set([
      ...rollouts.flatMap(({ detail }) => (detail.services ?? []).map(({ name }) => name)),
      ...containers.map(({ detail }) => detail.service),
    ])
    const revisions = new Set([
      ...rollouts.map(({ detail }) => detail.revision),
      facts.wanted.fromRevision,
      ...(observed === undefined ? [] : [observed.revision]),
    ])
    for (const service of [...services].sort()) {
      const sights = new Map<number, ServiceSight | undefined>()
      for (const revision of revisions)
        sights.set(revision, await sightAt(rows.stagelet, service, revision))
      append(holders, ofService(rows, service, { sights, createdAt: facts.wanted.createdAt }))
    }
  }
  return holders
}
