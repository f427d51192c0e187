// Gathers what is kept of a version of a secret: the containers that held it, and the people who read it, by the audit log.
import type { Exposure } from '../../src/audit/exposure.ts'
import { toFineTimestamp, toTimestamp } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { refOf, type KubeObject } from '../../src/resources/meta.ts'
import { projectRefOf } from '../../src/resources/project-ref.ts'
import { specOf, statusOf } from '../../src/kinds/typed.ts'
import type { ActivityLog } from '../../src/store/activity/activity-log.ts'
import type { AuditLog } from '../../src/store/audit/audit-log.ts'
import type { ContainerActivity } from '../../src/store/core/activity-entry.ts'
import type { SecretVersion } from '../../src/store/core/history.ts'
import type { Store } from '../../src/store/store.ts'
import { holdersOf, type IsVersion, type RolloutActivity } from './holders.ts'

interface ExposureDeps {
  readonly store: Pick<Store, 'get' | 'list' | 'readSet' | 'versionsOf'>
  readonly activity: Pick<ActivityLog, 'rollouts' | 'containers'>
  readonly audit: Pick<AuditLog, 'list'>
}

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

type Row = RolloutActivity | ContainerActivity

/** The first time of which something is known. */
const knownFrom = (rows: readonly Row[]): string | undefined =>
  rows
    .map(
      (row) => (row.kind === 'container' ? row.detail.made : undefined) ?? toFineTimestamp(row.at),
    )
    .sort()
    .at(0)

/** Stagelets that are gone: nobody sees what they have left. */
const goneOf = (stagelets: readonly KubeObject[], rows: readonly Row[]): string[] => {
  const there = new Set(stagelets.map(({ metadata }) => metadata.uid))
  const gone = new Map(
    rows.flatMap(({ subject, stagelet, at }) =>
      there.has(subject) ? [] : [[subject, { stagelet, at }] as const],
    ),
  )
  return [...gone.values()].map(
    ({ stagelet = '', at }) =>
      `Stagelet ${stagelet} is gone: what it left running after ${toTimestamp(at)} is not known.`,
  )
}

/** Rows that one machine made beyond its budget are not kept, and counted. */
const notKeptOf = (containers: readonly ContainerActivity[]): string[] =>
  containers.flatMap(({ stagelet = '', detail: { uncounted }, at }) =>
    uncounted === undefined
      ? []
      : [
          `Of ${stagelet} ${uncounted} containers that came or went until ${toTimestamp(at)} are not kept.`,
        ],
  )

/** What nobody knows of the project's stagelets. */
const unknownOf = (
  stagelets: readonly KubeObject[],
  rows: readonly Row[],
  validFrom: string,
): string[] => [
  ...goneOf(stagelets, rows),
  ...stagelets.flatMap((stagelet) => {
    const { name, uid } = stagelet.metadata
    const from = knownFrom(rows.filter(({ subject }) => subject === uid))
    const lastSeen = statusOf('Stagelet', stagelet).lastSeen?.at
    return [
      ...(from === undefined ? [`Of ${name} nothing is kept: what it held is not known.`] : []),
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

/** The version, and all others with its value. */
const equalVersions = (versions: readonly SecretVersion[], version: number): Set<number> => {
  const oldestOf = (one: number): number => {
    const older = versions.find((row) => row.version === one)?.sameAs
    return older === undefined ? one : oldestOf(older)
  }
  const oldest = oldestOf(version)
  return new Set(versions.map((row) => row.version).filter((one) => oldestOf(one) === oldest))
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
  const { namespace, name } = projectRefOf(secret)
  const rollouts = await rolloutsOf(deps, { namespace, name })
  const all = await deps.activity.containers(namespace, name)
  const containers = all.filter(({ detail }) => detail.uncounted === undefined)
  const rows = [...rollouts, ...containers]
  const { items } = await deps.store.list('Stagelet', { namespace, project: name })
  const facts = { rollouts, containers, stagelets: items, wanted }
  const equal = equalVersions(versions, version)
  const is: IsVersion = (entry) =>
    entry.secretId === secret.metadata.uid && equal.has(entry.version)
  const holders = await holdersOf(deps.store, projectUid, is, facts)
  const unknown = [...unknownOf(items, rows, wanted.createdAt), ...notKeptOf(all)]
  const { readers } = await readersOf(deps, secret, new Set([version]))
  const ends = holders.map(({ until }) => until?.latest)
  const isLost = holders.length > 0 && unknown.length === 0 && !ends.includes(undefined)
  const next = versions.find((row) => row.version === version + 1)
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
      refused_since: wanted.refusedAt,
      known_from: knownFrom(rows),
      lost_by: isLost ? ends.map(String).sort().at(-1) : undefined,
      readers_from: auditFrom,
    }),
  }
}
