import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createSlowReaders, pieceLength, piecesOf, writePieces } from './slow-readers.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** Connections whose clients read only when they are told to, and the answers that they get. */
const serve = async (count: number): Promise<{ sockets: Socket[]; answers: ServerResponse[] }> => {
  const answers: ServerResponse[] = []
  const server = createServer((_, response) => answers.push(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = Array.from({ length: count }, () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => undefined).pause()
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    return socket
  })
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
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
