// What an operator needs to know comes as events: with real kubectl, counted, and gone after an hour. The
// agent is played by the test, which writes its reports where the controller would.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Condition } from '../../../src/resources/conditions.ts'
import { apiVersion } from '../../../src/resources/meta.ts'
import type { ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import type { Opened } from '../../../src/store/open/open-store.ts'
import { aService, anObservation } from '../../support/builders.ts'
import { runCli } from '../../support/programs/cli.ts'
import {
  connectAgent,
  openStoreOf,
  startTestController,
  type TestController,
} from '../../support/programs/controller.ts'
import { createKubectl, type Kubectl } from '../../support/kubectl/run.ts'
import {
  api,
  createAs,
  objectOf,
  secretOf,
  stageletOf,
  system,
} from '../../support/databases/store-fixtures.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import type { TestDatabase } from '../../support/databases/test-database.ts'

const ns = 'default'
let database: TestDatabase
let server: TestController
let opened: Opened
let kubectl: Kubectl

beforeAll(async () => {
  database = await freshDatabase()
  server = await startTestController({ databaseUrl: database.url })
  opened = await openStoreOf(server, database.url)
  kubectl = await createKubectl(await server.writeKubeConfig())
  await createAs(opened.store, api, objectOf('Project', ns, 'shop'))
  await connectAgent(opened, { namespace: ns, name: 'box' })
  await createAs(opened.store, api, secretOf(ns, 'url', { value: 'postgres://somewhere' }))
  await createAs(opened.store, api, stageletOf(ns, 'shop'))
})
afterAll(async () => {
  await kubectl.remove()
  await opened.close()
  await server.remove()
  await database.drop()
})

/** No agent tells of a revision that is not closed. */
const isClosed = async (revision: number): Promise<void> => {
  const { metadata } = (await opened.store.get({ kind: 'Project', namespace: ns, name: 'shop' }))!
  await expect
    .poll(async () => (await opened.store.revisionsOf(metadata.uid!)).closed)
    .toBe(revision)
}

const agentIs = (status: 'True' | 'Unknown', reason: string): Promise<void> =>
  opened.store.write(system, {}, (tx) =>
    tx.setConditions({ kind: 'Agent', namespace: ns, name: 'box' }, [
      { type: 'Ready', status, reason, message: '' },
    ]),
  )

let seq = 0
const report = async (over: Partial<ObservationSpec>): Promise<void> => {
  const { metadata } = (await opened.store.get({ kind: 'Stagelet', namespace: ns, name: 'shop' }))!
  const spec = anObservation({
    stageletUid: metadata.uid!,
    seq: ++seq,
    services: [aService({ name: 'backend' })],
    ...over,
  })
  const object = {
    apiVersion,
    kind: 'Observation',
    metadata: { name: 'shop', namespace: ns },
    spec,
  }
  await opened.store.write(system, {}, (tx) => tx.putInternal(object))
}

const isUnhealthy = async (): Promise<boolean> => {
  const { status } = (await opened.store.get({ kind: 'Stagelet', namespace: ns, name: 'shop' }))!
  const conditions = status?.['conditions'] as readonly Condition[]
  return conditions.some(({ reason }) => reason === 'ServiceUnhealthy')
}

interface Told {
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly count: number
  readonly involvedObject: { readonly kind: string; readonly name: string }
}

const told = async (reason: string): Promise<Told[]> => {
  const { stdout } = await kubectl('get', 'events', '-o', 'json')
  return (JSON.parse(stdout) as { items: Told[] }).items.filter((e) => e.reason === reason)
}
const tells = async (reason: string, more: object = {}): Promise<void> => {
  await expect.poll(() => told(reason), { interval: 200 }).toEqual([expect.objectContaining(more)])
}

const startedAt = '2026-01-01T00:00:00Z'
const failure = 'backend ended with exit code 1'

describe('events', () => {
  it('tell of a rollout from its start to its health, and of the way back', async () => {
    await isClosed(1)
    await report({ phase: 'Applying', rollout: { revision: 1, result: 'Progressing', startedAt } })
    await tells('RolloutStarted', { type: 'Normal', message: 'rolling out revision 1' })
    await report({
      rollout: { revision: 1, result: 'Healthy', startedAt, recreated: ['backend'] },
    })
    await tells('RolloutHealthy', { message: 'revision 1 is healthy; re-created: backend' })
    await opened.store.write(api, {}, async (tx) => {
      const secret = (await tx.get({ kind: 'StagelySecret', namespace: ns, name: 'url' }))!
      await tx.update({ ...secret, spec: { ...secret.spec, value: 'postgres://nowhere' } })
    })
    await isClosed(2)
    const next = { startedAt: '2026-01-01T00:01:00Z' }
    await report({ phase: 'Applying', rollout: { revision: 2, result: 'Progressing', ...next } })
    await expect.poll(() => told('RolloutStarted')).toHaveLength(2)
    const back = { result: 'RolledBack' as const, service: 'backend', message: failure, ...next }
    await report({ rollout: { revision: 1, ...back } })
    const message = expect.stringContaining(failure) as string
    await tells('RolledBack', { type: 'Warning', message })
  })

  it('tell of drift that was healed', async () => {
    const changes = [{ service: 'backend', container: 'shop-backend-1', what: 'Killed' as const }]
    await report({ drift: { state: 'Healed', since: startedAt, changes } })
    const involvedObject = expect.objectContaining({ kind: 'Stagelet', name: 'shop' }) as object
    await tells('DriftHealed', { type: 'Normal', involvedObject })
  })

  it('tell of a scope that no service has, at the secret', async () => {
    const scope = { value: 'a long enough value', scope: 'bakend' }
    await createAs(opened.store, api, secretOf(ns, 'typo', scope))
    const involvedObject = expect.objectContaining({
      kind: 'StagelySecret',
      name: 'typo',
    }) as object
    await tells('NoSuchService', { type: 'Warning', involvedObject })
  })

  it('count what happens again, and take no absence of the agent for it', async () => {
    const isIll = (): Promise<void> =>
      report({ services: [aService({ name: 'backend', state: 'restarting' })] })
    await isIll()
    await tells('ServiceUnhealthy', { type: 'Warning', count: 1 })
    await agentIs('Unknown', 'Disconnected')
    await agentIs('True', 'Connected')
    await report({})
    await expect.poll(isUnhealthy).toBe(false)
    await agentIs('Unknown', 'Disconnected')
    await agentIs('True', 'Connected')
    await isIll()
    await tells('ServiceUnhealthy', { count: 2 })
  })

  it('are shown by kubectl events and kubectl describe', async () => {
    const events = await kubectl('events', '--for', 'stagelet/shop')
    for (const reason of ['RolloutStarted', 'RolloutHealthy', 'RolledBack', 'DriftHealed'])
      expect(events.stdout).toMatch(new RegExp(`(Normal|Warning) +${reason} +Stagelet/shop`))
    expect(events.stdout).not.toContain('NoSuchService')
    const described = await kubectl('describe', 'stagelet', 'shop')
    expect(described.stdout).toMatch(/Events:\n +Type +Reason +Age +From +Message/)
    expect(described.stdout).toMatch(/Warning +ServiceUnhealthy +\S+ \(x2 over [^)]+\) +stagely/)
    const secret = await kubectl('describe', 'stagelysecret', 'typo')
    expect(secret.stdout).toMatch(/Warning +NoSuchService/)
  })

  it('are gone an hour after they last happened', async () => {
    const minutes = (n: number): Promise<void> => opened.store.compact(Date.now() + n * 60_000)
    await minutes(55)
    expect(await told('ServiceUnhealthy')).toHaveLength(1)
    await minutes(61)
    expect((await kubectl('get', 'events')).stderr).toContain('No resources found')
  })
})

/** The list in the answer to a GET below /api/v1, or the status of a refusal. */
const listed = async (path: string, list: string): Promise<unknown> => {
  const answer = await server.call('GET', `/api/v1/${path}`)
  return answer.status === 200 ? answer.json()[list] : answer.status
}

describe('what outlasts the events', () => {
  it('is each rollout of a stagelet, with its end and what is to blame', async () => {
    const rollouts = await listed('stagelets/default%2Fshop/rollouts', 'rollouts')
    expect(rollouts).toMatchObject([
      {
        stagelet: 'shop',
        project: 'shop',
        team: ns,
        result: 'RolledBack',
        blame: { service: 'backend', keys: [], authors: [] },
        message: failure,
        started_at: '2026-01-01T00:01:00.000Z',
      },
      {
        revision: 1,
        cause: 'NewRevision',
        result: 'Healthy',
        by: ['alice'],
        services: [{ name: 'backend', what: 'recreated' }],
      },
    ])
    expect(await listed('rollouts?team=default&project=shop', 'rollouts')).toEqual(rollouts)
    expect(await listed('rollouts?state=Healthy&limit=1', 'rollouts')).toHaveLength(1)
    expect(await listed('rollouts?revision=7', 'rollouts')).toEqual([])
    expect(await listed('rollouts?team=elsewhere', 'rollouts')).toEqual([])
    expect(await listed('rollouts?cursor=1', 'rollouts')).toBe(400)
  })

  it('is what happened, in words: revisions, drift, agents', async () => {
    const kinds = ['revision', 'drift', 'agent', 'rollout']
    const [revisions, drift, agents, rollouts] = (await Promise.all(
      kinds.map((kind) => listed(`activity?kind=${kind}`, 'activity')),
    )) as { message: string; by: string[] }[][]
    expect(revisions?.at(-1)).toMatchObject({
      by: ['alice'],
      keys: ['URL'],
      project: 'shop',
      message: 'revision 1: 1 secret changed: URL',
    })
    expect(drift).toMatchObject([
      {
        what: 'healed',
        is_bad: false,
        stagelet: 'shop',
        message: 'backend (shop-backend-1) was killed by a signal; healed',
      },
    ])
    expect(agents?.map(({ message }) => message.replace(/\d+\.\d s/, 'N s'))).toEqual([
      ...['the agent is back', 'the agent went away: nobody sees what runs on its machine'],
      ...['the agent is back', 'the agent went away: nobody sees what runs on its machine'],
    ])
    expect(rollouts).toHaveLength(2)
    const after = toFineTimestamp(Date.now() + 60_000)
    expect(await listed(`activity?since=${after}`, 'activity')).toEqual([])
    expect(await listed('activity?stagelet=shop&limit=1', 'activity')).toHaveLength(1)
    expect(await listed('activity?team=elsewhere', 'activity')).toEqual([])
    expect(await listed('activity?kind=nothing', 'activity')).toBe(422)
  })
  it('is how fast changes arrived: slo names the objective that is missed, and ends with 1', async () => {
    const ref = { kind: 'Stagelet', namespace: ns, name: 'shop' }
    const { metadata } = (await opened.store.get(ref))!
    const times = { toldMs: 900, startedMs: 200, healthyMs: 5_000, provenMs: 100 }
    await opened.store.write(system, {}, async (tx) => {
      await tx.recordActivity({
        subject: metadata.uid!,
        mark: 'rollout 3',
        at: Date.now(),
        kind: 'rollout',
        namespace: ns,
        project: 'shop',
        stagelet: 'shop',
        detail: { revision: 2, cause: 'NewRevision', result: 'Healthy', times },
      })
      // Along with a change of the object.
      await tx.setConditions(ref, [{ type: 'Told', status: 'True', reason: 'Test', message: '' }])
    })
    const slo = await runCli(['slo', '--project', 'shop'], {
      HOME: server.dataDir,
      STAGELY_SERVER: server.url,
      STAGELY_TOKEN: server.token,
      STAGELY_CA_FILE: join(server.dataDir, 'ca.crt'),
    })
    expect(slo.code).toBe(1)
    expect(slo.stdout).toMatch(/^started .* 0 % +missed$/m)
    expect(slo.stdout).toMatch(/^proven .* 100 % +met$/m)
  })
})
