// Which services a change of secrets re-creates, computed from what is stored before and after it: pure.
// The digests are made by the function that also makes the labels of containers.
import { defined } from '../../src/kernel/defined.ts'
import { mapYielding } from '../../src/kernel/async/map-yielding.ts'
import type {
  AffectedService,
  CascadedService,
  HeldStagelet,
  ServiceChange,
  WidenedKey,
} from '../../src/manifests/review.ts'
import type { ServiceStatus } from '../../src/kinds/stagelet/schema.ts'
import { environmentSet } from '../../src/secrets/environment-set.ts'
import { isForStagelet } from '../../src/secrets/place.ts'
import { viewsOf, type ServiceView, type SetViews } from '../../src/secrets/set-views.ts'
import type { SetEntry } from '../../src/secrets/visible.ts'
import { nameSet } from '../../src/store/core/set-diff.ts'
import { isDigestOf } from '../../src/store/guard/digests.ts'
import { awaitsTurn, whyStageletHeld, whyStageletStopped, type HoldReason } from './held.ts'
import { emptySet, type Situation, type StageletFacts } from './situation.ts'
import { widenedKeys } from './widened.ts'

/** With the uid of the stagelet. */
type Of<T> = T & { readonly uid: string }

export interface Impact extends Reach {
  /** Keys that go to services from which they were kept before. */
  readonly widened: readonly WidenedKey[]
}

interface Reach {
  /** Services that get a new container, since what they see changes. */
  readonly affected: readonly Of<AffectedService>[]
  /** Services that are re-created along with them. */
  readonly cascaded: readonly Of<CascadedService>[]
  /** Stagelets whose services would be affected, and that no new revision reaches now. */
  readonly held: readonly Of<HeldStagelet>[]
  /** How many other services the stagelets have. */
  readonly untouched: number
}

interface Change {
  readonly before: SetViews
  readonly after: SetViews
}

/** Nearly all of the time goes into stagelets with secrets of their own. */
const stageletsInOneTurn = 5

export const impactOf = async (before: Situation, after: Situation): Promise<Impact> => {
  const old = new Map(before.stagelets.map((facts) => [facts.stagelet.metadata.uid, facts]))
  const common = after.stagelets.filter(({ stagelet: { metadata } }) => old.has(metadata.uid))
  const parts = await mapYielding(
    common,
    (facts) => {
      const was = old.get(facts.stagelet.metadata.uid)!
      const change = {
        before: viewsIn(before, was),
        after: viewsIn(after, facts),
      }
      return impactOn(was, facts, change)
    },
    stageletsInOneTurn,
  )
  return {
    affected: parts.flatMap((part) => part.affected),
    cascaded: parts.flatMap((part) => part.cascaded),
    held: parts.flatMap((part) => part.held),
    untouched: parts.reduce((sum, part) => sum + part.untouched, 0),
    widened: widenedKeys(before, after),
  }
}

/**
 * The two situations without the stagelets that await their turn in a rollout before and after: an edit that makes no
 * revision does not give them the newest one.
 */
export const withoutWaiting = (
  before: Situation,
  after: Situation,
): readonly [before: Situation, after: Situation] => {
  const waiting = ({ stagelets }: Situation): ReadonlySet<string | undefined> =>
    new Set(stagelets.filter(awaitsTurn).map(({ stagelet }) => stagelet.metadata.uid))
  const [was, is] = [waiting(before), waiting(after)]
  const kept = ({ stagelets, sets }: Situation): Situation => ({
    sets,
    stagelets: stagelets.filter(
      ({ stagelet: { metadata } }) => !was.has(metadata.uid) || !is.has(metadata.uid),
    ),
  })
  return [kept(before), kept(after)]
}

const viewsIn = ({ sets }: Situation, { project, stagelet }: StageletFacts): SetViews =>
  viewsOf(environmentSet(sets.get(project) ?? emptySet, stagelet.metadata.name))

/** The conditions are those of before: the write itself says of them that they are not in sync any more. */
const impactOn = (was: StageletFacts, now: StageletFacts, change: Change): Reach => {
  const { status } = was.stagelet
  const { metadata } = now.stagelet
  if (metadata.deletionTimestamp !== undefined)
    return { affected: [], cascaded: [], held: [], untouched: 0 }
  const { services = [] } = status ?? {}
  const hits = hitsOf(was, services, change)
  const isReached = services.length === 0 ? mayReach(metadata.name, change) : hits.length > 0
  const facts = { ...now, stagelet: { ...now.stagelet, ...defined({ status }) } }
  const held = isReached
    ? (whyStageletHeld(facts, change.after.entries) ?? neverSeen(services))
    : undefined
  return impactOfHits(was, hits, held)
}

/** What is known to be re-created, and what follows from that. */
const impactOfHits = (
  { stagelet: { metadata, status } }: StageletFacts,
  hits: readonly ServiceChange[],
  held: HoldReason | undefined,
): Reach => {
  const { services = [] } = status ?? {}
  const names = new Set(hits.map(({ service }) => service))
  const cascades = cascadesOf(services, names)
  const hit = services.filter(({ name }) => names.has(name)).length
  const untouched = services.length - hit - cascades.length
  const { uid = '', namespace = '', name: stagelet } = metadata
  const place = { uid, namespace, stagelet }
  if (held !== undefined)
    return { affected: [], cascaded: [], held: [{ ...place, ...held, services: hits }], untouched }
  return {
    affected: hits.map((hit) => ({ ...place, ...hit })),
    cascaded: cascades.map((cascade) => ({ ...place, ...cascade })),
    held: [],
    untouched,
  }
}

/** Of the deployment of pending edits, which change these services. */
export const impactOfDeploy = (facts: StageletFacts, edited: readonly string[]): Impact => {
  const hits = edited.map((service) => ({
    service,
    keys: [],
    reason: 'the compose file was edited',
  }))
  const held = hits.length === 0 ? undefined : whyStageletStopped(facts)
  return { ...impactOfHits(facts, hits, held), widened: [] }
}

/** A service that no agent has reported yet may be among those that see the change. */
const neverSeen = (services: readonly ServiceStatus[]): HoldReason | undefined =>
  services.length > 0
    ? undefined
    : { why: 'NoReport', message: 'the agent has not reported the services of this stagelet yet' }

const mayReach = (stagelet: string, { before, after }: Change): boolean => {
  const nameOf = ({ entries }: SetViews): string =>
    nameSet({ entries: entries.filter((entry) => isForStagelet(entry, stagelet)) })
  return nameOf(before) !== nameOf(after)
}

const hitsOf = (
  was: StageletFacts,
  services: readonly ServiceStatus[],
  change: Change,
): ServiceChange[] => {
  const { before, after } = change
  const { name } = was.stagelet.metadata
  const keepsOlder = awaitsTurn(was) || whyStageletHeld(was, before.entries) !== undefined
  return services.flatMap((service) => {
    if (service.state === 'scaledToZero') return []
    const old = before.viewOf(name, service.name)
    const next = after.viewOf(name, service.name)
    const place = { stagelet: was.stagelet, service: service.name }
    const isSame = keepsOlder
      ? isDigestOf(place, runningDigest(service, old), next.digest)
      : old.digest === next.digest
    return isSame ? [] : [{ service: service.name, ...differenceOf(old, next) }]
  })
}

/** What its containers run, where the newest set is kept from them; what they should run, where nobody sees them. */
const runningDigest = (
  { runningDigest: running, revision, state }: ServiceStatus,
  old: ServiceView,
): string | undefined => {
  if (running !== undefined) return running
  // Without a label it runs a revision that gives it nothing.
  const isBare = state !== 'unknown' && revision !== undefined
  return isBare ? undefined : old.digest
}

/** The same version of the same secret: only what its value refers to has changed. */
const isSameEntry = (a: SetEntry | undefined, b: SetEntry): boolean =>
  a?.secretId === b.secretId && a.version === b.version

const differenceOf = (was: ServiceView, will: ServiceView): Omit<ServiceChange, 'service'> => {
  const old = new Map(was.visible.map((entry) => [entry.key, entry]))
  const now = new Map(will.visible.map((entry) => [entry.key, entry]))
  const added = will.visible.filter(({ key }) => !old.has(key))
  const removed = was.visible.filter(({ key }) => !now.has(key))
  const changed = will.visible.filter(
    ({ key, valueDigest }) => old.has(key) && old.get(key)?.valueDigest !== valueDigest,
  )
  const referring = changed.filter((entry) => isSameEntry(old.get(entry.key), entry))
  const reasons = [
    ...(changed.length > referring.length ? ['new value'] : []),
    ...(referring.length > 0 ? ['refers to a secret that changes'] : []),
    ...(added.length > 0 ? ['new key'] : []),
    ...(removed.length > 0 ? ['key gone'] : []),
  ]
  return {
    keys: [...changed, ...added, ...removed].map(({ key }) => key).sort(),
    ...(added.length > 0 && { gains: added.map(({ key }) => key) }),
    ...(removed.length > 0 && { loses: removed.map(({ key }) => key) }),
    reason: reasons.length === 0 ? 'an earlier change goes out with this one' : reasons.join(', '),
  }
}

/**
 * Services that see no change and are still re-created, by every version of Compose: they refer to the
 * id of a container of `names`. A service that only has a `depends_on` is not re-created: the agent
 * works in steps.
 */
const cascadesOf = (
  services: readonly ServiceStatus[],
  names: ReadonlySet<string>,
): Pick<CascadedService, 'service' | 'with'>[] => {
  const hit = new Set(names)
  const found: Pick<CascadedService, 'service' | 'with'>[] = []
  for (let before = -1; before !== hit.size;) {
    before = hit.size
    for (const { name, sharesWith = [] } of services) {
      const shared = sharesWith.filter((other) => hit.has(other))
      if (hit.has(name) || shared.length === 0) continue
      hit.add(name)
      found.push({ service: name, with: shared })
    }
  }
  return found
}
