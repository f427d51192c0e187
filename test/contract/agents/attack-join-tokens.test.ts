// A pool of join tokens, as it lies in a template of machines, in a log or with somebody who has left: what a token is
// worth beside another one, twice, late, and for whoever has the name now.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JoinToken } from '../../../src/protocol/join-token.ts'
import { agentPaths } from '../../../src/protocol/messages.ts'
import { generateKeys } from '../../../src/protocol/keys.ts'
import {
  actor,
  joinTestAgent,
  skewClock,
  startTestController,
  type TestController,
} from '../../support/agents/agent-protocol.ts'
import { joinBody } from '../../support/agents/join-body.ts'
import { startRecordingProxy, type RecordingProxy } from '../../support/http/recording-proxy.ts'

describe('a pool of join tokens', () => {
  let controller: TestController
  let proxy: RecordingProxy
  beforeAll(async () => {
    controller = await startTestController(undefined, { joinsPerSecond: 1_000 })
    proxy = await startRecordingProxy(controller)
  })
  afterAll(async () => {
    proxy.close()
    await controller.close()
  })

  const ref = (name: string) => ({ kind: 'Agent', namespace: 'default', name })
  const join = async (
    token: JoinToken,
    tweak: Parameters<typeof joinBody>[1] = {},
  ): Promise<{ status: number; text: string }> =>
    proxy.send(controller.url, {
      method: 'POST',
      path: agentPaths.join,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(joinBody(token, tweak))),
    })
  const remove = async (name: string): Promise<void> => {
    const { store } = controller.opened
    await store.write(actor, {}, (tx) => tx.remove(ref(name)))
    expect(await store.get(ref(name))).toBeUndefined()
  }
  const keysOf = async (name: string) => {
    const uid = (await controller.opened.store.get(ref(name)))?.metadata.uid ?? ''
    return controller.opened.agents.keysOf(uid)
  }

  it('lets in one of many machines that come with one token at once', async () => {
    const token = await controller.token('race')
    const all = await Promise.all(Array.from({ length: 12 }, () => join(token)))
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1)
    for (const { status } of all) expect([200, 401]).toContain(status)
  })

  it('lets in one of many machines that come with several tokens of one name', async () => {
    const tokens = await Promise.all(Array.from({ length: 4 }, () => controller.token('pool')))
    const all = await Promise.all(tokens.map((token) => join(token)))
    expect(all.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409])
    const held = await keysOf('pool')
    for (const token of tokens) expect((await join(token)).status).not.toBe(200)
    expect(await keysOf('pool')).toEqual(held)
  })

  it('is worth nothing with another name, another team, or after its end', async () => {
    const token = await controller.token('mine')
    await controller.token('other')
    for (const tweak of [{ name: 'other' }, { namespace: 'elsewhere' }, { name: 'MINE' }])
      expect((await join(token, tweak)).status).toBe(401)
    skewClock(controller, 61_000)
    try {
      expect((await join(token, { counter: Date.now() + 61_000 })).status).toBe(401)
    } finally {
      skewClock(controller, 0)
    }
  })

  it('tells who has a token that was used nothing of who used it, and takes nothing over', async () => {
    const token = await controller.token('used')
    const identity = await joinTestAgent(token)
    const held = await keysOf('used')
    const { ed25519, x25519 } = held!
    const later = { counter: Date.now() + 1_000 }
    for (const tweak of [{}, { ed25519 }, { x25519 }, { ed25519, ...later }]) {
      const { status, text } = await join(token, tweak)
      expect(status, text).toBe(401)
      expect(text).not.toContain(identity.agentUid)
    }
    expect(await keysOf('used')).toEqual(held)
  })

  it('is worth nothing once its agent is revoked, whoever made it', async () => {
    const token = await controller.token('left')
    await controller.opened.agents.revoke(ref('left'), actor)
    expect((await join(token)).status).toBe(401)
    expect((await join(await controller.token('left'))).status).toBe(200)
  })

  it('joins no agent that got the name of one that was deleted', async () => {
    const stale = await controller.token('again')
    await remove('again')
    const now = await controller.token('again')
    expect((await join(stale)).status).toBe(401)
    expect((await join(now)).status).toBe(200)
  })

  it('is not put off by keys of another agent', async () => {
    const keys = { ed25519: generateKeys('Ed25519').publicKey.toString('base64url') }
    expect((await join(await controller.token('twin-a'), keys)).status).toBe(200)
    const { status } = await join(await controller.token('twin-b'), keys)
    expect([200, 409]).toContain(status)
  })
})
