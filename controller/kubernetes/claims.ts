// Which controller owns a namespace of the cluster. Controllers of different databases would overwrite
// each other's status for ever. So the first one claims the namespace by a Lease, and another one
// writes nothing there until the Lease is stale. Replicas of one database share an id and their claims;
// the leader renews them.
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
   * How long (ms) to leave the objects of a namespace alone; undefined while this controller owns it.
   * For a deletion (`ends`) no claim is made: a namespace that is being deleted accepts no new Lease.
   */
  refused(namespace: string, what?: { readonly ends: boolean }): Promise<number | undefined>
  /** Renews the claims until `signal` aborts. */
  renew(signal: AbortSignal): Promise<void>
}

export interface ClaimTimes {
  readonly renewMs: number
  /** A claim that was not renewed for this long may be taken over. */
  readonly leaseMs: number
  /** Interval of checks of another controller's claim. */
  readonly lookMs: number
}

/** Long intervals, because each renewal is a write to the cluster. */
const usualTimes: ClaimTimes = { renewMs: 40_000, leaseMs: 120_000, lookMs: 10_000 }
const againMs = 250

export interface NamespaceClaimDeps {
  readonly client: Pick<ClusterClient, 'get' | 'post' | 'patch'>
  readonly clock: Clock
  readonly log: Logger
  /** Id of the database. */
  readonly controllerId: string
  readonly times?: ClaimTimes
  /** Called when this controller gets a namespace (`lease` undefined), and when another one has it. */
  readonly onChange: (namespace: string, lease: Lease | undefined) => Promise<void>
}

interface Claim {
  /** free: there is no Lease. */
  state: 'unknown' | 'free' | 'mine' | 'another'
  /** The state is trusted until this time (monotonic). */
  until: number
  /** Another controller's Lease, and since when it has not changed, by this controller's clock. */
  foreignLease?: { readonly version: string | undefined; readonly since: number }
  looking?: Promise<void> | undefined
}

export const createClaims = (deps: NamespaceClaimDeps): Claims => {
  const { clock, log, times = usualTimes } = deps
  const all = new Map<string, Claim>()
  const claimOf = (namespace: string): Claim => {
    const claim = all.get(namespace) ?? { state: 'unknown', until: -Infinity }
    all.set(namespace, claim)
    return claim
  }
  const check = (namespace: string, ends: boolean): Promise<void> => {
    const claim = claimOf(namespace)
    return (claim.looking ??= checkOnce(deps, times, { namespace, claim, ends }).finally(() => {
      claim.looking = undefined
    }))
  }
  return {
    refused: async (namespace, { ends } = { ends: false }) => {
      const claim = claimOf(namespace)
      if (clock.monotonic() >= claim.until) await check(namespace, ends)
      if (claim.state === 'mine' || (ends && claim.state === 'free')) return undefined
      return Math.max(againMs, claim.until - clock.monotonic())
    },
    renew: async (signal) => {
      for (;;) {
        await clock.sleep(times.renewMs, signal)
        for (const [namespace, { state }] of all)
          if (state === 'mine')
            await check(namespace, false).catch((error: unknown) =>
              log.debug({ err: error, namespace }, 'the claim of a namespace was not renewed'),
            )
      }
    },
  }
}

const mergePatch = 'application/merge-patch+json'

/** Reads the Lease of the namespace, and claims it if it is free. */
const checkOnce = async (
  deps: NamespaceClaimDeps,
  times: ClaimTimes,
  { namespace, claim, ends }: { namespace: string; claim: Claim; ends: boolean },
): Promise<void> => {
  const { client, clock, controllerId } = deps
  const path = leasePath(namespace)
  const lease = (await absent(client.get(path))) as Lease | undefined
  const { holderIdentity: holder = '', leaseTransitions = 0 } = lease?.spec ?? {}
  if (lease !== undefined && holder !== '' && holder !== controllerId) {
    if (!isStale(clock, lease, claim))
      return learn(deps, namespace, claim, { lease, forMs: times.lookMs })
  }
  if (lease === undefined && ends) {
    claim.state = 'free'
    return
  }
  const now = toTimestamp(clock.now()).replace(/(\.\d+)?Z$/, '.000000Z')
  const held = {
    holderIdentity: controllerId,
    leaseDurationSeconds: Math.ceil(times.leaseMs / 1_000),
    renewTime: now,
    ...(holder !== controllerId && {
      acquireTime: now,
      leaseTransitions: leaseTransitions + (holder === '' ? 0 : 1),
    }),
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
      // The version makes the write a compare-and-set.
      const { uid, resourceVersion } = lease.metadata
      await client.patch(path, { metadata: { uid, resourceVersion }, spec: held }, mergePatch)
    }
  } catch (error) {
    if (!isReason(error, 'Conflict') && !isReason(error, 'AlreadyExists')) throw error
    // Another controller was faster: the next look shows which.
    claim.state = 'unknown'
    claim.until = -Infinity
    return
  }
  // Trusted for less time than other controllers wait before they take over.
  return learn(deps, namespace, claim, { lease: undefined, forMs: (times.leaseMs * 3) / 4 })
}

const isStale = (clock: Clock, lease: Lease, claim: Claim): boolean => {
  const { resourceVersion: version } = lease.metadata
  if (claim.foreignLease === undefined || claim.foreignLease.version !== version)
    claim.foreignLease = { version, since: clock.monotonic() }
  const { leaseDurationSeconds = usualTimes.leaseMs / 1_000 } = lease.spec ?? {}
  return clock.monotonic() - claim.foreignLease.since > leaseDurationSeconds * 1_000
}

const learn = async (
  { clock, onChange }: NamespaceClaimDeps,
  namespace: string,
  claim: Claim,
  { lease, forMs }: { lease: Lease | undefined; forMs: number },
): Promise<void> => {
  const state = lease === undefined ? 'mine' : 'another'
  if (claim.state !== state) await onChange(namespace, lease)
  // Set without an await in between: concurrent callers wait for this look.
  claim.state = state
  claim.until = clock.monotonic() + forMs
}

/** Also resolves when the namespace does not exist: then nobody can write in it. */
const absent = (asked: Promise<unknown>): Promise<unknown> =>
  asked.catch((error: unknown) => {
    if (!isReason(error, 'NotFound')) throw error
    return undefined
  })
