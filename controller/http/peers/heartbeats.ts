// Forwards signs of life to the replica that has the stream, in batches.
import { clearTimeout, setTimeout } from 'node:timers'
import * as z from 'zod'
import type { Peer, Replicas } from '../../../src/store/replicas.ts'
import type { Heartbeat } from '../../../src/protocol/heartbeat.ts'
import type { HeartbeatPeers } from '../agents/streams/heartbeats.ts'
import type { PeerClient } from './client.ts'

export const signsPath = '/peer/v1/signs'
const gatherMs = 500
/** Maximum size of a batch for one replica: more than real agents send. */
const mostAtOnce = 10_000

export const signsRequest = z.object({
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

/** Signs of one stream that wait together: more than an agent gives in this time. */
const mostOfStream = 4
/** Streams that are remembered of one replica: more than it serves. */
const mostKnown = 20_000

export const signsResponse = z.object({
  /** Streams here of which a sign was good. Absent from older controllers. */
  known: z.array(z.string().max(64)).max(mostAtOnce).optional(),
})

/**
 * What waits for one replica, by stream. Only that replica can tell whose a sign is, so anybody can fill this. A stream
 * of which it has known a sign has a place that nobody else takes.
 */
class Waiting {
  readonly #known = new Set<string>()
  readonly #byStream = new Map<string, Heartbeat[]>()
  #strangers = 0

  add(sign: Heartbeat): void {
    const own = this.#byStream.get(sign.connection)
    if (own !== undefined) {
      own.push(sign)
      if (own.length > mostOfStream) own.shift()
      return
    }
    const isKnown = this.#known.has(sign.connection)
    if (!isKnown && this.#strangers >= mostAtOnce) return
    if (!isKnown) this.#strangers += 1
    this.#byStream.set(sign.connection, [sign])
  }

  /** In batches, those of known streams first. */
  take(): Heartbeat[][] {
    const streams = [...this.#byStream]
    this.#byStream.clear()
    this.#strangers = 0
    const [known, strange] = [true, false].map((wanted) =>
      streams.filter(([name]) => this.#known.has(name) === wanted).flatMap(([, signs]) => signs),
    )
    const all = [...known!, ...strange!.slice(0, mostAtOnce)]
    return Array.from({ length: Math.ceil(all.length / mostAtOnce) }, (_, n) =>
      all.slice(n * mostAtOnce, (n + 1) * mostAtOnce),
    )
  }

  /** Of streams that ended, the oldest are forgotten first. */
  know(streams: readonly string[]): void {
    for (const name of streams) {
      this.#known.delete(name)
      this.#known.add(name)
    }
    for (const name of this.#known) {
      if (this.#known.size <= mostKnown) return
      this.#known.delete(name)
    }
  }
}

/** Knows the replicas from their heartbeat: a sign for an unknown replica is dropped. */
export const createHeartbeatPeers = (
  replicas: Pick<Replicas, 'others'>,
  client: Pick<PeerClient, 'post'>,
): HeartbeatPeers & { stop(): void } => {
  const waiting = new Map<string, Waiting>()
  let timer: NodeJS.Timeout | undefined
  const send = async (peer: Peer, to: Waiting, signs: readonly Heartbeat[]): Promise<void> => {
    const { json } = await client.post(peer, signsPath, { signs })
    to.know(signsResponse.safeParse(json).data?.known ?? [])
  }
  const flush = (): void => {
    timer = undefined
    const { others } = replicas
    for (const id of waiting.keys()) if (!others.some((peer) => peer.id === id)) waiting.delete(id)
    for (const peer of others) {
      const to = waiting.get(peer.id)
      // Nothing is repeated: the heartbeat shows when a replica is away.
      for (const signs of to?.take() ?? []) send(peer, to!, signs).catch(() => undefined)
    }
  }
  return {
    hand: (sign) => {
      if (!replicas.others.some(({ id }) => id === sign.replica)) return
      const to = waiting.get(sign.replica) ?? new Waiting()
      waiting.set(sign.replica, to)
      to.add(sign)
      timer ??= setTimeout(flush, gatherMs)
    },
    stop: () => clearTimeout(timer),
  }
}
