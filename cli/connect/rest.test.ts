import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { renderError } from '../errors.ts'
import { createRest, projectPath, type RestClient } from './rest.ts'

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: http.IncomingHttpHeaders
}

type Answer = 'reset' | [status: number, body: unknown, headers?: http.OutgoingHttpHeaders]

const servers: http.Server[] = []

/** A server that gives these answers one after the other, and what it was asked. */
const serve = async (
  ...answers: Answer[]
): Promise<{ rest: RestClient; seen: Seen[]; slept: number[] }> => {
  const seen: Seen[] = []
  const slept: number[] = []
  const server = http.createServer((request, response) => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
    const answer = answers[seen.length - 1] ?? [500, {}]
    if (answer === 'reset') {
      request.socket.resetAndDestroy()
      return
    }
    const [status, body, headers] = answer
    response.writeHead(status, headers)
    response.end(body === undefined ? '' : JSON.stringify(body))
  })
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const connection = {
    server: `http://127.0.0.1:${port}`,
    namespace: 'default',
    options: () => Promise.resolve({ headers: { authorization: 'Bearer t' } }),
  }
  const rest = createRest(connection, {
    sleep: (ms) => {
      slept.push(ms)
      return Promise.resolve()
    },
  })
  return { rest, seen, slept }
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

describe('the REST client', () => {
  it('sends token, If-Match and an Idempotency-Key for each create, and reads the ETag', async () => {
    const { rest, seen } = await serve([201, { id: 'sec_1' }, { etag: '"7"' }], [200, {}])
    const path = `${projectPath('default', 'shop')}/secrets`
    const made = await rest.call<{ id: string }>(path, { method: 'POST', body: { key: 'A' } })
    expect([made.body.id, made.etag]).toEqual(['sec_1', '7'])
    await rest.call(`${path}/sec_1`, { method: 'PATCH', body: {}, ifMatch: '7' })
    expect(seen[0]).toMatchObject({
      method: 'POST',
      url: '/api/v1/projects/default%2Fshop/secrets',
    })
    expect(seen[0]?.headers).toMatchObject({ authorization: 'Bearer t' })
    expect(seen[0]?.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/)
    expect(seen[1]?.headers['if-match']).toBe('"7"')
    expect(seen[1]?.headers['idempotency-key']).toBeUndefined()
  })

  it('follows the cursor to the end of a list', async () => {
    const { rest, seen } = await serve(
      [200, { secrets: [1, 2], next_cursor: 'c' }],
      [200, { secrets: [3] }],
    )
    expect(await rest.list('/projects/p/secrets', 'secrets', { scope: 'web' })).toEqual([1, 2, 3])
    expect(seen.map(({ url }) => url)).toEqual([
      '/api/v1/projects/p/secrets?scope=web',
      '/api/v1/projects/p/secrets?scope=web&cursor=c',
    ])
  })

  it('shows every fault of a problem, and the id of the request', async () => {
    const errors = [
      { field: 'key', message: 'is required' },
      { field: 'scope', message: 'no such service' },
    ]
    const { rest } = await serve([
      422,
      { title: 'Unprocessable', detail: 'two fields are wrong', errors },
      { 'x-request-id': 'req-9', 'content-type': 'application/problem+json' },
    ])
    const error: unknown = await rest.call('/x').catch((e: unknown) => e)
    expect(renderError(error)).toBe(
      [
        'Error from server (Invalid): two fields are wrong',
        '* key: is required',
        '* scope: no such service',
        '(request req-9)',
      ].join('\n'),
    )
  })

  it('tells a lost update from other faults, and a wrong token by what to set', async () => {
    const { rest } = await serve([412, { detail: 'changed meanwhile' }], [401, {}])
    await expect(rest.call('/x')).rejects.toMatchObject({ reason: 'PreconditionFailed' })
    await expect(rest.call('/x')).rejects.toThrow('STAGELY_TOKEN')
  })

  it('waits as long as the server says when it asks too often, with one key for all tries', async () => {
    const { rest, seen, slept } = await serve([429, {}, { 'retry-after': '2' }], [201, {}])
    await rest.call('/x', { method: 'POST', body: {} })
    expect(slept).toEqual([2000])
    expect(seen[0]?.headers['idempotency-key']).toBe(seen[1]?.headers['idempotency-key'])
  })

  it('sends a POST once more when the connection breaks, with the same key, and not a third time', async () => {
    const { rest, seen } = await serve('reset', [201, {}], 'reset', 'reset', [201, {}])
    const post = { method: 'POST', body: {} } as const
    await rest.call('/x', post)
    expect(seen[1]?.headers['idempotency-key']).toBe(seen[0]?.headers['idempotency-key'])
    await expect(rest.call('/x', post)).rejects.toThrow('ECONNRESET')
    expect(seen).toHaveLength(4)
  })

  it('sends no PATCH a second time when the connection breaks', async () => {
    const { rest, seen } = await serve('reset', [200, {}])
    await expect(rest.call('/x', { method: 'PATCH', body: {} })).rejects.toThrow('ECONNRESET')
    expect(seen).toHaveLength(1)
  })

  it('does not wait for minutes', async () => {
    const { rest, slept } = await serve([429, { detail: 'slow down' }, { 'retry-after': '900' }])
    await expect(rest.call('/x')).rejects.toMatchObject({ reason: 'TooManyRequests' })
    expect(slept).toEqual([])
  })

  it('says what it met where it is no Stagely', async () => {
    const { rest } = await serve([404, undefined])
    await expect(rest.call('/x')).rejects.toThrow('is it a Stagely controller?')
  })
})
