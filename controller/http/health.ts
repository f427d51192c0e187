// The health endpoints, open to everybody: whether the process answers, and whether it can serve. With
// `?verbose` each check is listed, as in Kubernetes.
import type { Store, StoreHealth } from '../../src/store/store.ts'
import type { App, AppContext } from './env.ts'
import { isTrueParam } from './kube/params.ts'

interface Check {
  readonly name: string
  /** warning: shown, but does not make the probe fail. */
  readonly state: 'ok' | 'failed' | 'warning' | 'excluded' | 'not checked'
  readonly reason?: string | undefined
}

/** In order. The store stops at the first failure: later checks were not made. */
const storeChecks = ['database', 'key-provider'] as const

const ping: Check = { name: 'ping', state: 'ok' }

const checksOf = ({ ok, failed, reason }: StoreHealth): Check[] => {
  const at = storeChecks.findIndex((name) => name === failed)
  return storeChecks.map((name, i) => {
    if (ok || i < at) return { name, state: 'ok' }
    return i === at || at < 0 ? { name, state: 'failed', reason } : { name, state: 'not checked' }
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

interface HealthDeps {
  readonly store: Pick<Store, 'health'>
  readonly stopping: AbortSignal
  /** The fault of the disk; undefined: writes are possible. */
  readonly disk?: (() => Promise<string | undefined>) | undefined
  /**
   * When a cluster is followed: the number of its namespaces that another controller has claimed;
   * undefined when another replica follows it.
   */
  readonly claimedByOthers?: (() => number | undefined) | undefined
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

export const mountHealth = (app: App, deps: HealthDeps): void => {
  const { store, stopping, disk, claimedByOthers } = deps
  for (const probe of ['healthz', 'livez']) app.get(`/${probe}`, (c) => answer(c, probe, [ping]))
  app.get('/readyz', async (c) => {
    const excluded = c.req.queries('exclude') ?? []
    const shutdown: Check = stopping.aborted
      ? { name: 'shutdown', state: 'failed', reason: 'the controller stops' }
      : { name: 'shutdown', state: 'ok' }
    const found = stopping.aborted ? [] : checksOf(await store.health())
    const full = disk === undefined || stopping.aborted ? [] : [checkOfDisk(await disk())]
    const claims = claimedByOthers === undefined ? [] : [checkOfClaims(claimedByOthers())]
    const checks = [ping, shutdown, ...found, ...full, ...claims].map((check): Check =>
      check.state === 'failed' && excluded.includes(check.name) && check !== shutdown
        ? { ...check, state: 'excluded' }
        : check,
    )
    return answer(c, 'readyz', checks)
  })
}
