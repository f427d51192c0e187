// What an agent does not see now is unknown: controller and agents over real TLS, the real loops, and a
// restart of the controller.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { gatherRollout } from '../../../controller/reconcilers/rollout/gather.ts'
import { viewRollout } from '../../../controller/reconcilers/rollout/view.ts'
import { startReconcilers, type Reconcilers } from '../../../controller/reconcilers/start.ts'
import type { AgentIdentity } from '../../../agent/identity/identity.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import type { ReportedStagelet } from '../../../src/protocol/messages.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import { apiVersion, type KubeObject } from '../../../src/resources/meta.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { environmentSet } from '../../../src/secrets/environment-set.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import type { Opened } from '../../../src/store/open/open-store.ts'
import {
  actor,
  createStack,
  eventually,
  joinTestAgent,
  serveTestAgents,
  startTestAgent,
  type TestAgent,
} from '../../support/agents/agent-protocol.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { openQuietAgent } from '../../support/agents/quiet-agent.ts'

const graceMs = 3_000

describe('what nobody sees', () => {
  let first: TestStore
  let opened: Opened
  let served: Awaited<ReturnType<typeof serveTestAgents>>
  let loops: Reconcilers
  const identities: Record<string, AgentIdentity> = {}
  const agents: Record<string, TestAgent> = {}

  const read = async (kind: string, name: string): Promise<KubeObject> =>
    (await opened.store.get({ kind, namespace: 'default', name }))!
  const condition = async (
    kind: string,
    name: string,
    type: string,
  ): Promise<Condition | undefined> =>
    findCondition((await read(kind, name)).status?.['conditions'] as Condition[], type)
  const verdict = async (kind: string, name: string, type: string): Promise<string> => {
    const found = await condition(kind, name, type)
    return `${found?.status}/${found?.reason}`
  }
  const becomes = (name: string, expected: string): Promise<void> =>
    eventually(async () => {
      expect(await verdict('Stagelet', name, 'SecretsInSync')).toBe(expected)
    }, 20_000)
  const start = (name: string): void => {
    agents[name] = startTestAgent(identities[name]!)
  }
  /** The agent says that `web` runs what it should, healthily. */
  const report = async (name: string, over: Partial<ReportedStagelet> = {}): Promise<void> => {
    const uid = (await read('Project', name)).metadata.uid!
    const { closed, epoch } = await opened.store.revisionsOf(uid)
    const set = await opened.store.readSet(uid, closed)
    const digest = serviceDigest(visibleTo('web', name, environmentSet(set, name)))!
    const reported: ReportedStagelet = {
      stageletUid: (await read('Stagelet', name)).metadata.uid!,
      generation: 1,
      epoch,
      revision: closed,
      phase: 'Settled',
      services: [{ name: 'web', digests: [digest], containers: 1, state: 'running', restarts: 0 }],
      passed: { web: digest },
      pendingEdits: [],
      missingVariables: [],
      ...over,
    }
    agents[name]!.reporter.changed(reported)
  }
  const writeSecret = async (project: string): Promise<void> => {
    const changeSet = { id: `first of ${project}`, last: true }
    const spec = { projectRef: { name: project }, key: 'PASSWORD', value: `of ${project}, long` }
    const metadata = { namespace: 'default', name: `${project}-password` }
    await opened.store.write(actor, { changeSet }, (tx) =>
      tx.create({ apiVersion, kind: 'StagelySecret', metadata, spec }),
    )
  }
  const serve = async (port = 0): Promise<void> => {
    served = await serveTestAgents(opened, { graceMs, restartMs: 10_000, port })
    loops = startReconcilers({ store: opened.store, clock: realClock, log: silentLogger })
  }
  const settled = async (): Promise<number> => {
    let before = -1
    await eventually(async () => {
      const now = await opened.store.currentVersion()
      const isQuiet = now === before
      before = now
      if (!isQuiet) await realClock.sleep(400)
      return isQuiet
    }, 20_000)
    return before
  }

  beforeAll(async () => {
    first = await openTestStore(inject('postgresUrl'))
    opened = first
    await serve()
    for (const name of ['shop', 'blog']) {
      await createStack({ opened }, name, name)
      await writeSecret(name)
      identities[name] = await joinTestAgent(await served.token(name))
      start(name)
      await eventually(() => agents[name]!.wants.length > 0)
      await report(name)
      await becomes(name, 'True/InSync')
    }
  })
  afterAll(async () => {
    await Promise.all(Object.values(agents).map((agent) => agent.stop()))
    await loops?.stop()
    await served?.close()
    await first?.destroy()
  })

  it('is unknown everywhere once the agent is away, with what was true then; events tell once', async () => {
    await agents['shop']!.stop()
    await becomes('shop', 'Unknown/AgentAway')
    expect((await condition('Stagelet', 'shop', 'SecretsInSync'))?.message).toMatch(
      /^agent "shop" was last seen at \S+Z; then: InSync, revision 1$/,
    )
    expect(await verdict('Stagelet', 'shop', 'Ready')).toBe('Unknown/AgentAway')
    await settled()
    expect(await verdict('StagelySecret', 'shop-password', 'InSync')).toBe('Unknown/AgentAway')
    expect((await read('Project', 'shop')).status).toMatchObject({
      stagelets: { total: 1, inSync: 0, unknown: 1, away: 1 },
    })
    const place = { namespace: 'default', name: 'shop' }
    const input = await gatherRollout(opened.store, place, { now: realClock.now(), always: true })
    expect(viewRollout(input!)).toMatchObject({ state: 'Progressing', counts: { unknown: 1 } })
    const seen = { True: 1, False: 0, Unknown: 1 }
    expect(served.routes.fleet()).toMatchObject({
      stagelets: { SecretsInSync: seen, Ready: seen, Degraded: { True: 0, False: 1, Unknown: 1 } },
      agents: seen,
      quarantined: 0,
    })
    const { items } = await opened.store.list('Event', { namespace: 'default' })
    const told = items.map((event) => event.spec as { reason: string; involvedObject: object })
    expect(told.filter(({ reason }) => reason === 'Disconnected')).toEqual([
      expect.objectContaining({
        involvedObject: expect.objectContaining({ name: 'shop' }) as object,
      }),
    ])
    expect(told.filter(({ reason }) => reason.startsWith('Agent'))).toEqual([])
  })

  it('is written once, and known again by a report, not by a connection', async () => {
    const version = await settled()
    await realClock.sleep(1_000)
    expect(await opened.store.currentVersion()).toBe(version)
    start('shop')
    await eventually(
      async () => (await verdict('Stagelet', 'shop', 'AgentReachable')) === 'True/Connected',
    )
    await settled()
    expect(await verdict('Stagelet', 'shop', 'SecretsInSync')).toBe('Unknown/AgentAway')
    expect(await verdict('StagelySecret', 'shop-password', 'InSync')).toBe('Unknown/AgentAway')
    // Its first look shows what containers carry, and not yet whether they are healthy with it.
    await report('shop', { phase: 'Gating', passed: {} })
    await becomes('shop', 'Unknown/NotJudged')
    await settled()
    expect(await verdict('Stagelet', 'shop', 'Ready')).toBe('Unknown/NotJudged')
    expect(await verdict('StagelySecret', 'shop-password', 'InSync')).toBe('True/InSync')
    await report('shop')
    await becomes('shop', 'True/InSync')
    const { status } = await read('Stagelet', 'shop')
    expect(status?.['lastSeen']).toBeUndefined()
    expect(status).toMatchObject({ runningRevision: 1, services: [{ state: 'running' }] })
  })

  it('is unknown where a connection stays open and nothing comes of it, since the agent was last heard', async () => {
    await agents['blog']!.stop()
    const tuning = { graceMs: 600_000, restartMs: 600_000, silenceMs: 2_000, signMs: 500 }
    const listening = await serveTestAgents(opened, tuning)
    const quiet = await openQuietAgent(identities['blog']!, listening.url)
    try {
      const began = realClock.now()
      let counter = 0
      let lastGiven = 0
      while (realClock.now() - began < 4_000) {
        lastGiven = realClock.now()
        await quiet.give(quiet.sign(++counter))
        await realClock.sleep(300)
      }
      expect(await verdict('Stagelet', 'blog', 'SecretsInSync')).toBe('True/InSync')
      expect(quiet.isOpen()).toBe(true)

      // Repeated, and made by another stream: neither is a sign.
      const other = await openQuietAgent(
        await joinTestAgent(await served.token('spare')),
        listening.url,
      )
      const refused = expect.objectContaining({ status: 401 }) as unknown
      await eventually(async () => {
        await expect(quiet.give(quiet.sign(counter))).rejects.toEqual(refused)
        const foreign = quiet.sign(counter + 1).slice(0, -43) + other.sign(counter + 1).slice(-43)
        await expect(quiet.give(foreign)).rejects.toEqual(refused)
        expect(quiet.isOpen()).toBe(false)
      })
      other.close()
      // No more time is given for a return: the silence was it.
      await becomes('blog', 'Unknown/AgentAway')
      const { lastLost } = (await read('Agent', 'blog')).status as { lastLost: string }
      expect(Date.parse(lastLost)).toBeGreaterThanOrEqual(lastGiven)
      expect(Date.parse(lastLost)).toBeLessThan(lastGiven + 2_000)
    } finally {
      quiet.close()
      await listening.close()
    }
    start('blog')
    await report('blog')
    await becomes('blog', 'True/InSync')
  })

  it('is not unknown for a short absence, nor for a restart of the controller; who stays away then, is', async () => {
    await settled()
    const untouched = (await read('Stagelet', 'shop')).metadata.resourceVersion
    // A time of the return, in seconds, would be another one.
    await realClock.sleep(1_000)
    await agents['shop']!.stop()
    start('shop')
    await report('shop')
    await eventually(() => served.routes.connected('default/shop'))

    const port = Number(new URL(served.url).port)
    await loops.stop()
    await served.close()
    opened = await first.again()
    await agents['blog']!.stop()
    await serve(port)
    await eventually(() => served.routes.connected('default/shop'), 20_000)
    await becomes('blog', 'Unknown/AgentAway')
    expect((await condition('Agent', 'blog', 'Ready'))?.reason).toBe('Disconnected')
    expect((await read('Stagelet', 'shop')).metadata.resourceVersion).toBe(untouched)
  })
})
