import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { certificateUntil } from '../../test/support/http/certificates.ts'
import { onKeptConnection } from '../../test/support/http/kept-connection.ts'
import { startHttpServer } from './server.ts'

it('closes at once although a browser keeps a connection ready, and ends a request that runs', async () => {
  const begun: (() => void)[] = []
  const server = await startHttpServer(
    (_, response) => {
      begun.push(() => response.end('answered'))
    },
    { host: '127.0.0.1', port: 0, tls: undefined },
  )
  const { port } = server.address
  const ready = connect(port, '127.0.0.1')
  await once(ready, 'connect')
  const running = fetch(`http://127.0.0.1:${port}/`)
  await expect.poll(() => begun.length).toBe(1)
  const isReadyClosed = once(ready, 'close')
  const closed = server.close()
  await isReadyClosed
  begun[0]?.()
  expect(await (await running).text()).toBe('answered')
  await closed
})

/** Answers as the API does: after it has waited for something, with the body read or refused unread. */
const answerLarge: RequestListener = (request, response) => {
  void (async () => {
    await setImmediate()
    if (request.url === '/refused') return response.writeHead(403).end('no')
    let size = 0
    for await (const chunk of request as AsyncIterable<Buffer>) size += chunk.length
    await setImmediate()
    return response.end('x'.repeat(request.method === 'GET' ? 1_000_000 : size))
  })()
}

it(
  'resets no connection, whatever comes on it after large answers and bodies',
  { timeout: 120_000 },
  async () => {
    const { pem, keyPem } = await certificateUntil(Date.now() + 3_600_000, ['localhost'])
    const server = await startHttpServer(answerLarge, {
      host: '127.0.0.1',
      port: 0,
      tls: { chainPem: pem, keyPem },
    })
    const large = { method: 'POST', path: '/', body: 'b'.repeat(120_000) }
    const outcomes = await onKeptConnection({
      url: `https://localhost:${server.address.port}`,
      ca: pem,
      requests: [
        { method: 'GET', path: '/' },
        large,
        { method: 'POST', path: '/refused', body: 'r'.repeat(60_000) },
        { method: 'GET', path: '/' },
        large,
      ],
      rounds: 200,
    })
    expect(outcomes).toEqual({ 200: 800, 403: 200 })
    await server.close()
  },
)
