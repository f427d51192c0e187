// The health endpoints, open to everybody: whether the process answers, and whether it can serve. With
// `?verbose` each check is listed, as in Kubernetes.
import { storeChecks, type StoreHealth } from '../../src/store/core/health.ts'
import type { Store } from '../../src/store/store.ts'
import type { App, AppContext } from './env.ts'
import type { Fleet } from './agents/objects/fleet.ts'
import { isTrueParam } from './kube/params.ts'

export interface Check {
  readonly name: string
  /** warning: shown, but does not make the probe fail. */
  readonly state: 'ok' | 'failed' | 'warning' | 'excluded' | 'not checked'
  readonly reason?: string | undefined
}

const ping: Check = { name: 'ping', state: 'ok' }

const checksOf = ({ ok, failed, reason }: StoreHealth): Check[] => {
  const at = storeChecks.findIndex((name) => name === failed)
  return storeChecks.map((name, i) => {
    if (ok || i < at) return { name, state: 'ok' }
    return i === at ? { name, state: 'failed', reason } : { name, state: 'not checked' }
  })
}

const marks = { ok: '+', excluded: '+', warning: '!', failed: '-', 'not checked': '-' }

const lineOf = ({ name, state, reason }: Check): string =>
  `[${marks[state]}]${name} ${state}${reason === undefined ? '' : `: ${reason}`}`

const answer = (c: AppContext, probe: string, checks: readonly Check[]): Response => {
  const failed = checks.find(({ state }) => state === 'failed')
  const status = failed === undefined ? 200 : 503
  if (isTrueParam(c.req.query('verbose'))) {
    const verdict = `${probe} check ${failed === undefined ? 'passed' : 'failed'}`
    return c.text([...checks.map(lineOf), verdict, ''].join('\n'), status)
  }
  if (failed === undefined) return c.text('ok')
  if (failed.name === 'shutdown') return c.text('stopping', 503)
  return c.text(`not ready: ${failed.reason ?? 'the store does not answer'}`, 503)
}

export interface HealthDeps {
  readonly store: Pick<Store, 'health'>
  readonly stopping: AbortSignal
  /** The fault of the disk; undefined: writes are possible. */
  readonly disk?: (() => Promise<string | undefined>) | undefined
  /**
   * When a cluster is followed: the number of its namespaces that another controller has claimed;
   * undefined when another replica follows it.
   */
  readonly claimedByOthers?: (() => number | undefined) | undefined
  readonly fleet?: (() => Fleet) | undefined
}

const checkOfDisk = (reason: string | undefined): Check =>
  reason === undefined ? { name: 'disk', state: 'ok' } : { name: 'disk', state: 'failed', reason }

/** Without names: anybody may read this. */
const checkOfClaims = (count: number | undefined): Check => {
  const name = 'cluster-claims'
  if (count === undefined)
    return { name, state: 'ok', reason: 'another replica follows the cluster' }
  if (count === 0) return { name, state: 'ok' }
  const what = `${count} ${count === 1 ? 'namespace is' : 'namespaces are'} claimed by another controller, and nothing is taken from there or written there; the log and the condition ClusterFollowed of the team say by which`
  return { name, state: 'warning', reason: what }
}

/** More is no delay of an answer. */
const mostAheadMs = 5_000

/**
 * One agent may well have a wrong clock. Where most agents that come are refused for it, the clock here is the wrong one; and
 * one of two is wrong where the database's is another one.
 */
const checkOfClock = ({ agents, refused }: Fleet, aheadMs = 0): Check => {
  const name = 'clock'
  if (Math.abs(aheadMs) > mostAheadMs) {
    const by = `${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'}`
    const reason = `the clock of this controller is ${by} the database’s: see which of the two is right (NTP)`
    return { name, state: 'warning', reason }
  }
  const [connected, many] = [agents.True, refused.ClockSkew]
  if (many < 2 || many <= connected) return { name, state: 'ok' }
  const reason = `${many} agents are refused because their clocks differ from the controller’s, and ${connected} are connected: see whether the controller’s own clock is right (NTP)`
  return { name, state: 'warning', reason }
}

/** The checks of readiness, in order. */
export const readinessOf = async (deps: HealthDeps): Promise<Check[]> => {
  const { store, stopping, disk, claimedByOthers, fleet } = deps
  if (stopping.aborted)
    return [ping, { name: 'shutdown', state: 'failed', reason: 'the controller stops' }]
  const health = await store.health()
  return [
    ping,
    { name: 'shutdown', state: 'ok' },
    ...checksOf(health),
    ...(disk === undefined ? [] : [checkOfDisk(await disk())]),
    ...(claimedByOthers === undefined ? [] : [checkOfClaims(claimedByOthers())]),
    ...(fleet === undefined ? [] : [checkOfClock(fleet(), health.clockAheadMs)]),
  ]
}

export const mountHealth = (app: App, deps: HealthDeps): void => {
  for (const probe of ['healthz', 'livez']) app.get(`/${probe}`, (c) => answer(c, probe, [ping]))
  app.get('/readyz', async (c) => {
    const excluded = (c.req.queries('exclude') ?? []).filter((name) => name !== 'shutdown')
    const checks = (await readinessOf(deps)).map((check): Check =>
      check.state === 'failed' && excluded.includes(check.name)
        ? { ...check, state: 'excluded' }
        : check,
    )
    return answer(c, 'readyz', checks)
  })
}
