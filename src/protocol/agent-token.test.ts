import type { KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Clock } from '../kernel/clock.ts'
import {
  createTokenVerifier,
  maxTokenLifeMs,
  signAgentToken,
  type Verified,
} from './agent-token.ts'
import { generateKeys, publicKeyFromRaw } from './keys.ts'

const keys = generateKeys('Ed25519')
const other = generateKeys('Ed25519')
const start = Date.parse('2026-05-01T12:00:00Z')

interface World {
  now: number
  key: KeyObject | undefined
  asked: number
  verify: (token: string) => Promise<Verified<{ key: KeyObject }>>
}

const aWorld = (): World => {
  const world: World = {
    now: start,
    key: publicKeyFromRaw('Ed25519', keys.publicKey),
    asked: 0,
    verify: createTokenVerifier<{ key: KeyObject }>({
      controllerId: 'controller-1',
      agentOf: (uid) => {
        world.asked += 1
        const known = uid === 'agent-1' && world.key !== undefined
        return Promise.resolve(known ? { key: world.key! } : undefined)
      },
      keyOf: (agent) => agent.key,
      clock: {
        now: () => world.now,
        monotonic: () => world.now,
        sleep: () => Promise.resolve(),
      } satisfies Clock,
    }),
  }
  return world
}

const aToken = (claims: Partial<Parameters<typeof signAgentToken>[1]> = {}, key = keys): string =>
  signAgentToken(key.privateKey, {
    agentUid: 'agent-1',
    controllerId: 'controller-1',
    now: start,
    ...claims,
  })

const reasonOf = async (world: World, token: string): Promise<string> => {
  const result = await world.verify(token)
  return result.ok ? 'ok' : `${result.reason}: ${result.message}`
}

describe('agent tokens', () => {
  test('a good one names its agent, again and again', async () => {
    const world = aWorld()
    const token = aToken()
    expect(await world.verify(token)).toMatchObject({ ok: true, agentUid: 'agent-1' })
    expect(await world.verify(token)).toMatchObject({ ok: true, agentUid: 'agent-1' })
  })

  test('each fault has its own reason', async () => {
    const world = aWorld()
    const [head, body, signature] = aToken().split('.') as [string, string, string]
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url')
    expect(await reasonOf(world, aToken({ controllerId: 'x' }))).toMatch(/^WrongAudience/)
    expect(await reasonOf(world, aToken({ agentUid: 'agent-2' }))).toMatch(/^UnknownAgent/)
    expect(await reasonOf(world, aToken({}, other))).toMatch(/^BadSignature/)
    expect(await reasonOf(world, aToken({ lifeMs: 2 * maxTokenLifeMs }))).toMatch(/^Malformed/)
    for (const bad of ['', 'a.b.c', `${head}.${body}`, `${unsigned}.${body}.${signature}`]) {
      expect(await reasonOf(world, bad)).toMatch(/^Malformed/)
    }
    const forged = Buffer.from(body, 'base64url').toString().replace('"exp":', '"exp":1')
    const changed = `${head}.${Buffer.from(forged).toString('base64url')}.${signature}`
    expect(await reasonOf(world, changed)).not.toBe('ok')
  })

  test('clocks may be 5 minutes apart; beyond it both times are named', async () => {
    const world = aWorld()
    expect(await reasonOf(world, aToken({ now: start + 4 * 60_000 }))).toBe('ok')
    expect(await reasonOf(world, aToken({ now: start - 8 * 60_000 }))).toBe('ok')
    const ahead = await reasonOf(world, aToken({ now: start + 6 * 60_000 }))
    expect(ahead).toMatch(/^ClockSkew.*agent 2026-05-01T12:06.*controller 2026-05-01T12:00/)
    const old = await reasonOf(world, aToken({ now: start - 11 * 60_000 }))
    expect(old).toMatch(/^Expired.*11:54.*12:00/)
    for (const now of [1e300, -1e300])
      expect(await reasonOf(world, aToken({ now }))).toMatch(/^(ClockSkew|Expired)/)
  })

  test('a remembered token expires, and ends with its agent or its key', async () => {
    const world = aWorld()
    const token = aToken()
    await world.verify(token)
    world.now += 11 * 60_000
    expect(await reasonOf(world, token)).toMatch(/^Expired/)
    world.now = start
    world.key = publicKeyFromRaw('Ed25519', other.publicKey)
    expect(await reasonOf(world, token)).toMatch(/^BadSignature/)
    world.key = undefined
    expect(await reasonOf(world, token)).toMatch(/^UnknownAgent/)
  })
})
