// Whose a namespace of the cluster is. Controllers of different databases would put their own status there
// for ever, so the first one claims it by a Lease, and another writes nothing there until that is stale.
// Replicas of one database have one id: they share their claims, and their leader renews them.
import { toTimestamp, type Clock } from '../../src/kernel/clock.ts'
import { isReason } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { ClusterClient } from './cluster-client.ts'

export const leaseName = 'stagely-controller'

const leasesPath = (namespace: string): string =>
  `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`
const leasePath = (namespace: string): string => `${leasesPath(namespace)}/${leaseName}`

export interface Lease {
  readonly metadata: { readonly uid?: string; readonly resourceVersion?: string }
  readonly spec?: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly leaseTransitions?: number
  }
}

export interface Claims {
  /**
   * How long (ms) to leave the objects of a namespace alone; undefined while it is this controller's.
   * What ends makes no claim: a namespace that ends takes none.
   */
  refused(namespace: string, what?: { readonly ends: boolean }): Promise<number | undefined>
  /** Renews what is claimed, until `signal` aborts. */
  renew(signal: AbortSignal): Promise<void>
}

export interface ClaimTimes {
  readonly renewMs: number
  /** Not seen renewed for so long, a claim is anybody's. */
  readonly leaseMs: number
  /** How often another's claim is looked at. */
  readonly lookMs: number
}

/** Seldom, for each renewal is a write to the cluster. */
const usualTimes: ClaimTimes = { renewMs: 40_000, leaseMs: 120_000, lookMs: 10_000 }
const againMs = 250

export interface ClaimDeps {
  readonly client: Pick<ClusterClient, 'get' | 'post' | 'patch'>
  readonly clock: Clock
  readonly log: Logger
  /** Of the database. */
  readonly controllerId: string
  readonly times?: ClaimTimes
  /** Called when a namespace becomes this controller's (`lease` undefined), and when another has it. */
  readonly onChange: (namespace: string, lease: Lease | undefined) => Promise<void>
}

interface Known {
  /** free: there is no Lease. */
  state: 'unknown' | 'free' | 'mine' | 'another'
  /** Until when (monotonic) that is believed. */
  until: number
  /** Another's Lease, and since when it has not changed by this controller's clock. */
  seen?: { readonly version: string | undefined; readonly since: number }
  looking?: Promise<void> | undefined
}

export const createClaims = (deps: ClaimDeps): Claims => {
  const { clock, log, times = usualTimes } = deps
  const all = new Map<string, Known>()
  const knownOf = (namespace: string): Known => {
    const known = all.get(namespace) ?? { state: 'unknown', until: -Infinity }
    all.set(namespace, known)
    return known
  }
  const look = (namespace: string, ends: boolean): Promise<void> => {
    const known = knownOf(namespace)
    return (known.looking ??= lookOnce(deps, times, { namespace, known, ends }).finally(() => {
      known.looking = undefined
    }))
  }
  return {
    refused: async (namespace, { ends } = { ends: false }) => {
      const known = knownOf(namespace)
      if (clock.monotonic() >= known.until) await look(namespace, ends)
      if (known.state === 'mine' || (ends && known.state === 'free')) return undefined
      return Math.max(againMs, known.until - clock.monotonic())
    },
    renew: async (signal) => {
      for (;;) {
        await clock.sleep(times.renewMs, signal)
        for (const [namespace, { state }] of all)
          if (state === 'mine')
            await look(namespace, false).catch((error: unknown) => {
              log.debug({ err: error, namespace }, 'the claim of a namespace was not renewed')
            })
      }
    },
  }
}

const mergePatch = 'application/merge-patch+json'

/** Learns whose the namespace is, and claims it where it is nobody's. */
const lookOnce = async (
  deps: ClaimDeps,
  times: ClaimTimes,
  { namespace, known, ends }: { namespace: string; known: Known; ends: boolean },
): Promise<void> => {
  const { client, clock, controllerId } = deps
  const path = leasePath(namespace)
  const lease = (await absent(client.get(path))) as Lease | undefined
  const { holderIdentity: holder = '', leaseTransitions = 0 } = lease?.spec ?? {}
  if (lease !== undefined && holder !== '' && holder !== controllerId) {
    if (!isStale(clock, lease, known))
      return learn(deps, namespace, known, { lease, forMs: times.lookMs })
  }
  if (lease === undefined && ends) {
    known.state = 'free'
    return
  }
  const now = toTimestamp(clock.now()).replace(/(\.\d+)?Z$/, '.000000Z')
  const held = {
    holderIdentity: controllerId,
    leaseDurationSeconds: Math.ceil(times.leaseMs / 1_000),
    renewTime: now,
    ...(holder === controllerId
      ? {}
      : { acquireTime: now, leaseTransitions: leaseTransitions + (holder === '' ? 0 : 1) }),
  }
  try {
    if (lease === undefined)
      await absent(
        client.post(leasesPath(namespace), {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: leaseName, namespace },
          spec: held,
        }),
      )
    else {
      // The version makes it a compare-and-set.
      const { uid, resourceVersion } = lease.metadata
      await client.patch(path, { metadata: { uid, resourceVersion }, spec: held }, mergePatch)
    }
  } catch (error) {
    if (!isReason(error, 'Conflict') && !isReason(error, 'AlreadyExists')) throw error
    // Somebody was faster: the next look says who.
    known.state = 'unknown'
    known.until = -Infinity
    return
  }
  // Renewed in time it is believed all the while; a little less than others wait.
  return learn(deps, namespace, known, { lease: undefined, forMs: (times.leaseMs * 3) / 4 })
}

const isStale = (clock: Clock, lease: Lease, known: Known): boolean => {
  const { resourceVersion: version } = lease.metadata
  if (known.seen === undefined || known.seen.version !== version)
    known.seen = { version, since: clock.monotonic() }
  const { leaseDurationSeconds = usualTimes.leaseMs / 1_000 } = lease.spec ?? {}
  return clock.monotonic() - known.seen.since > leaseDurationSeconds * 1_000
}

const learn = async (
  { clock, onChange }: ClaimDeps,
  namespace: string,
  known: Known,
  { lease, forMs }: { lease: Lease | undefined; forMs: number },
): Promise<void> => {
  const state = lease === undefined ? 'mine' : 'another'
  if (known.state !== state) await onChange(namespace, lease)
  // In one step: who asks meanwhile waits for this look.
  known.state = state
  known.until = clock.monotonic() + forMs
}

/** Also where the namespace is not there: then nobody can write in it. */
const absent = (asked: Promise<unknown>): Promise<unknown> =>
  asked.catch((error: unknown) => {
    if (!isReason(error, 'NotFound')) throw error
    return undefined
  })
