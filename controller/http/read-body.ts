// Reads the bodies of all requests: of people, agents, replicas, hooks and logins. Who asks is known before, and the
// bytes are those of one budget.
import type { Readable } from 'node:stream'
import type { HttpBindings } from '@hono/node-server'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { BodyBudget, BodyOwner } from './body-budget.ts'

/** A body that is too long is read and dropped up to this size, so that the client receives the error. */
const patienceBytes = 32 * 1024 * 1024

interface BodyReading extends BodyOwner {
  /** Who holds the bytes. */
  readonly owner: string
  /** Limit of the body in bytes. */
  readonly most: number
  /** For a request that lasts: returns the bytes as soon as they are read. */
  readonly isBrief?: boolean
}

interface ReadContext {
  readonly env: HttpBindings
  get(key: 'bodies'): BodyBudget
}

/** As `for await`, whose iterator costs more than the rest of a small request. */
const eachChunk = (incoming: Readable, take: (chunk: Buffer) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    if (incoming.errored !== null) reject(incoming.errored)
    else if (incoming.readableEnded || incoming.destroyed) resolve()
    const done = (): void => {
      // The request of a stream lives as long as the stream; what took its body must not.
      incoming.off('data', take)
      resolve()
    }
    incoming.once('error', reject).once('close', done).once('end', done).on('data', take)
  })

/** RequestEntityTooLarge beyond the limit, TooManyRequests when the budget is spent, BadRequest for half a body. */
export const readBody = async (c: ReadContext, reading: BodyReading): Promise<Buffer> => {
  const { incoming, outgoing } = c.env
  const body = c.get('bodies').open(reading.owner, reading)
  outgoing.once('close', () => body.close())
  if (outgoing.destroyed) body.close()
  const chunks: Buffer[] = []
  let size = 0
  let refused: Error | undefined
  await eachChunk(incoming, (chunk) => {
    size += chunk.length
    if (size > patienceBytes) incoming.destroy()
    // The rest of a refused body is read and dropped, so that the client receives the error.
    if (size > reading.most || refused !== undefined) return
    try {
      body.take(chunk.length)
      chunks.push(chunk)
    } catch (error) {
      refused = error as Error
      chunks.length = 0
    }
  })
  body.arrived()
  if (reading.isBrief === true) body.close()
  if (refused !== undefined) throw refused
  if (size > reading.most)
    throw new StagelyError(
      'RequestEntityTooLarge',
      `Request entity too large: limit is ${reading.most} bytes`,
    )
  if (!incoming.readableEnded) throw new StagelyError('BadRequest', 'the request was cut off')
  return Buffer.concat(chunks)
}

/**
 * Reads and drops what is left of the body. An answer that ends its connection waits for it: a connection that is
 * closed while the client still sends is reset, and the answer lost.
 */
export const dropBody = async ({ incoming }: HttpBindings): Promise<void> => {
  let size = 0
  await eachChunk(incoming, (chunk) => {
    size += chunk.length
    if (size > patienceBytes) incoming.destroy()
  }).catch(() => undefined)
}
