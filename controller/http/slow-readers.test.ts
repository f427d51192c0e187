import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { requireKind } from '../../src/kinds/index.ts'
import type { Store } from '../../src/store/store.ts'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import type { AppEnv } from './env.ts'
import { serveWatch } from './kube/watch.ts'
import { mountRest, type RestServerDeps } from './rest/serve.ts'
import { createSlowReaders, pieceLength, piecesOf, writePieces } from './slow-readers.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A client that reads only when it is told to. */
const ask = async (
  listener: (...given: Parameters<RequestListener>) => unknown,
  path = '/',
): Promise<Socket> => {
  const server = createServer((...given) => {
    listener(...given)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => undefined).pause()
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
  closing.push(() => {
    socket.destroy()
    server.close()
  })
  return socket
}

/** Such clients, and the answers that they get. */
const serve = async (count: number): Promise<{ sockets: Socket[]; answers: ServerResponse[] }> => {
  const answers: ServerResponse[] = []
  const listen = (): Promise<Socket> => ask((_, response) => answers.push(response))
  const sockets = await Promise.all(Array.from({ length: count }, listen))
  await expect.poll(() => answers).toHaveLength(count)
  return { sockets, answers }
}

const large = 'x'.repeat(64 * 1024 * 1024)

describe('a stream whose client does not read', () => {
  it('holds one piece of the text, and is left', async () => {
    const { answers } = await serve(3)
    const left = new AbortController()
    const readers = createSlowReaders({ lookEveryMs: 20 })
    const ends = answers.map((response) => {
      readers.follow(response, 'ada')
      void writePieces(response, large, left.signal).catch(() => undefined)
      return once(response, 'close')
    })
    for (const response of answers) expect(response.writableLength).toBeLessThan(2 * pieceLength)
    await Promise.all(ends)
    left.abort()
  })

  it('is left at once where too much waits for its owner, and no other', async () => {
    const { answers } = await serve(3)
    const [first, second, other] = answers as [ServerResponse, ServerResponse, ServerResponse]
    const readers = createSlowReaders({ lookEveryMs: 50, mostOfOwner: 1.5 * pieceLength })
    const left = new AbortController()
    const closed: string[] = []
    for (const [name, response] of Object.entries({ first, second, other })) {
      response.once('close', () => closed.push(name))
      readers.follow(response, name === 'other' ? 'bob' : 'ada')
      void writePieces(response, large, left.signal).catch(() => undefined)
    }
    await expect.poll(() => closed.length).toBeGreaterThan(0)
    expect(closed[0]).not.toBe('other')
    left.abort()
  })
})

describe('of the controller', () => {
  const uid = '6f7cf2b1-9a35-4c0e-a8f4-0f3a1a1f0a01'
  const project = {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'Project',
    metadata: {
      name: 'shop',
      namespace: 'default',
      uid,
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { description: 'x'.repeat(2_000_000) },
  }
  const change = { type: 'MODIFIED', object: project, text: JSON.stringify(project) }
  const admin: Principal = {
    id: 'ada',
    name: 'ada',
    kind: 'user',
    admin: true,
    roles: new Map(),
    tokenId: 't',
  }

  it.each([
    ['a watch', '/watch?watch=true&resourceVersion=1'],
    ['the stream of a page', '/api/v1/stream'],
  ])('%s is left where its client does not read', async (_, path) => {
    let end: string | undefined
    async function* changes(from: number, signal: AbortSignal) {
      try {
        for (let version = from; !signal.aborted; version++) {
          yield [{ ...change, resourceVersion: version }]
          await new Promise((resolve) => setImmediate(resolve))
        }
      } finally {
        end = signal.aborted ? 'left' : 'failed'
      }
    }
    const stopping = new AbortController()
    closing.push(() => stopping.abort())
    const store = { watch: changes, currentVersion: () => Promise.resolve(1) } as unknown as Store
    const deps = { store, clock: createFakeClock(), log: silentLogger, stopping: stopping.signal }
    const slowReaders = createSlowReaders({ lookEveryMs: 20 })
    const app = new Hono<AppEnv>()
    app.use((c, next) => {
      c.set('user', admin)
      c.set('slowReaders', slowReaders)
      c.set('whileLoggedIn', (until) => until)
      return next()
    })
    app.get('/watch', serveWatch(deps, requireKind('Project')))
    const limit = { take: () => Promise.resolve() }
    mountRest(app, { ...deps, limit } as unknown as RestServerDeps)
    await ask(getRequestListener(app.fetch), path)
    await expect.poll(() => end).toBe('left')
  })
})

it('a client that reads slowly gets all of it', async () => {
  const { sockets, answers } = await serve(1)
  const [[socket], [response]] = [sockets, answers] as [[Socket], [ServerResponse]]
  createSlowReaders({ lookEveryMs: 200 }).follow(response, 'ada')
  let size = 0
  socket.on('data', (data: Buffer) => {
    size += data.length
    socket.pause()
    setTimeout(() => socket.resume(), 1)
  })
  socket.resume()
  await writePieces(response, 'x'.repeat(4_000_000), new AbortController().signal)
  response.end()
  await expect.poll(() => size).toBeGreaterThan(4_000_000)
})

it('no piece ends within a character', () => {
  const text = `${'x'.repeat(pieceLength - 1)}😀${'😀'.repeat(pieceLength)}`
  const pieces = [...piecesOf(text)]
  expect(pieces.join('')).toBe(text)
  expect(pieces.map((piece) => Buffer.from(piece).toString() === piece)).not.toContain(false)
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(pieceLength)
})
