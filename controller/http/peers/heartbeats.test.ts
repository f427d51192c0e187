import { randomBytes, randomUUID } from 'node:crypto'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { agentPaths } from '../../../src/protocol/messages.ts'
import {
  authorizeHeartbeat,
  isHeartbeatBy,
  heartbeatKeyOf,
} from '../../../src/protocol/heartbeat.ts'
import { withBodies } from '../../../test/support/http/with-bodies.ts'
import type { AgentEnv } from '../agents/requests/refusal.ts'
import { createHeartbeats } from '../agents/streams/heartbeats.ts'
import { createPeerClient } from './client.ts'
import { mountPeerRoutes } from './logs.ts'
import type { Heartbeat } from '../../../src/protocol/heartbeat.ts'
import { createHeartbeatPeers } from './heartbeats.ts'

describe('a sign of life that comes to another replica than its stream', () => {
  const [key, holder, connection] = [randomBytes(32), randomUUID(), randomUUID()]
  const secret = randomBytes(32)
  const signKey = heartbeatKeyOf({ exportKey: () => secret })
  const heard: number[] = []
  const closing: (() => void)[] = []
  let url: string

  const listen = async (
    listener: Parameters<typeof createServer>[1],
    after: () => void = () => undefined,
  ): Promise<string> => {
    const server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => {
      after()
      server.closeAllConnections()
      server.close()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const post = (authorization: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const headers = { authorization }
      const sent = request(
        new URL(agentPaths.sign, url),
        { method: 'POST', headers },
        (response) => {
          response.resume()
          resolve(response.statusCode)
        },
      )
      sent.once('error', reject)
      sent.end()
    })

  beforeAll(async () => {
    const app = withBodies(new Hono<AgentEnv>())
    mountPeerRoutes(app, {
      key,
      self: holder,
      clock: realClock,
      log: silentLogger,
      tasks: { acceptHere: () => 'ended' },
      logs: { acceptHere: () => Promise.resolve('ended') },
      ask: () => 'away',
      takeHeartbeat: (sign) => {
        const isGood = sign.connection === connection && isHeartbeatBy(signKey, sign)
        if (isGood) heard.push(sign.counter)
        return isGood
      },
    })
    const answer = getRequestListener(app.fetch)
    const peer = await listen((req, res) => void answer(req, res))
    const client = createPeerClient(key, realClock)
    const others = [{ id: holder, url: peer, certificate: undefined }]
    const peers = createHeartbeatPeers({ others }, client)
    const signs = createHeartbeats({ self: randomUUID(), acceptHere: () => false, peers })
    url = await listen(
      signs.inFrontOf((_req, res) => {
        res.writeHead(404).end()
      }),
      () => {
        peers.stop()
        client.close()
      },
    )
  })
  afterAll(() => {
    for (const close of closing) close()
  })

  it('is handed on to the replica that has the stream, which alone can check it', async () => {
    const foreign = heartbeatKeyOf({ exportKey: () => randomBytes(32) })
    const stream = `${holder}.${connection}`
    expect(await post(authorizeHeartbeat(signKey, stream, 1))).toBe(204)
    expect(await post(authorizeHeartbeat(foreign, stream, 2))).toBe(204)
    expect(await post(authorizeHeartbeat(signKey, `${randomUUID()}.${connection}`, 3))).toBe(204)
    expect(await post(authorizeHeartbeat(signKey, stream, 4))).toBe(204)
    expect(await post('Stagely-Sign what')).toBe(401)
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual([1, 4])
  })
})

describe('signs of life for another replica', () => {
  const holder = randomUUID()
  const sign = (connection: string, counter: number): Heartbeat => ({
    replica: holder,
    connection,
    counter,
    mac: 'm'.repeat(43),
  })
  /** A replica that has the stream `own`; `batches` are those that it got. */
  const open = (own: string) => {
    const batches: Heartbeat[][] = []
    const others = [{ id: holder, url: 'http://peers', certificate: undefined }]
    const post = (_peer: unknown, _path: string, body: unknown) => {
      const { signs } = body as { signs: Heartbeat[] }
      batches.push(signs)
      const known = signs.some(({ connection }) => connection === own) ? [own] : []
      return Promise.resolve({ status: 200, json: { known } })
    }
    return { batches, peers: createHeartbeatPeers({ others }, { post }) }
  }
  const counters = (signs: readonly Heartbeat[] | undefined, of: string): number[] =>
    (signs ?? []).filter(({ connection }) => connection === of).map(({ counter }) => counter)

  it('keep their place in a flood of forged ones, once one was good', async () => {
    const own = randomUUID()
    const { batches, peers } = open(own)
    peers.passOn(sign(own, 1))
    await expect.poll(() => batches.length, { timeout: 10_000 }).toBe(1)
    for (let n = 0; n < 12_000; n += 1) peers.passOn(sign(randomUUID(), n))
    peers.passOn(sign(own, 2))
    await expect.poll(() => batches.length, { timeout: 10_000 }).toBeGreaterThan(1)
    peers.stop()
    expect(counters(batches[1], own)).toEqual([2])
    expect(batches.every((signs) => signs.length <= 10_000)).toBe(true)
  })

  it('displace only older ones of their own stream', async () => {
    const [own, other] = [randomUUID(), randomUUID()]
    const { batches, peers } = open(own)
    peers.passOn(sign(other, 1))
    for (let n = 1; n <= 9; n += 1) peers.passOn(sign(own, n))
    await expect.poll(() => batches.length, { timeout: 10_000 }).toBe(1)
    peers.stop()
    expect(counters(batches[0], own)).toEqual([6, 7, 8, 9])
    expect(counters(batches[0], other)).toEqual([1])
  })
})
