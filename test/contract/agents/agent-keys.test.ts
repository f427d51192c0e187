// New keys for an agent that has joined: taken whole, or not at all, wherever it is cut off.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createControllerClient,
  type ControllerClient,
} from '../../../agent/link/controller-client.ts'
import { loadAgentIdentity } from '../../../agent/identity/identity.ts'
import { joinController } from '../../../agent/link/join.ts'
import { openKeyRotation, type AgentKeyRotation } from '../../../agent/link/key-rotation.ts'
import { leaveController } from '../../../agent/machine/leave.ts'
import { createRequestSigner } from '../../../agent/link/request-signer.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { generateKeys } from '../../../src/protocol/keys.ts'
import { agentPaths } from '../../../src/protocol/messages.ts'
import { annotations } from '../../../src/resources/meta.ts'
import {
  actor,
  createStack,
  eventually,
  putSecrets,
  startTestAgent,
  startTestController,
  type TestAgent,
  type TestController,
} from '../../support/agents/agent-protocol.ts'

describe('new keys of an agent', () => {
  let controller: TestController
  const agents: TestAgent[] = []
  const dirs: string[] = []
  let names = 0

  const joined = async (): Promise<{ dir: string; name: string }> => {
    const dir = await mkdtemp(join(tmpdir(), 'stagely-keys-'))
    dirs.push(dir)
    const name = `box-${++names}`
    await joinController(dir, await controller.token(name), '0.0.1')
    return { dir, name }
  }
  const open = async (
    dir: string,
  ): Promise<{ rotation: AgentKeyRotation; client: ControllerClient }> => {
    const identity = (await loadAgentIdentity(dir))!
    const deps = { dataDir: dir, identity, clock: realClock, log: silentLogger }
    const rotation = await openKeyRotation(deps)
    const signer = createRequestSigner(rotation.identity, realClock)
    return { rotation, client: createControllerClient(identity, signer) }
  }
  const registered = async (dir: string): Promise<string | undefined> =>
    (await controller.opened.agents.keysOf((await loadAgentIdentity(dir))!.agentUid))?.x25519
  const held = async (dir: string): Promise<string> =>
    (await loadAgentIdentity(dir))!.x25519.publicKey.toString('base64url')
  const agentOf = async (name: string) =>
    (await controller.opened.store.get({ kind: 'Agent', namespace: 'default', name }))!

  beforeAll(async () => {
    controller = await startTestController()
  })
  afterAll(async () => {
    for (const agent of agents) await agent.stop()
    await controller.close()
    for (const dir of dirs) await rm(dir, { recursive: true, force: true })
  })

  test('are none after an ephemeral agent has left, and no other agent can leave', async () => {
    const { dir, name } = await joined()
    const { client } = await open(dir)
    const ref = { kind: 'Agent', namespace: 'default', name } as const
    const { store } = controller.opened
    const leave = (): Promise<number> => leaveController(['--data-dir', dir])
    const report = (): Promise<unknown> =>
      client.post({
        path: agentPaths.report,
        body: { boot: 'one', seq: 0, observations: [] },
      })
    try {
      expect(await leave()).toBe(1)
      await createStack(controller, `s-${name}`, name)
      await store.write(actor, {}, async (tx) => {
        const spec = { ephemeral: { goneAfter: '10m' } }
        await tx.update({ ...(await tx.get(ref))!, spec })
      })
      expect(await leave()).toBe(0)
      expect(await store.get(ref)).toBeUndefined()
      expect(await store.get({ ...ref, kind: 'Stagelet', name: `s-${name}` })).toBeUndefined()
      const { items } = await store.list('Event', { namespace: 'default' })
      const gone = items.filter(({ spec }) => spec.reason === 'AgentGone')
      expect(gone.map(({ spec }) => spec.message)).toEqual([
        `the machine is ended: it said that its machine goes (stagely agent leave); there ran last: s-${name}: nothing was seen`,
      ])
      await expect(report()).rejects.toMatchObject({
        reason: 'UnknownAgent',
        message: expect.stringContaining('stagely agent token create') as string,
      })
      // As after an answer that was lost.
      expect(await leave()).toBe(0)
    } finally {
      client.close()
    }
  })

  test('are taken, and what is sealed goes to them from then on', async () => {
    const { dir, name } = await joined()
    const { rotation, client } = await open(dir)
    const before = await held(dir)
    await createStack(controller, `on-${name}`, name)
    await putSecrets(controller, `on-${name}`, { A: 'for the new key' })
    await rotation.rotate(client)
    await rotation.resealed()
    expect(await held(dir)).not.toBe(before)
    expect(await registered(dir)).toBe(await held(dir))
    expect(await readFile(join(dir, 'identity.json'), 'utf8')).not.toContain('formerX25519')
    const agent = startTestAgent((await loadAgentIdentity(dir))!)
    agents.push(agent)
    await eventually(() => agent.wants.includes(`on-${name} r1 A=for the new key`))
    expect((await agentOf(name)).status).toMatchObject({
      keysRotatedAt: expect.any(String) as string,
    })
    client.close()
  })

  test('cut the stream of the old ones, which are refused from then on', async () => {
    const { dir } = await joined()
    const old = startTestAgent((await loadAgentIdentity(dir))!)
    agents.push(old)
    await eventually(() => old.connections === 1)
    const { rotation, client } = await open(dir)
    await rotation.rotate(client)
    await eventually(() => old.logs.some((l) => l.fields['reason'] === 'KeysRotated'))
    await eventually(() => old.logs.some((l) => l.fields['reason'] === 'BadSignature'))
    expect(old.connections).toBe(1)
    client.close()
  })

  test('are finished after a crash, whether the controller had heard of them or not', async () => {
    for (const heard of [false, true]) {
      const { dir } = await joined()
      const first = await open(dir)
      const dying: ControllerClient = {
        ...first.client,
        post: async (options) => {
          if (heard) await first.client.post(options)
          throw new Error('killed here')
        },
      }
      await expect(first.rotation.rotate(dying)).rejects.toThrow('killed here')
      expect(await registered(dir)).not.toBe(undefined)
      expect((await registered(dir)) === (await held(dir))).toBe(!heard)
      const second = await open(dir)
      expect(second.rotation.isPending()).toBe(true)
      await second.rotation.rotate(second.client)
      expect(second.rotation.isPending()).toBe(false)
      expect(await registered(dir)).toBe(await held(dir))
      first.client.close()
      second.client.close()
    }
  })

  test('open what was sealed to the former one, until that is sealed anew', async () => {
    const { dir } = await joined()
    const { rotation, client } = await open(dir)
    const before = rotation.identity.x25519.publicKey
    await rotation.rotate(client)
    expect(rotation.sealingKeys().map((k) => k.publicKey)).toEqual([
      rotation.identity.x25519.publicKey,
      before,
    ])
    // As after a crash before it was sealed anew.
    const again = await open(dir)
    expect(again.rotation.sealingKeys().map((k) => k.publicKey)[1]).toEqual(before)
    await again.rotation.resealed()
    expect(again.rotation.sealingKeys()).toHaveLength(1)
    client.close()
    again.client.close()
  })

  test('are told again to a controller that knows only those of before, as after a restore', async () => {
    const { dir, name } = await joined()
    const old = (await loadAgentIdentity(dir))!
    const keysOld = (await controller.opened.agents.keysOf(old.agentUid))!
    const { rotation, client } = await open(dir)
    await rotation.rotate(client)
    await rotation.rotate(client)
    const now = (await controller.opened.agents.keysOf(old.agentUid))!
    await controller.opened.agents.rotateKeys({
      agentUid: old.agentUid,
      held: now.ed25519,
      request: undefined,
      ed25519: keysOld.ed25519,
      x25519: keysOld.x25519,
    })
    expect(await rotation.recover(client)).toBe(true)
    expect(await registered(dir)).toBe(await held(dir))
    expect(await rotation.recover(client)).toBe(false)
    await controller.opened.agents.revoke({ kind: 'Agent', namespace: 'default', name }, actor)
    await expect(rotation.recover(client)).rejects.toThrow(/revoked/)
    client.close()
  })

  test('are refused without their own signature, and from others', async () => {
    const { dir } = await joined()
    const other = startTestAgent((await loadAgentIdentity((await joined()).dir))!)
    agents.push(other)
    const before = await registered(dir)
    const ed25519 = generateKeys('Ed25519').publicKey.toString('base64url')
    const x25519 = generateKeys('X25519').publicKey.toString('base64url')
    const body = { ed25519, x25519, proof: Buffer.alloc(64).toString('base64url') }
    const post = other.client.post({
      path: agentPaths.keys,
      body,
      signedBy: other.identity.ed25519,
    })
    await expect(post).rejects.toThrow('the new key did not sign for itself')
    const foreign = (await loadAgentIdentity(dir))!.ed25519
    const forged = other.client.post({ path: agentPaths.keys, body, signedBy: foreign })
    await expect(forged).rejects.toMatchObject({ status: 401, reason: 'BadSignature' })
    expect(await registered(dir)).toBe(before)
  })

  test('are asked for by an annotation, of an agent that comes back later too', async () => {
    const { dir, name } = await joined()
    const { store } = controller.opened
    const agent = await agentOf(name)
    const metadata = { ...agent.metadata, annotations: { [annotations.rotateKeys]: 'now' } }
    await store.write(actor, {}, (tx) => tx.update({ ...agent, metadata }))
    const { rotation, client } = await open(dir)
    const before = await held(dir)
    const running = startTestAgent(rotation.identity, {
      keys: {
        isPending: rotation.isPending,
        rotate: async (request) => {
          await rotation.rotate(client, request)
          return true
        },
        recover: () => rotation.recover(client),
      },
    })
    agents.push(running)
    await eventually(async () => (await agentOf(name)).status?.['keyRotation'] === 'now')
    await eventually(() => running.connections >= 2)
    expect(await held(dir)).not.toBe(before)
    expect(await registered(dir)).toBe(await held(dir))
    client.close()
  })
})
