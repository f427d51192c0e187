// The agents' protocol, both ends, over real TLS.
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createControllerClient,
  RefusedByController,
} from '../../../agent/link/controller-client.ts'
import { loadAgentIdentity, type AgentIdentity } from '../../../agent/identity/identity.ts'
import { joinController } from '../../../agent/link/join.ts'
import { createRequestSigner } from '../../../agent/link/request-signer.ts'
import { realClock, type Clock } from '../../../src/kernel/clock.ts'
import { generateKeys } from '../../../src/protocol/keys.ts'
import {
  agentPaths,
  protocolVersion,
  type ReportedStagelet,
} from '../../../src/protocol/messages.ts'
import {
  actor,
  agentCondition,
  createStack,
  eventually,
  joinTestAgent,
  putSecrets,
  readyOf,
  serveTestAgents,
  skewClock,
  startTestAgent,
  startTestController,
  wantRevision,
  type TestAgent,
  type TestController,
} from '../../support/agents/agent-protocol.ts'
import { startRelay } from '../../support/http/relay.ts'
import { soak } from '../../support/soak.ts'
import { system } from '../../support/databases/store-fixtures.ts'

const agentRef = (name: string) => ({ kind: 'Agent' as const, namespace: 'default', name })
const stageletRef = (name: string) => ({ kind: 'Stagelet', namespace: 'default', name })

const anObservation = (stageletUid: string): ReportedStagelet => ({
  stageletUid,
  generation: 1,
  epoch: 1,
  revision: 1,
  phase: 'Settled',
  services: [],
  passed: {},
  pendingEdits: [],
  missingVariables: [],
})

/** On the embedded database in the long form: in the short one build-before has an agent there. */
const databases = ['postgres', 'pglite'] as const

describe.each(databases.slice(0, soak(1, databases.length)))('agent protocol on %s', (database) => {
  let controller: TestController
  const agents: TestAgent[] = []
  let names = 0
  const newName = (): string => `box-${++names}`

  const start = (
    identity: AgentIdentity,
    tweak: Parameters<typeof startTestAgent>[1] = {},
  ): TestAgent => {
    const agent = startTestAgent(identity, tweak)
    agents.push(agent)
    return agent
  }
  const joined = async (name: string): Promise<AgentIdentity> =>
    joinTestAgent(await controller.token(name))

  beforeAll(async () => {
    controller = await startTestController(database === 'pglite' ? 'embedded' : undefined)
  })
  afterAll(async () => {
    for (const agent of agents) await agent.stop()
    await controller.close()
  })

  describe('join', () => {
    test('keeps keys private, and the same command line goes on', async () => {
      const dir = await mkdtemp(join(tmpdir(), 'stagely-agent-'))
      const token = await controller.token(newName())
      const identity = await joinController(dir, token, '0.0.1')
      expect((await stat(join(dir, 'identity.json'))).mode & 0o777).toBe(0o600)
      const stored = await loadAgentIdentity(dir)
      expect(stored?.tokenId).toBe(token.tokenId)
      expect(stored?.agentUid).toBe(identity.agentUid)
      expect(await readFile(join(dir, 'identity.json'), 'utf8')).not.toContain(token.tokenSecret)
      await rm(dir, { recursive: true })
    })

    test('works once: another machine with the same token is refused', async () => {
      const token = await controller.token(newName())
      await joinTestAgent(token)
      await expect(joinTestAgent(token)).rejects.toThrow(/used already/)
    })

    test('a lost answer can be asked for again with the same keys', async () => {
      const dir = await mkdtemp(join(tmpdir(), 'stagely-agent-'))
      const token = await controller.token(newName())
      await joinController(dir, token, '0.0.1')
      // As after a crash between the answer and the file: only the keys are there.
      const file = JSON.parse(await readFile(join(dir, 'identity.json'), 'utf8')) as object
      await rm(join(dir, 'identity.json'))
      await writeFile(join(dir, 'joining.json'), JSON.stringify(file))
      await joinController(dir, token, '0.0.1')
      expect(await loadAgentIdentity(dir)).toBeDefined()
      await rm(dir, { recursive: true })
    })

    test('a wrong name, a wrong secret and an expired token are refused', async () => {
      const token = await controller.token(newName())
      await expect(joinTestAgent({ ...token, name: 'other' })).rejects.toThrow(/another agent/)
      await expect(joinTestAgent({ ...token, tokenSecret: 'x' })).rejects.toThrow(/not known/)
      const short = await controller.token(newName(), { ttlMs: 1 })
      await realClock.sleep(20)
      await expect(joinTestAgent(short)).rejects.toThrow(/expired/)
    })

    test('a taken name is refused until it is revoked', async () => {
      const name = newName()
      await joined(name)
      await expect(joinTestAgent(await controller.token(name))).rejects.toThrow(/revoke it first/)
      await controller.opened.agents.revoke(agentRef(name), actor)
      await joined(name)
    })

    test('nothing secret is sent to a server without the pinned CA', async () => {
      const impostor = await startTestController()
      const token = await controller.token(newName(), { url: impostor.url })
      await expect(joinTestAgent(token)).rejects.toThrow(/does not show the CA/)
      await impostor.close()
      // The token is as good as new.
      await joinTestAgent({ ...token, url: controller.url })
    })

    test('an unreachable controller is said to be so', async () => {
      const token = await controller.token(newName(), { url: 'https://127.0.0.1:1' })
      await expect(joinTestAgent(token)).rejects.toThrow(/cannot reach the controller at https/)
    })
  })

  describe('stream', () => {
    test('brings the whole state, then changes, then nothing for a status that says the same', async () => {
      const name = newName()
      await createStack(controller, name, name)
      const first = await putSecrets(controller, name, { A: 'one', B: 'two' })
      const agent = start(await joined(name))
      await eventually(() => agent.wants.length === 1)
      expect(agent.wants).toEqual([`${name} r${first} A=one,B=two`])
      const second = await putSecrets(controller, name, { A: 'new' })
      await eventually(() => agent.wants.at(-1) === `${name} r${second} A=new,B=two`)
      const { store, audit } = controller.opened
      const by = `agent:default/${name}`
      const { records: rows } = await audit.list(
        { teams: undefined, by, action: 'deliver' },
        { limit: 10 },
      )
      expect(rows.map(({ object, detail }) => [object.name, detail?.['revision']])).toEqual([
        [name, second],
        [name, first],
      ])
      for (const { actor } of rows)
        expect(actor).toEqual({ name: by, source: 'system', address: '127.0.0.1' })
      expect(rows.map((row) => row.request_id?.length)).toEqual([36, 36])
      const before = agent.wants.length
      await store.write(system, {}, async (tx) => {
        await tx.setConditions(stageletRef(name), [
          { type: 'Ready', status: 'True', reason: 'X', message: '' },
        ])
      })
      await realClock.sleep(200)
      expect(agent.wants.length).toBe(before)
    })

    test('a stagelet is not sent before it is known what it should run', async () => {
      const name = newName()
      const agent = start(await joined(name))
      await eventually(() => agent.connections === 1)
      await createStack(controller, name, name)
      await realClock.sleep(200)
      expect(agent.wants).toEqual([])
      await wantRevision(controller.opened, name, 0)
      await eventually(() => agent.wants.length === 1)
      expect(agent.wants).toEqual([`${name} r0`])
    })

    test('each agent gets its own stagelets and, of a set, only what they may see', async () => {
      const [a, b] = [newName(), newName()]
      await createStack(controller, a, a)
      const { store } = controller.opened
      await store.write(actor, {}, async (tx) => {
        await tx.create({
          apiVersion: 'stagely.dev/v1alpha1',
          kind: 'Stagelet',
          metadata: { namespace: 'default', name: b },
          spec: {
            projectRef: { name: a },
            agentRef: { name: b },
            compose: { directory: '/srv/b' },
          },
        })
      })
      await putSecrets(controller, a, { ALL: 'x' })
      await putSecrets(controller, a, { MINE: 'of-a' }, { stagelet: a })
      await putSecrets(controller, a, { MINE: 'of-b' }, { stagelet: b })
      const [agentA, agentB] = [start(await joined(a)), start(await joined(b))]
      await eventually(() => agentA.wants.length + agentB.wants.length >= 2)
      expect(agentA.wants.at(-1)).toMatch(/ ALL=x,MINE=of-a$/)
      expect(agentB.wants.at(-1)).toMatch(/ ALL=x,MINE=of-b$/)
    })

    test('a stagelet that comes, moves and goes is told; a pause of the agent too', async () => {
      const [name, other] = [newName(), newName()]
      const agent = start(await joined(name))
      const second = start(await joined(other))
      await eventually(() => agent.connections === 1 && second.connections === 1)
      await createStack(controller, name, name)
      await putSecrets(controller, name, { A: 'one' })
      await eventually(() => agent.wants.at(-1)?.endsWith('A=one') === true)
      const { store } = controller.opened
      await store.write(actor, {}, async (tx) => {
        const it = (await tx.get(agentRef(name)))!
        await tx.update({ ...it, spec: { paused: true } })
      })
      await eventually(() => agent.items.at(-1)?.paused === true)
      await store.write(actor, {}, async (tx) => {
        const it = (await tx.get(stageletRef(name)))!
        await tx.update({ ...it, spec: { ...it.spec, agentRef: { name: other } } })
      })
      await eventually(() => agent.wants.at(-1) === `forget ${name}`)
      await eventually(() => second.wants.at(-1)?.endsWith('A=one') === true)
      await store.write(actor, {}, (tx) => tx.remove(stageletRef(name)))
      await eventually(() => {
        const last = second.items.at(-1)
        return last?.release === 'Retain' || second.wants.at(-1) === `forget ${name}`
      })
    })

    test('a stagelet that moves to another project gets the set of that one, whose revision has the same number', async () => {
      const [name, other] = [newName(), newName()]
      for (const [project, value] of [
        [name, 'first'],
        [other, 'second'],
      ] as const) {
        await createStack(controller, project, project)
        expect(await putSecrets(controller, project, { A: value })).toBe(1)
      }
      const agent = start(await joined(name))
      await eventually(() => agent.wants.at(-1) === `${name} r1 A=first`)
      await controller.opened.store.write(actor, {}, async (tx) => {
        const it = (await tx.get(stageletRef(name)))!
        await tx.update({ ...it, spec: { ...it.spec, projectRef: { name: other } } })
      })
      await eventually(() => agent.wants.at(-1) === `${name} r1 A=second`)
    })

    test('after a lost connection no bundle is sent twice, and a newer one is', async () => {
      const name = newName()
      await createStack(controller, name, name)
      await putSecrets(controller, name, { A: 'one' })
      const relay = await startRelay(controller.url)
      const agent = start(await joined(name), { url: `https://127.0.0.1:${relay.port}` })
      await eventually(() => agent.wants.length === 1)
      const opened: string[] = []
      const { store } = controller.opened
      const openSet = store.openSet.bind(store)
      store.openSet = (project, revision, delivery) => {
        opened.push(`${delivery.stagelet} ${revision}`)
        return openSet(project, revision, delivery)
      }
      for (const socket of relay.sockets) socket.destroy()
      await eventually(() => agent.wants.length === 2)
      expect(agent.wants[1]).toBe(agent.wants[0])
      expect(opened).toEqual([])
      const revision = await putSecrets(controller, name, { A: 'two' })
      await eventually(() => agent.wants.at(-1) === `${name} r${revision} A=two`)
      expect(opened).toEqual([`${name} ${revision}`])
      store.openSet = openSet
      relay.close()
    })

    test('a proxy that cuts in the middle of a line does no harm', async () => {
      const name = newName()
      await createStack(controller, name, name)
      const value = randomBytes(40_000).toString('base64')
      await putSecrets(controller, name, { A: value })
      const relay = await startRelay(controller.url)
      const agent = start(await joined(name), { url: `https://127.0.0.1:${relay.port}` })
      relay.cutAfter = 20_000
      await eventually(() => agent.connections >= 2)
      expect(agent.wants).toEqual([])
      relay.cutAfter = undefined
      await eventually(() => agent.wants.length >= 1)
      expect(agent.wants[0]).toContain(value)
      relay.close()
    })

    test('revoking cuts an open stream and keeps the agent out', async () => {
      const name = newName()
      const agent = start(await joined(name))
      await eventually(() => controller.routes.connected(`default/${name}`))
      await controller.opened.agents.revoke(agentRef(name), actor)
      await eventually(() => !controller.routes.connected(`default/${name}`))
      await eventually(() => agent.logs.some((l) => l.fields.reason === 'Revoked'))
      const post = agent.client.post({ path: agentPaths.report, body: {} })
      await expect(post).rejects.toMatchObject({ status: 401, reason: 'UnknownAgent' })
      await realClock.sleep(400)
      expect(await readyOf(controller, name)).toBe('False/Revoked')
    })

    test('a deleted agent is cut as well', async () => {
      const name = newName()
      start(await joined(name))
      await eventually(() => controller.routes.connected(`default/${name}`))
      await controller.opened.store.write(actor, {}, (tx) => tx.remove(agentRef(name)))
      await eventually(() => !controller.routes.connected(`default/${name}`))
    })

    test('a second connection of the same agent replaces the first', async () => {
      const name = newName()
      const identity = await joined(name)
      const first = start(identity)
      await eventually(() => first.connections === 1)
      const second = start(identity)
      await eventually(() => second.connections === 1)
      await eventually(() => first.logs.some((l) => l.fields.reason === 'Replaced'))
      expect(controller.routes.connected(`default/${name}`)).toBe(true)
    })

    test('says who is connected, and who left', async () => {
      const name = newName()
      const agent = start(await joined(name))
      await eventually(async () => (await readyOf(controller, name)) === 'True/Connected')
      const { status } = (await controller.opened.store.get(agentRef(name)))!
      expect(status).toMatchObject({
        version: '0.0.1',
        engineVersion: '26.1.5',
        composeVersion: '2.26.1',
      })
      await agent.stop()
      await eventually(async () => (await readyOf(controller, name)) === 'Unknown/Disconnected')
    })

    test('the clock of an agent is measured at the connect, and again when it was set right', async () => {
      const name = newName()
      let aheadMs = 3_000
      const clock: Clock = { ...realClock, now: () => realClock.now() + aheadMs }
      const agent = start(await joined(name), { clock })
      const skew = async (): Promise<number | undefined> => {
        return (await controller.opened.store.get(agentRef(name)))?.status?.clockSkewMs
      }
      const report = (seq: number): Promise<unknown> =>
        agent.client.post({
          path: agentPaths.report,
          body: { boot: agent.boot, seq, observations: [] },
        })
      await eventually(async () => (await skew()) !== undefined)
      await report(1)
      // Of two requests one takes less than a second.
      await eventually(async () => Math.abs(3_000 - ((await skew()) ?? 0)) < 1_000)
      aheadMs = 0
      for (let seq = 2; seq < 10; seq++) await report(seq)
      await eventually(async () => Math.abs((await skew()) ?? NaN) < 1_000)
    })

    test('a clock that is 6 minutes off is refused with both times, and the Agent says so until the clock is right', async () => {
      const name = newName()
      let aheadMs = 6 * 60_000
      const clock: Clock = { ...realClock, now: () => realClock.now() + aheadMs }
      const agent = start(await joined(name), { clock })
      await eventually(() => agent.logs.some((l) => l.fields.reason === 'ClockSkew'))
      const said = agent.logs.find((l) => l.fields.reason === 'ClockSkew')?.fields.said as string
      expect(said.match(/\d{4}-\d\d-\d\dT/g)).toHaveLength(2)
      const refused = (): Promise<unknown> => agentCondition(controller, name, 'Refused')
      const message = expect.stringMatching(/about 6 minutes ahead of .* NTP$/) as string
      await expect.poll(refused).toMatchObject({ status: 'True', reason: 'ClockSkew', message })
      const { items } = await controller.opened.store.list('Event')
      expect(items.filter(({ spec }) => spec?.reason === 'Refused')).toHaveLength(1)
      aheadMs = 0
      await eventually(async () => (await readyOf(controller, name)) === 'True/Connected')
      expect(await refused()).toBeUndefined()
    })

    test('an agent one version apart is served its secrets, older or newer; two apart it is refused with the remedy', async () => {
      const [major = 0, minor = 0] = protocolVersion.split('.').map(Number)
      const at = (difference: number): string => `${major}.${minor + difference}`
      const name = newName()
      const agent = await joined(name)
      await createStack(controller, `on-${name}`, name)
      await putSecrets(controller, `on-${name}`, { A: 'for all versions' })
      for (const protocol of [at(-1), at(1)].filter((p) => !p.includes('-'))) {
        const running = start(agent, { protocol })
        await eventually(() => running.wants.includes(`on-${name} r1 A=for all versions`))
        await running.stop()
        agents.splice(agents.indexOf(running), 1)
      }
      // Until then what is written of the last stream may end the condition.
      await eventually(async () => (await readyOf(controller, name)) === 'Unknown/Disconnected')
      const newer = start(agent, { protocol: at(2) })
      await eventually(() =>
        newer.logs.some((l) => /update the controller/.test(String(l.fields['said']))),
      )
      const older = start(agent, { protocol: `${major - 1}.0` })
      await eventually(() =>
        older.logs.some((l) => /update the agent/.test(String(l.fields['said']))),
      )
      const refused = (): Promise<unknown> => agentCondition(controller, name, 'Refused')
      const message = expect.stringContaining('update the agent') as string
      await expect.poll(refused).toMatchObject({ status: 'True', reason: 'Protocol', message })
    })

    test('another protocol, another body and a request for another controller are refused', async () => {
      const name = newName()
      const identity = await joined(name)
      const agent = start(identity)
      const open = (body: object): Promise<unknown> =>
        agent.client.post({ path: agentPaths.stream, body })
      const request = { protocol: '3.0', boot: 'b', version: 'v', now: realClock.now(), holds: [] }
      await expect(open(request)).rejects.toMatchObject({ status: 426, reason: 'Protocol' })
      await expect(open({})).rejects.toMatchObject({ status: 400 })
      const elsewhere = { ...identity, controllerId: 'another controller' }
      const other = start(elsewhere)
      await eventually(() => other.logs.some((l) => l.fields.reason === 'BadSignature'))
      skewClock(controller, 20 * 60_000)
      await expect(open(request)).rejects.toMatchObject({ reason: 'ClockSkew' })
      skewClock(controller, 0)
    })

    test('an agent that pins the key of another controller tells this one nothing, and takes nothing', async () => {
      const name = newName()
      await createStack(controller, name, name)
      const identity = await joined(name)
      // Same CA, same id, but not the controller's X25519 key: as somebody who ends TLS would have.
      const tampered = { ...identity, controllerX25519: generateKeys('X25519').publicKey }
      await putSecrets(controller, name, { A: 'one' })
      const agent = start(tampered)
      await eventually(() => agent.logs.some((l) => l.fields.reason === 'BadProof'))
      expect([agent.connections, agent.wants]).toEqual([0, []])
    })

    test('an overloaded controller says when to come back', async () => {
      // All come at one time of its clock, however long the machine takes.
      const at = realClock.now()
      const still: Clock = { ...realClock, now: () => at }
      const small = await serveTestAgents(controller.opened, { connectsPerSecond: 3 }, still)
      const identity = await joinTestAgent(await small.token(newName()))
      const client = createControllerClient(identity, createRequestSigner(identity, realClock), 9)
      const answers = await Promise.all(
        Array.from({ length: 13 }, () =>
          client.post({ path: agentPaths.stream, body: {} }).catch((error: unknown) => error),
        ),
      )
      const refused = answers.filter((a) => a instanceof RefusedByController && a.status === 503)
      const times = (refused as RefusedByController[]).map((r) => (r.retryAfterMs ?? 0) / 1_000)
      expect(times.toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2, 2, 3, 3, 3, 4, 4])
      client.close()
      await small.close()
    })
  })

  describe('report', () => {
    const report = (
      agent: TestAgent,
      seq: number,
      uids: string[],
      boot = agent.boot,
    ): Promise<unknown> =>
      agent.client.post({
        path: agentPaths.report,
        body: { boot, seq, observations: uids.map(anObservation) },
      })
    const stored = (name: string) =>
      controller.opened.store.get({ kind: 'Observation', namespace: 'default', name })

    test('is stored once, not again while only the number moves, and never out of order', async () => {
      const name = newName()
      await createStack(controller, name, name)
      await wantRevision(controller.opened, name, 0)
      const agent = start(await joined(name))
      await eventually(() => agent.wants.length === 1)
      const uid = agent.items[0]!.uid
      await report(agent, 0, [uid])
      expect((await stored(name))?.spec).toMatchObject({
        agent: `default/${name}`,
        stageletUid: uid,
        seq: 0,
      })
      await eventually(async () => (await readyOf(controller, name)) === 'True/Connected')
      // Of this object: agents of other tests may be noted as gone meanwhile.
      const versionOf = async (): Promise<string | undefined> =>
        (await stored(name))?.metadata.resourceVersion
      const version = await versionOf()
      await report(agent, 1, [uid])
      expect(await versionOf()).toBe(version)
      await expect(report(agent, 1, [uid])).rejects.toMatchObject({ status: 409, reason: 'Replay' })
      await expect(report(agent, 0, [uid])).rejects.toMatchObject({ status: 409, reason: 'Replay' })
      await expect(report(agent, 9, [uid], 'old-boot')).rejects.toMatchObject({
        reason: 'StaleBoot',
      })
      await report(agent, 2, [uid])
    })

    test('of another agent’s stagelet is refused, alone and among others', async () => {
      const [mine, theirs] = [newName(), newName()]
      await createStack(controller, mine, mine)
      await wantRevision(controller.opened, mine, 0)
      await createStack(controller, theirs, theirs)
      const agent = start(await joined(mine))
      await eventually(() => agent.wants.length === 1)
      const uid = agent.items[0]!.uid
      const foreign = (await controller.opened.store.get(stageletRef(theirs)))!.metadata.uid!
      await expect(report(agent, 0, [foreign])).rejects.toMatchObject({ status: 403 })
      expect(await report(agent, 1, [uid, foreign])).toEqual({ refused: [foreign] })
      expect(await stored(theirs)).toBeUndefined()
      expect(await stored(mine)).toBeDefined()
    })

    test('goes through the reporter, again after each reconnect', async () => {
      const name = newName()
      await createStack(controller, name, name)
      await wantRevision(controller.opened, name, 0)
      const agent = start(await joined(name))
      await eventually(() => agent.wants.length === 1)
      agent.reporter.changed(anObservation(agent.items[0]!.uid))
      await eventually(async () => (await stored(name)) !== undefined)
    })

    test('that is too long or malformed is refused without repeating it', async () => {
      const name = newName()
      const agent = start(await joined(name))
      const huge = { boot: 'b', seq: 0, observations: [], more: 'x'.repeat(5_000_000) }
      await expect(
        agent.client.post({ path: agentPaths.report, body: huge }),
      ).rejects.toMatchObject({
        status: 413,
      })
      const wrong = { boot: 'b', seq: 'canary-text', observations: [] }
      const post = agent.client.post({ path: agentPaths.report, body: wrong })
      await expect(post).rejects.toThrow(/malformed at: seq$/)
    })
  })

  test('a graceful stop tells each agent when to come back, and the agent does', async () => {
    const mine = await startTestController()
    const agent = start(await joinTestAgent(await mine.token('box')))
    await eventually(() => agent.connections === 1)
    const now = realClock.now()
    const { response: stream } = await agent.client.open({
      path: agentPaths.stream,
      body: { protocol: protocolVersion, boot: agent.boot, version: 'v', now, holds: [] },
      signal: new AbortController().signal,
    })
    let text = ''
    const ended = (async () => {
      for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString()
    })()
    await eventually(() => text.includes('"type":"order"'))
    await mine.routes.stop()
    await ended
    expect(text.trimEnd().split('\n').at(-1)).toMatch(/^\{"type":"reconnect","afterMs":\d+\}$/)
    const post = agent.client.post({ path: agentPaths.stream, body: {} })
    await expect(post).rejects.toMatchObject({ status: 503 })
    await mine.close()
  })

  test('no value shows in any byte of a stream but inside the ciphertext', async () => {
    const name = newName()
    await createStack(controller, name, name)
    await putSecrets(controller, name, { CANARY: 'canary-value-4711' })
    const identity = await joined(name)
    const agent = start(identity)
    await eventually(() => agent.wants.at(-1)?.includes('canary-value-4711') === true)
    await agent.stop()
    const client = createControllerClient(identity, createRequestSigner(identity, realClock))
    const ending = new AbortController()
    const now = realClock.now()
    const body = { protocol: protocolVersion, boot: 'b', version: 'v', now, holds: [] }
    const { response } = await client.open({ path: agentPaths.stream, body, signal: ending.signal })
    let text = ''
    for await (const chunk of response as AsyncIterable<Buffer>) {
      text += chunk.toString()
      if (text.includes('"type":"order"')) break
    }
    ending.abort()
    client.close()
    expect(text).toContain('"type":"bundle"')
    const encoded = Buffer.from('canary-value-4711').toString('base64')
    for (const form of ['canary-value-4711', encoded]) expect(text).not.toContain(form)
    expect(text).not.toContain('CANARY')
    expect(JSON.stringify(agent.logs)).not.toContain('canary-value')
  })
})
