import { randomBytes, randomUUID } from 'node:crypto'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { paths } from '../../../src/protocol/messages.ts'
import { authorizeSign, isSignBy, signKeyOf } from '../../../src/protocol/sign-of-life.ts'
import { withBodies } from '../../../test/support/with-bodies.ts'
import type { AgentEnv } from '../agents/refusal.ts'
import { createSigns } from '../agents/signs.ts'
import { createPeerClient } from './client.ts'
import { mountPeerRoutes } from './logs.ts'
import { createSignsElsewhere } from './signs.ts'

describe('a sign of life that comes to another replica than its stream', () => {
  const [key, holder, connection] = [randomBytes(32), randomUUID(), randomUUID()]
  const secret = randomBytes(32)
  const signKey = signKeyOf({ exportKey: () => secret })
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
      const sent = request(new URL(paths.sign, url), { method: 'POST', headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      sent.once('error', reject)
      sent.end()
    })

  beforeAll(async () => {
    const app = withBodies(new Hono<AgentEnv>())
    mountPeerRoutes(app, {
      ...{ key, self: holder, clock: realClock, log: silentLogger },
      tasks: { acceptHere: () => 'ended' },
      logs: { acceptHere: () => Promise.resolve('ended') },
      ask: () => 'away',
      heard: (sign) => {
        const isGood = sign.connection === connection && isSignBy(signKey, sign)
        if (isGood) heard.push(sign.counter)
        return isGood
      },
    })
    const answer = getRequestListener(app.fetch)
    const peer = await listen((req, res) => void answer(req, res))
    const client = createPeerClient(key, realClock)
    const others = [{ id: holder, url: peer, certificate: undefined }]
    const elsewhere = createSignsElsewhere({ others }, client)
    const signs = createSigns({ self: randomUUID(), heard: () => false, elsewhere })
    url = await listen(
      signs.inFrontOf((_req, res) => {
        res.writeHead(404).end()
      }),
      () => {
        elsewhere.stop()
        client.close()
      },
    )
  })
  afterAll(() => {
    for (const close of closing) close()
  })

  it('is handed on to the replica that has the stream, which alone can check it', async () => {
    const foreign = signKeyOf({ exportKey: () => randomBytes(32) })
    const stream = `${holder}.${connection}`
    expect(await post(authorizeSign(signKey, stream, 1))).toBe(204)
    expect(await post(authorizeSign(foreign, stream, 2))).toBe(204)
    expect(await post(authorizeSign(signKey, `${randomUUID()}.${connection}`, 3))).toBe(204)
    expect(await post(authorizeSign(signKey, stream, 4))).toBe(204)
    expect(await post('Stagely-Sign what')).toBe(401)
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual([1, 4])
  })
})
