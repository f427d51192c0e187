// Gathers what is kept of a version of a secret: the containers that held it, by rollouts, and the people who read it, by
// the audit log.
import type { Exposure } from '../../src/audit/exposure.ts'
import { toTimestamp } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { refOf, type KubeObject } from '../../src/resources/meta.ts'
import { projectRefOf } from '../../src/resources/project-ref.ts'
import { specOf, statusOf } from '../../src/resources/typed.ts'
import { heldIntervals, type RolloutFacts } from '../../src/rollout/held-intervals.ts'
import { environmentSet } from '../../src/secrets/environment-set.ts'
import { createDependencies } from '../../src/secrets/references.ts'
import { statesOf } from '../../src/secrets/version-states.ts'
import { visibleTo } from '../../src/secrets/visible.ts'
import type { ActivityLog } from '../../src/store/activity/activity-log.ts'
import type { AuditLog } from '../../src/store/audit/audit-log.ts'
import type { Activity } from '../../src/store/core/activity-entry.ts'
import type { SecretSet } from '../../src/store/core/sets.ts'
import type { Store } from '../../src/store/store.ts'

export interface ExposureDeps {
  readonly store: Pick<Store, 'list' | 'readSet' | 'versionsOf'>
  readonly activity: Pick<ActivityLog, 'rollouts'>
  readonly audit: Pick<AuditLog, 'list'>
}

type RolloutActivity = Extract<Activity, { kind: 'rollout' }>

const inOnePage = 200
const mostRollouts = 10_000
const mostReads = 10_000

const rolloutsOf = async (
  { activity }: ExposureDeps,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<RolloutActivity[]> => {
  const all: RolloutActivity[] = []
  let before: { at: number; id: number } | undefined
  do {
    const page = await activity.rollouts(
      { teams: [namespace], project: name },
      { before, limit: inOnePage },
    )
    for (const item of page.items) if (item.kind === 'rollout') all.push(item)
    before = page.next
  } while (before !== undefined && all.length < mostRollouts)
  return all.reverse()
}

/** Whether a service of a stagelet gets the value at a revision, also as a part of another one. */
const createHolds = (
  { store }: ExposureDeps,
  projectUid: string,
  is: (entry: { readonly secretId: string; readonly valueDigest: string }) => boolean,
): ((stagelet: string, service: string, revision: number) => Promise<boolean>) => {
  const sets = new Map<number, Promise<SecretSet | undefined>>()
  return async (stagelet, service, revision) => {
    const reading = sets.get(revision) ?? store.readSet(projectUid, revision).catch(() => undefined)
    sets.set(revision, reading)
    const set = await reading
    // Of a revision that is kept no more, nobody knows.
    if (set === undefined) return true
    const seen = environmentSet(set, stagelet)
    const parts = createDependencies(seen, stagelet)
    return visibleTo(service, stagelet, seen).some((entry) => parts(entry).some(is))
  }
}

const factsOf = ({ at, detail }: RolloutActivity, service: string): RolloutFacts => {
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

type Holders = Exposure['holders']

const holdersIn = async (
  rollouts: readonly RolloutActivity[],
  holds: ReturnType<typeof createHolds>,
): Promise<Holders> => {
  const bySubject = new Map<string, RolloutActivity[]>()
  for (const row of rollouts)
    bySubject.set(row.subject, [...(bySubject.get(row.subject) ?? []), row])
  const holders: Holders = []
  for (const rows of bySubject.values()) {
    const stagelet = rows.at(-1)?.stagelet ?? ''
    const services = new Set(
      rows.flatMap(({ detail }) => (detail.services ?? []).map((s) => s.name)),
    )
    for (const service of [...services].sort()) {
      const facts = rows.map((row) => factsOf(row, service))
      const held = new Map<number, boolean>()
      for (const { revision } of facts)
        if (!held.has(revision)) held.set(revision, await holds(stagelet, service, revision))
      for (const interval of heldIntervals(facts, (revision) => held.get(revision) === true))
        holders.push({ stagelet, service, ...interval })
    }
  }
  return holders
}

/** Stagelets that are gone: nobody sees what they have left. */
const goneOf = (
  stagelets: readonly KubeObject[],
  rollouts: readonly RolloutActivity[],
): string[] => {
  const there = new Set(stagelets.map(({ metadata }) => metadata.uid))
  const gone = new Map(
    rollouts.flatMap(({ subject, stagelet, at }) =>
      there.has(subject) ? [] : [[subject, { stagelet, at }] as const],
    ),
  )
  return [...gone.values()].map(
    ({ stagelet = '', at }) =>
      `Stagelet ${stagelet} is gone: what it left running after ${toTimestamp(at)} is not known.`,
  )
}

/** What nobody knows of the project's stagelets. */
const unknownOf = (
  stagelets: readonly KubeObject[],
  rollouts: readonly RolloutActivity[],
  validFrom: string,
): string[] => [
  ...goneOf(stagelets, rollouts),
  ...stagelets.flatMap((stagelet) => {
    const { name, uid } = stagelet.metadata
    const first = rollouts.find(({ subject }) => subject === uid)
    const lastSeen = statusOf('Stagelet', stagelet).lastSeen?.at
    const from = first && toTimestamp(first.at)
    return [
      ...(from === undefined ? [`Of ${name} no rollout is kept: what it held is not known.`] : []),
      ...(from !== undefined && from > validFrom
        ? [`Of ${name} nothing is kept from before ${from}.`]
        : []),
      ...(lastSeen === undefined ? [] : [`Of ${name} nothing was heard since ${lastSeen}.`]),
    ]
  }),
]

const readersOf = async (
  { audit }: ExposureDeps,
  secret: KubeObject,
  versions: ReadonlySet<number>,
): Promise<Pick<Exposure, 'readers'>> => {
  const { namespace, name } = refOf(secret)
  const readers: Exposure['readers'] = []
  let before: number | undefined
  do {
    const filter = {
      teams: [namespace],
      kind: 'StagelySecret',
      namespace,
      name,
      action: 'reveal',
      result: 'success',
    } as const
    const { records, next } = await audit.list(filter, { before, limit: 500 })
    for (const { at, actor, detail = {} } of records) {
      const { uid, version, way } = detail
      if (uid !== secret.metadata.uid || !versions.has(Number(version))) continue
      readers.push({ at, by: actor.name, way: typeof way === 'string' ? way : 'reveal' })
    }
    before = next
  } while (before !== undefined && readers.length < mostReads)
  return { readers: readers.reverse() }
}

/** NotFound for a version that is not kept. */
export const exposureOf = async (
  deps: ExposureDeps,
  project: KubeObject,
  secret: KubeObject,
  { version, nowMs, auditFrom }: { version: number; nowMs: number; auditFrom: string | undefined },
): Promise<Exposure> => {
  const versions = await deps.store.versionsOf(secret.metadata.uid ?? '')
  const wanted = versions.find((row) => row.version === version)
  if (wanted === undefined)
    throw new StagelyError('NotFound', `version ${version} of this secret is not kept`)
  const projectUid = project.metadata.uid ?? ''
  const { entries } = await deps.store.readSet(projectUid, wanted.fromRevision)
  const own = entries.find(({ secretId }) => secretId === secret.metadata.uid)
  const digest = own?.valueDigest
  const holds = createHolds(
    deps,
    projectUid,
    (entry) => entry.secretId === secret.metadata.uid && entry.valueDigest === digest,
  )
  const { namespace, name } = projectRefOf(secret)
  const rollouts = await rolloutsOf(deps, { namespace, name })
  const { items } = await deps.store.list('Stagelet', { namespace, project: name })
  const holders = await holdersIn(rollouts, holds)
  const unknown = unknownOf(items, rollouts, wanted.createdAt)
  const { readers } = await readersOf(deps, secret, new Set([version]))
  const { state, since } = statesOf(versions).find((row) => row.version === version) ?? {}
  const ends = holders.map(({ until }) => until?.latest)
  const isLost = holders.length > 0 && unknown.length === 0 && !ends.includes(undefined)
  const next = versions.find((row) => row.version === version + 1)
  const [oldest] = rollouts
  return {
    team: namespace,
    project: name,
    secret: secret.metadata.name,
    key: specOf('StagelySecret', secret).key,
    scope: wanted.scope,
    version,
    valid_from: wanted.createdAt,
    holders,
    unknown,
    readers,
    issued_at: toTimestamp(nowMs),
    ...defined({
      superseded_at: next?.createdAt,
      refused_since: state === 'revoked' ? since : undefined,
      known_from: oldest && toTimestamp(oldest.at),
      lost_by: isLost ? ends.map(String).sort().at(-1) : undefined,
      readers_from: auditFrom,
    }),
  }
}
