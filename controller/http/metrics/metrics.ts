// Metrics for Prometheus. Labels have few values: route patterns, states and projects, never a value. What a client
// chooses makes no label: of a refused request neither the route nor a method that no route has.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { MiddlewareHandler } from 'hono'
import { realClock, type Clock } from '../../../src/kernel/clock.ts'
import { lazy } from '../../../src/kernel/lazy.ts'
import { answeringRoute } from '../answering-route.ts'
import type { Dues } from '../../keys/plan.ts'
import type { Fleet } from '../agents/objects/fleet.ts'
import type { AppEnv } from '../env.ts'
import type { RotationMetrics } from '../../rotators/metrics.ts'
import { createRotationMetrics } from './rotation-metrics.ts'
import { createPropagationMetrics, type OnPropagated } from './propagation-metrics.ts'
import { createStoreMetrics, type StoreMetrics } from './store-metrics.ts'

/** Writes of this replica that were refused since its start. */
interface WriteCounts {
  readonly deposed: number
  readonly refused: number
}

export interface Metrics extends RotationMetrics {
  readonly registry: Registry
  /** The answer to a scrape. */
  readonly render: () => Promise<string>
  readonly middleware: MiddlewareHandler<AppEnv>
  /** For the control loops. */
  readonly onRun: (reconciler: string, outcome: string, ms: number) => void
  /** Called with the number of faults of the manifests folder. */
  readonly onManifestFaults: (count: number) => void
  /** Called with the keys of which it is known when they are due for rotation. */
  readonly onKeysDue: (dues: readonly Dues[]) => void
  /** Called with the number of namespaces that another controller has claimed. */
  readonly onClaimed: (count: number) => void
  /** The last number of onClaimed; undefined when this replica does not lead. */
  readonly claimedByOthers: () => number | undefined
  /** Called with each closed revision that has come to its end on a stagelet, and its project. */
  readonly onPropagated: OnPropagated
  readonly ofStores: StoreMetrics
  readonly watchLeader: (isLeader: () => boolean, writes: () => WriteCounts) => void
  readonly watchFleet: (fleet: () => Fleet) => void
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * Measured from the first scrape on: it wakes the process a hundred times a second. Once, however many controllers a
 * process has had: prom-client never stops what measures.
 */
const ofProcess = lazy((): Registry => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
})

/** Methods that routes have; any other is `other`. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])

/** Without the route where the client is refused: anybody may ask each route by each method. */
export const labelsOf = (
  method: string,
  route: string,
  code: number,
): { method: string; route: string; code: number } => ({
  method: methods.has(method) ? method : 'other',
  route: code >= 400 && code < 500 ? '' : route,
  code,
})

const renderEveryMs = 1_000

/** All who ask within a second after a render began get that one. */
const sharedRender = (
  clock: Pick<Clock, 'monotonic'>,
  render: () => Promise<string>,
): (() => Promise<string>) => {
  let last: { readonly beganMs: number; readonly text: Promise<string> } | undefined
  return () => {
    const now = clock.monotonic()
    if (last === undefined || now - last.beganMs >= renderEveryMs) {
      const text = render()
      last = { beganMs: now, text }
      text.catch(() => (last = undefined))
    }
    return last.text
  }
}

export const createMetrics = (
  version: string,
  clock: Pick<Clock, 'monotonic'> = realClock,
): Metrics => {
  const registry = new Registry()
  registry.setDefaultLabels({ version })
  const requests = new Histogram({
    name: 'stagely_http_request_seconds',
    help: 'Time to answer a request; watches and agent streams are not in it. Refused ones (4xx) are without their route.',
    labelNames: ['method', 'route', 'code'],
    buckets: seconds,
    registers: [registry],
  })
  const runs = new Histogram({
    name: 'stagely_reconcile_seconds',
    help: 'Time of one reconcile.',
    labelNames: ['reconciler', 'outcome'],
    buckets: seconds,
    registers: [registry],
  })
  const manifestFaults = new Gauge({
    name: 'stagely_manifest_faults',
    help: 'Faults of the manifests folder; of the replica that leads.',
    registers: [registry],
  })
  const claimed = new Gauge({
    name: 'stagely_cluster_namespaces_claimed_by_others',
    help: 'Namespaces of the cluster that are to be followed and that another controller has claimed; of the replica that leads.',
    registers: [registry],
  })
  const streams = new Counter({
    name: 'stagely_http_streams_total',
    help: 'Watches and agent streams that were opened.',
    labelNames: ['route'],
    registers: [registry],
  })
  const source = { claimed: 0, leads: (): boolean => false }
  return {
    registry,
    render: sharedRender(clock, async () => {
      const measured = ofProcess()
      measured.setDefaultLabels({ version })
      return (await registry.metrics()) + (await measured.metrics())
    }),
    middleware: async (c, next) => {
      const start = process.hrtime.bigint()
      await next()
      const route = answeringRoute(c)
      if (c.env.outgoing.headersSent) {
        streams.inc({ route })
        return
      }
      const elapsed = Number(process.hrtime.bigint() - start) / 1e9
      requests.observe(labelsOf(c.req.method, route, c.res.status), elapsed)
    },
    onRun: (reconciler, outcome, ms) => runs.observe({ reconciler, outcome }, ms / 1000),
    onManifestFaults: (count) => manifestFaults.set(count),
    onKeysDue: createKeysDue(registry),
    onClaimed: (count) => {
      claimed.set(count)
      source.claimed = count
    },
    onPropagated: createPropagationMetrics(registry),
    ...createRotationMetrics(registry),
    ofStores: createStoreMetrics(registry),
    claimedByOthers: () => (source.leads() ? source.claimed : undefined),
    watchFleet: (fleet) => watchFleet(registry, fleet),
    watchLeader: (isLeader, writes) => {
      source.leads = isLeader
      watchLeader(registry, isLeader, writes)
    },
  }
}

const createKeysDue = (registry: Registry): Metrics['onKeysDue'] => {
  const keysDue = new Gauge({
    name: 'stagely_key_due_timestamp_seconds',
    help: 'When the master key, the first data key, the sealing key, and each key that projects name (by its name, as key) is due for rotation; of the replica that leads.',
    labelNames: ['kind', 'key'],
    registers: [registry],
  })
  return (dues) => {
    keysDue.reset()
    for (const { kind, name, dueAt } of dues)
      keysDue.set({ kind, ...(name !== undefined && { key: name }) }, dueAt / 1000)
  }
}

const watchLeader = (
  registry: Registry,
  isLeader: () => boolean,
  writes: () => WriteCounts,
): void => {
  new Gauge({
    name: 'stagely_leader',
    help: '1 on the replica that runs the control loops.',
    registers: [registry],
    collect() {
      this.set(isLeader() ? 1 : 0)
    },
  })
  new Counter({
    name: 'stagely_deposed_writes_total',
    help: 'Writes of this replica as a leader that were refused: another had taken its place.',
    registers: [registry],
    collect() {
      this.reset()
      this.inc(writes().deposed)
    },
  })
  new Counter({
    name: 'stagely_refused_writes_total',
    help: 'Writes of this replica that the database has refused for a reason of its own, such as a full disk.',
    registers: [registry],
    collect() {
      this.reset()
      this.inc(writes().refused)
    },
  })
}

/** The same on every replica; unknown is what nobody sees now. */
const watchFleet = (registry: Registry, fleet: () => Fleet): void => {
  const registers = [registry]
  new Gauge({
    name: 'stagely_stagelets',
    help: 'Stagelets by the status of a condition. The same on every replica; unknown is what nobody sees now.',
    labelNames: ['condition', 'status'],
    registers,
    collect() {
      for (const [condition, counts] of Object.entries(fleet().stagelets))
        for (const [status, count] of Object.entries(counts))
          this.set({ condition, status: status.toLowerCase() }, count)
    },
  })
  new Gauge({
    name: 'stagely_agents',
    help: 'Agents by the status of Ready. The same on every replica.',
    labelNames: ['status'],
    registers,
    collect() {
      for (const [status, count] of Object.entries(fleet().agents))
        this.set({ status: status.toLowerCase() }, count)
    },
  })
  new Gauge({
    name: 'stagely_agents_refused',
    help: 'Agents that the controller refuses, by the reason. The same on every replica.',
    labelNames: ['reason'],
    registers,
    collect() {
      for (const [reason, count] of Object.entries(fleet().refused)) this.set({ reason }, count)
    },
  })
  new Gauge({
    name: 'stagely_quarantined_services',
    help: 'Services that failed with a revision and are not started again with the same secrets. The same on every replica.',
    registers,
    collect() {
      this.set(fleet().quarantined)
    },
  })
}
