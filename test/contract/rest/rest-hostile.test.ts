// The REST API under attack: by members of other teams, by viewers, with forged cursors, repeated
// keys, races, and bodies that are too large, too deep or not what they say.
import { text as textOf } from 'node:stream/consumers'
import { request } from 'node:https'
import { connect } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '../../../src/kernel/clock.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import { onKeptConnection } from '../../support/http/kept-connection.ts'
import type { TestDatabase } from '../../support/databases/test-database.ts'

const canary = 'canary-of-another-team'
let database: TestDatabase
let controller: TestController
const tokens: Record<string, string> = {}

const as = (
  who: string,
  ...[method, path, body, headers = {}]: [
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ]
): Promise<Answer> =>
  controller.call(method, `/api/v1${path}`, {
    headers: { authorization: `Bearer ${tokens[who]!}`, ...headers },
    ...(body === undefined ? {} : { body }),
  })

const must = async (...call: Parameters<typeof as>): Promise<Record<string, string>> => {
  const answer = await as(...call)
  if (answer.status >= 300)
    throw new Error(`${call[1]} ${call[2]}: ${answer.status} ${answer.text}`)
  return answer.json()
}

const secretIn: Record<string, string> = {}

beforeAll(async () => {
  database = await freshDatabase()
  controller = await startTestController({ databaseUrl: database.url, argv: ['--rate-limit', '0'] })
  tokens['admin'] = controller.token
  for (const team of ['red', 'blue']) {
    await must('admin', 'POST', '/teams', { name: team })
    await must('admin', 'POST', '/projects', { name: 'shop', team })
    for (const key of ['ONE', 'TWO', 'THREE']) {
      const made = await must('admin', 'POST', `/projects/${team}%2Fshop/secrets`, {
        key,
        value: `${canary} ${team} ${key}`,
      })
      secretIn[team] = made['id']!
    }
  }
  for (const [name, role] of [
    ['mia', 'maintainer'],
    ['vic', 'viewer'],
    ['dev', 'developer'],
  ] as const) {
    await must('admin', 'POST', '/users', { name })
    await must('admin', 'PUT', `/teams/red/members/${name}`, { role })
    const made = await must('admin', 'POST', `/users/${name}/tokens`, { name: 'laptop' })
    tokens[name] = made['token']!
  }
})
afterAll(async () => {
  await controller.remove()
  await database.drop()
})

describe('a member of another team', () => {
  it('reaches nothing by an id that somebody told, in whatever way it is put', async () => {
    const { id: blue } = await must('admin', 'GET', '/projects/blue%2Fshop')
    const own = '/projects/red%2Fshop'
    const secret = secretIn['blue']!
    const tries: [string, string, unknown?][] = [
      ['GET', `/projects/${blue!}`],
      ['GET', `/projects/${blue!}/secrets/${secret}`],
      ['GET', `${own}/secrets/${secret}`],
      ['PATCH', `${own}/secrets/${secret}`, { value: 'taken over' }],
      ['DELETE', `${own}/secrets/${secret}`],
      ['POST', `${own}/secrets/${secret}/reveal`, {}],
      ['POST', `${own}/secrets/${secret}/rollback`, { version: 1 }],
      ['POST', `${own}/secrets/${secret}/purge`],
      ['GET', `${own}/secrets/${secret}/versions`],
      ['GET', '/projects/red%2Fshop%2F..%2F..%2Fblue%2Fshop'],
      ['GET', '/projects/red%2F..%2Fblue%2Fshop'],
      ['GET', '/projects/blue%2fshop/usage'],
      ['POST', '/projects', { name: 'mine', team: 'blue' }],
      ['POST', '/teams/blue/tokens', { name: 'x', role: 'viewer' }],
      ['PUT', '/teams/blue/members/mia', { role: 'owner' }],
    ]
    for (const [method, path, body] of tries) {
      const answer = await as('mia', method, path, body)
      expect([403, 404], `${method} ${path}: ${answer.status}`).toContain(answer.status)
      expect(answer.text).not.toContain(canary)
    }
    const batch = await as('mia', 'POST', `${own}/secrets/batch`, {
      operations: [
        { op: 'delete', id: secret },
        { op: 'update', id: secret, value: 'taken over' },
      ],
    })
    expect(batch.status).toBe(422)
    const kept = await as('admin', 'POST', `/projects/blue%2Fshop/secrets/${secret}/reveal`, {})
    expect(kept.json()).toMatchObject({ version: 1, value: `${canary} blue THREE` })
  })

  it('cannot tell what is there from what is nowhere', async () => {
    const textOf = async (path: string, name: string): Promise<string> => {
      const { status, text } = await as('mia', 'GET', path)
      const { request_id: _, ...rest } = JSON.parse(text) as Record<string, unknown>
      return `${status} ${JSON.stringify(rest).replaceAll(name, 'NAME')}`
    }
    expect(await textOf('/projects/blue%2Fshop', 'shop')).toBe(
      await textOf('/projects/blue%2Fnone', 'none'),
    )
    expect(await textOf('/teams/blue', 'blue')).toBe(await textOf('/teams/none', 'none'))
  })

  it('gets nothing more by a forged cursor, and no error that tells', async () => {
    const all = await must('admin', 'GET', '/projects?limit=1')
    const cursor = all['next_cursor']!
    const decoded = Buffer.from(cursor, 'base64url').toString()
    const forged = [
      cursor,
      `${cursor.slice(0, -2)}AA`,
      Buffer.from(decoded.replace(/[a-z]+/, 'aaaa')).toString('base64url'),
      Buffer.from(decoded.replace(/\d+/, '999999999')).toString('base64url'),
      Buffer.from(decoded.replace(/\d+/, '-1')).toString('base64url'),
      Buffer.from('{"at":1e400,"after":{"namespace":["a"],"name":{}}}').toString('base64url'),
      Buffer.from('[]').toString('base64'),
      '%00',
      'x'.repeat(2_001),
    ]
    for (const text of forged) {
      const answer = await as('vic', 'GET', `/projects?cursor=${encodeURIComponent(text)}`)
      expect([200, 400, 410, 422], `${text.slice(0, 80)}: ${answer.text}`).toContain(answer.status)
      expect(answer.text).not.toContain('blue')
    }
  })

  it('gets no revealed list, stream or audit row of the other team', async () => {
    expect((await as('vic', 'GET', '/audit/revealed?by=admin')).status).toBe(403)
    const stream = await controller.open('/api/v1/stream', {
      authorization: `Bearer ${tokens['vic']!}`,
      'last-event-id': '1',
    })
    let text = ''
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await must('admin', 'PATCH', '/projects/blue%2Fshop', { description: 'hidden' })
    await must('admin', 'PATCH', '/projects/red%2Fshop', { description: 'seen' })
    await expect.poll(() => text).toContain('seen')
    stream.destroy()
    expect(text).not.toMatch(/blue|hidden/)
  })
})

describe('a role', () => {
  it('is not raised by who holds it: by tokens, members, users or a machine', async () => {
    const tries: [string, string, string, unknown?][] = [
      ['vic', 'POST', '/projects/red%2Fshop/secrets', { key: 'V', value: 'written' }],
      ['vic', 'POST', `/projects/red%2Fshop/secrets/${secretIn['red']!}/reveal`, {}],
      ['vic', 'POST', '/projects/red%2Fshop/reveal', {}],
      ['dev', 'POST', '/projects/red%2Fshop/reveal', {}],
      ['mia', 'POST', '/teams/red/tokens', { name: 'ci', role: 'owner' }],
      ['mia', 'PUT', '/teams/red/members/mia', { role: 'owner' }],
      ['mia', 'PATCH', '/users/mia', { admin: true }],
      ['mia', 'POST', '/users/admin/tokens', { name: 'mine' }],
      ['mia', 'POST', '/keys/rotations', { kind: 'data' }],
      ['mia', 'GET', '/backup'],
      ['mia', 'POST', '/audit/erasures', { person: 'mia' }],
    ]
    for (const [who, method, path, body] of tries) {
      const answer = await as(who, method, path, body)
      expect(answer.status, `${who}: ${method} ${path}: ${answer.text}`).toBe(403)
    }
    const token = await must('mia', 'POST', '/tokens', { name: 'narrow', role: 'viewer' })
    tokens['narrow'] = token['token']!
    for (const [method, path, body] of [
      ['POST', '/tokens', { name: 'wide' }],
      ['DELETE', '/tokens/laptop', undefined],
      ['POST', '/teams/red/tokens', { name: 'wide', role: 'maintainer' }],
      ['POST', '/projects/red%2Fshop/reveal', {}],
    ] as const)
      expect((await as('narrow', method, path, body)).status, path).toBe(403)
  })

  it('with a token of one team and an end makes no machine there that outlives it', async () => {
    const wanted = { name: 'ci', role: 'maintainer' }
    await must('mia', 'POST', '/teams/red/tokens', wanted)
    const spec = { name: 'red-only', teams: ['red'], expires_at: '2099-01-01T00:00:00Z' }
    tokens['red-only'] = (await must('mia', 'POST', '/tokens', spec))['token']!
    for (const [method, path, body] of [
      ['POST', '/teams/red/tokens', { ...wanted, name: 'for-ever' }],
      ['DELETE', '/teams/red/tokens/ci', undefined],
    ] as const) {
      const answer = await as('red-only', method, path, body)
      expect([answer.status, answer.json()['detail']]).toEqual([
        403,
        expect.stringContaining('a token with scopes manages no tokens'),
      ])
    }
    expect((await as('red-only', 'GET', '/teams/red/tokens')).status).toBe(200)
    await must('mia', 'DELETE', '/teams/red/tokens/ci')
  })

  it('counts at once, also for a repeat that was answered before', async () => {
    const headers = { 'idempotency-key': 'before-the-demotion' }
    const body = { key: 'BY_DEV', value: 'by-the-developer' }
    const send = (): Promise<Answer> =>
      as('dev', 'POST', '/projects/red%2Fshop/secrets', body, headers)
    expect((await send()).status).toBe(201)
    expect((await send()).headers['idempotency-replayed']).toBe('true')
    await must('admin', 'PUT', '/teams/red/members/dev', { role: 'viewer' })
    expect((await send()).status).toBe(403)
    await must('admin', 'DELETE', '/teams/red/members/dev')
    expect((await send()).status).toBe(404)
  })
})

describe('Idempotency-Key', () => {
  it('of one person is nothing to another, nor on another route or project', async () => {
    const headers = { 'idempotency-key': 'shared-by-accident' }
    const body = { key: 'KEYED', value: 'of-the-maintainer' }
    const path = '/projects/red%2Fshop/secrets'
    expect((await as('mia', 'POST', path, body, headers)).status).toBe(201)
    const admin = await as('admin', 'POST', path, body, headers)
    expect([admin.status, admin.headers['idempotency-replayed']]).toEqual([422, undefined])
    const elsewhere = await as('mia', 'POST', '/projects', { name: 'other', team: 'red' }, headers)
    expect(elsewhere.status).toBe(201)
    const moved = await as('mia', 'POST', '/projects/red%2Fother/secrets', body, headers)
    expect([moved.status, moved.json()['detail']]).toEqual([
      422,
      expect.stringContaining('used for another request'),
    ])
    const secret = await must('mia', 'GET', `${path}?key=KEYED`)
    const tries = [{ ...body, value: 'another' }, { ...body, scope: 'web' }, {}]
    for (const other of tries)
      expect((await as('mia', 'POST', path, other, headers)).status).toBe(422)
    expect(await must('mia', 'GET', `${path}?key=KEYED`)).toEqual(secret)
  })
})

describe('If-Match', () => {
  it('lets one of many at once win, and tells the others', async () => {
    const { id } = await must('mia', 'POST', '/projects/red%2Fshop/secrets', {
      key: 'RACED',
      value: 'value-0',
    })
    const path = `/projects/red%2Fshop/secrets/${id!}`
    // Until the status rests the tag moves without anybody's write, and then nobody wins.
    const race = async (): Promise<{ etag: string; answers: Answer[] }> => {
      const etag = (await as('mia', 'GET', path)).headers.etag ?? ''
      const one = (i: number): Promise<Answer> =>
        as('mia', 'PATCH', path, { value: `value-${i + 1}` }, { 'if-match': etag })
      return { etag, answers: await Promise.all(Array.from({ length: 12 }, (_, i) => one(i))) }
    }
    const statusesOf = (answers: readonly Answer[]): number[] =>
      answers.map((answer) => answer.status).sort()
    const nobody = Array<number>(12).fill(412)
    let { etag, answers } = await race()
    for (let i = 0; i < 30 && statusesOf(answers).join() === nobody.join(); i++)
      ({ etag, answers } = await race())
    expect(statusesOf(answers)).toEqual([200, ...nobody.slice(1)])
    const winner = answers.findIndex((answer) => answer.status === 200)
    const now = await as('mia', 'POST', `${path}/reveal`, {})
    expect(now.json()).toMatchObject({ version: 2, value: `value-${winner + 1}` })
    const deletion = await as('mia', 'DELETE', path, undefined, { 'if-match': etag })
    expect(deletion.status).toBe(412)
  })
})

describe('a body', () => {
  const path = '/projects/red%2Fshop/secrets'
  const send = (raw: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> =>
    controller.call('POST', `/api/v1${path}`, {
      raw,
      headers: {
        authorization: `Bearer ${tokens['mia']!}`,
        'content-type': 'application/json',
        ...headers,
      },
    })

  it('that never ends is cut off at its limit, without waiting for the rest', async () => {
    let sent = 0
    const answer = await new Promise<number>((resolve) => {
      const call = request(
        `${controller.url}/api/v1${path}`,
        {
          method: 'POST',
          ca: controller.ca,
          headers: {
            authorization: `Bearer ${tokens['mia']!}`,
            'content-type': 'application/json',
            'transfer-encoding': 'chunked',
          },
        },
        (response) => {
          resolve(response.statusCode ?? 0)
          response.resume()
          call.destroy()
        },
      )
      call.on('error', () => {
        resolve(413) // the connection was cut before the answer was read
      })
      const chunk = Buffer.alloc(65_536, 'x')
      const more = (): void => {
        if (call.destroyed || sent > 512 << 20) return
        sent += chunk.length
        call.write(chunk, () => setImmediate(more))
      }
      more()
    })
    expect(answer).toBe(413)
    // 32 MiB are read and thrown away, so that the client hears why; what is beyond lies in buffers.
    expect(sent).toBeLessThan(128 << 20)
    expect((await as('mia', 'GET', path)).status).toBe(200)
  })

  it('that is deep, packed, doubled or polluted is refused in one answer', async () => {
    const deep = `{"key":"A","value":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    const packed = gzipSync(Buffer.alloc(50 << 20))
    const cases: [string | Buffer, Record<string, string>?][] = [
      [deep],
      [packed, { 'content-encoding': 'gzip' }],
      ['{"key":"A","value":"one-value","__proto__":{"scope":"web"}}'],
      ['{"key":"A","value":"one-value","constructor":{"prototype":{"admin":true}}}'],
      [`{"key":"${'K'.repeat(300)}","value":"one-value"}`],
      [JSON.stringify({ key: 'BIG', value: 'x'.repeat((1 << 20) + 1) })],
      ['{"key":"A","value":"\\u0000one"}'],
    ]
    for (const [raw, headers] of cases) {
      const answer = await send(raw, headers)
      expect([400, 413, 415, 422], `${raw.toString().slice(0, 60)}: ${answer.text}`).toContain(
        answer.status,
      )
      expect(answer.text.length).toBeLessThan(10_000)
    }
    expect(({} as { admin?: unknown }).admin).toBeUndefined()
  })

  it('with text or numbers that cannot be stored names the field', async () => {
    const project = '/projects/red%2Fshop'
    const secret = `${project}/secrets/${secretIn['red']!}`
    const cases: [string, string, unknown, string][] = [
      ['POST', '/tokens', { name: 'n', teams: ['a\0b'] }, 'teams[0]'],
      ['POST', '/users', { name: 'n', display_name: 'a\ud800b' }, 'display_name'],
      ['POST', '/audit/erasures', { person: 'a\0' }, 'person'],
      ['POST', '/keys/rotations', { kind: 'data', project_id: '\0/a' }, 'project_id'],
      ['POST', `${path}/batch`, { operations: [{ op: 'delete', id: '\0' }] }, 'operations[0].id'],
      ['GET', '/audit?by=%00', undefined, 'by'],
      ['POST', `${project}/rollback`, { at: 'yesterday' }, 'at'],
      ['POST', `${secret}/rollback`, { version: 3_000_000_000 }, 'version'],
      ['POST', `${secret}/reveal`, { version: 3_000_000_000 }, 'version'],
    ]
    for (const [method, where, body, field] of cases) {
      const answer = await as('admin', method, where, body)
      const { errors = [] } = answer.json<{ errors?: { field: string }[] }>()
      expect([answer.status, errors.map((one) => one.field)], where).toEqual([422, [field]])
    }
    const file = { key: 'NUL', type: 'file', file_path: './nul', value: 'a\0b of a file' }
    expect((await as('mia', 'POST', path, file)).status).toBe(201)
  })

  it('that is large, refused or answered at length leaves its connection as it was', async () => {
    const authorization = `Bearer ${tokens['mia']!}`
    const headers = { authorization, 'content-type': 'application/json' }
    const operations = Array.from({ length: 500 }, (_, i) => ({
      op: 'create',
      key: `KEPT_${i}`,
      value: 'v'.repeat(200),
      scope: '',
    }))
    const batch = JSON.stringify({ operations })
    const post = { method: 'POST', path: `/api/v1${path}/batch`, body: batch }
    const outcomes = await onKeptConnection({
      url: controller.url,
      ca: controller.ca,
      rounds: 10,
      requests: [
        { method: 'GET', path: '/openapi/v2', headers },
        { method: 'GET', path: '/api/v1/openapi.json' },
        { ...post, headers },
        { ...post, headers: { ...headers, authorization: 'Bearer none' } },
        { ...post, path: '/api/v1/nowhere', headers },
      ],
    })
    expect(outcomes).toEqual({ 200: 20, 422: 10, 401: 10, 404: 10 })
  })

  it('that is refused unread may still come slowly, and its connection serves the next request', async () => {
    const socket = connect({
      host: '127.0.0.1',
      port: Number(new URL(controller.url).port),
      ca: controller.ca,
      servername: 'localhost',
    })
    const answers: string[] = []
    socket.on('data', (data: Buffer) => answers.push(data.toString('latin1')))
    const said = (): string => answers.join('')
    socket.write(
      `POST /api/v1${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 20\r\n\r\n${'x'.repeat(10)}`,
    )
    await expect.poll(said).toContain('HTTP/1.1 401')
    // A server that loses patience does so within this second.
    await realClock.sleep(1_000)
    socket.write(`${'x'.repeat(10)}GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    await expect.poll(said).toMatch(/HTTP\/1\.1 200 OK[^]*ok$/)
    socket.destroy()
  })

  it('without a host is answered, as health checks of balancers come by HTTP/1.0', async () => {
    const port = Number(new URL(controller.url).port)
    const socket = connect({ host: '127.0.0.1', port, ca: controller.ca, servername: 'localhost' })
    socket.write('GET /readyz HTTP/1.0\r\n\r\n')
    expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 200 OK/)
  })

  it('of too many operations is refused as a whole', async () => {
    const operations = Array.from({ length: 501 }, (_, i) => ({
      op: 'create',
      key: `MANY_${i}`,
      value: 'one-of-many',
    }))
    const answer = await as('mia', 'POST', `${path}/batch`, { operations })
    expect(answer.status).toBe(422)
    expect(await must('mia', 'GET', `${path}?key=MANY_0`)).toEqual({ secrets: [] })
  })
})

it('no answer is taken by a browser for another type than it says', async () => {
  const authorization = `Bearer ${tokens['mia']!}`
  for (const path of ['/api/v1/me', '/api/v1/nowhere', '/apis', '/version', '/metrics', '/nowhere'])
    for (const headers of [{ authorization }, { authorization: '' }]) {
      const answer = await controller.call('GET', path, { headers })
      expect(answer.headers['x-content-type-options'], path).toBe('nosniff')
    }
  const stream = await controller.open('/api/v1/stream', { authorization })
  expect(stream.headers['x-content-type-options']).toBe('nosniff')
  stream.destroy()
})

describe('who asks too often', () => {
  let fresh: TestDatabase
  let strict: TestController
  beforeAll(async () => {
    fresh = await freshDatabase()
    strict = await startTestController({
      databaseUrl: fresh.url,
      argv: ['--rate-limit', '1', '--kube-rate-limit', '1'],
    })
  })
  afterAll(async () => {
    await strict.remove()
    await fresh.drop()
  })

  it('is told when to come back by the Kubernetes-style API too, in its form', async () => {
    let last: Answer | undefined
    for (let i = 0; i < 100 && last?.status !== 429; i++)
      last = await strict.call('GET', '/apis/stagely.dev/v1alpha1/projects')
    expect(last?.json()).toMatchObject({ kind: 'Status', reason: 'TooManyRequests', code: 429 })
    expect(Number(last?.headers['retry-after'])).toBeGreaterThan(0)
    expect((await strict.call('GET', '/healthz')).status).toBe(200)
  })

  it('is told when to come back whichever token asks, and nobody else is held up', async () => {
    const made = async (path: string, body: object): Promise<string> =>
      (await strict.call('POST', `/api/v1/${path}`, { body })).json<{ token: string }>().token
    const second = await made('users/admin/tokens', { name: 'second' })
    await made('users', { name: 'ben' })
    const others = [
      await made('users/ben/tokens', { name: 'laptop' }),
      await made('teams/default/tokens', { name: 'robot', role: 'viewer' }),
    ]
    const me = (token = strict.token): Promise<Answer> =>
      strict.call('GET', '/api/v1/me', { headers: { authorization: `Bearer ${token}` } })
    const refusal = async (): Promise<Answer | undefined> => {
      for (let i = 0; i < 100; i++) {
        const answer = await me()
        if (answer.status !== 200) return answer
      }
      return undefined
    }
    // Ten in ten seconds; on a slow machine a new ten seconds may begin in between.
    let refused: Answer | undefined
    let bySecond = 0
    for (let i = 0; i < 3 && bySecond !== 429; i++) {
      refused = await refusal()
      bySecond = (await me(second)).status
    }
    expect([refused?.status, bySecond]).toEqual([429, 429])
    const seconds = Number(refused!.headers['retry-after'])
    expect(seconds).toBeGreaterThanOrEqual(1)
    expect(seconds).toBeLessThanOrEqual(10)
    expect(refused!.json()).toMatchObject({ status: 429, reason: 'TooManyRequests' })
    for (const other of others) expect((await me(other)).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000 + 200))
    expect((await me()).status).toBe(200)
  })
})
