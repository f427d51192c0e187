// Forwards heartbeats to the replica that has the stream, in batches.
import { clearTimeout, setTimeout } from 'node:timers'
import * as z from 'zod'
import type { Peer, Replicas } from '../../../src/store/replicas.ts'
import type { Heartbeat } from '../../../src/protocol/heartbeat.ts'
import type { HeartbeatPeers } from '../agents/streams/heartbeats.ts'
import type { PeerClient } from './client.ts'

export const heartbeatsPath = '/peer/v1/signs'
const gatherMs = 500
/** Maximum size of a batch for one replica: more than real agents send. */
const mostAtOnce = 10_000

export const heartbeatsRequest = z.object({
  signs: z
    .array(
      z.object({
        replica: z.string().max(64),
        connection: z.string().max(64),
        counter: z.int().min(0),
        mac: z.string().regex(/^[\w-]{43}$/),
      }),
    )
    .max(mostAtOnce),
})

/** Heartbeats of one stream that wait together: more than an agent gives in this time. */
const mostOfStream = 4
/** Streams that are remembered of one replica: more than it serves. */
const mostKnown = 20_000

const heartbeatsResponse = z.object({
  /** Streams here that accepted a heartbeat. Absent from older controllers. */
  known: z.array(z.string().max(64)).max(mostAtOnce).optional(),
})

/**
 * What waits for one replica, by stream. Only that replica can check a heartbeat, so anybody can fill this. A stream
 * whose heartbeat it has accepted keeps its place.
 */
class Waiting {
  readonly #verified = new Set<string>()
  readonly #byStream = new Map<string, Heartbeat[]>()
  #unverifiedCount = 0

  add(heartbeat: Heartbeat): void {
    const own = this.#byStream.get(heartbeat.connection)
    if (own !== undefined) {
      own.push(heartbeat)
      if (own.length > mostOfStream) own.shift()
      return
    }
    const isKnown = this.#verified.has(heartbeat.connection)
    if (!isKnown && this.#unverifiedCount >= mostAtOnce) return
    if (!isKnown) this.#unverifiedCount += 1
    this.#byStream.set(heartbeat.connection, [heartbeat])
  }

  /** In batches, those of known streams first. */
  take(): Heartbeat[][] {
    const streams = [...this.#byStream]
    this.#byStream.clear()
    this.#unverifiedCount = 0
    const [verified, unverified] = [true, false].map((wanted) =>
      streams
        .filter(([name]) => this.#verified.has(name) === wanted)
        .flatMap(([, heartbeats]) => heartbeats),
    )
    const all = [...verified!, ...unverified!.slice(0, mostAtOnce)]
    return Array.from({ length: Math.ceil(all.length / mostAtOnce) }, (_, n) =>
      all.slice(n * mostAtOnce, (n + 1) * mostAtOnce),
    )
  }

  /** Of streams that ended, the oldest are forgotten first. */
  know(streams: readonly string[]): void {
    for (const name of streams) {
      this.#verified.delete(name)
      this.#verified.add(name)
    }
    for (const name of this.#verified) {
      if (this.#verified.size <= mostKnown) return
      this.#verified.delete(name)
    }
  }
}

/** Drops heartbeats for a replica that is not known. */
export const createHeartbeatPeers = (
  replicas: Pick<Replicas, 'others'>,
  client: Pick<PeerClient, 'post'>,
): HeartbeatPeers & { stop(): void } => {
  const waiting = new Map<string, Waiting>()
  let timer: NodeJS.Timeout | undefined
  const send = async (peer: Peer, to: Waiting, heartbeats: readonly Heartbeat[]): Promise<void> => {
    const { json } = await client.post(peer, heartbeatsPath, { signs: heartbeats })
    to.know(heartbeatsResponse.safeParse(json).data?.known ?? [])
  }
  const flush = (): void => {
    timer = undefined
    const { others } = replicas
    for (const id of waiting.keys()) if (!others.some((peer) => peer.id === id)) waiting.delete(id)
    for (const peer of others) {
      const to = waiting.get(peer.id)
      // Nothing is repeated: the heartbeat shows when a replica is away.
      for (const heartbeats of to?.take() ?? []) send(peer, to!, heartbeats).catch(() => undefined)
    }
  }
  return {
    passOn: (heartbeat) => {
      if (!replicas.others.some(({ id }) => id === heartbeat.replica)) return
      const to = waiting.get(heartbeat.replica) ?? new Waiting()
      waiting.set(heartbeat.replica, to)
      to.add(heartbeat)
      timer ??= setTimeout(flush, gatherMs)
    },
    stop: () => clearTimeout(timer),
  }
}
