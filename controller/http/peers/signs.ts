// Forwards signs of life to the replica that has the stream, in batches.
import { clearTimeout, setTimeout } from 'node:timers'
import * as z from 'zod'
import type { Replicas } from '../../../src/store/replicas.ts'
import type { Sign } from '../../../src/protocol/sign-of-life.ts'
import type { SignsElsewhere } from '../agents/signs.ts'
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

/** Knows the replicas from their heartbeat: a sign for an unknown replica is dropped. */
export const createSignsElsewhere = (
  replicas: Pick<Replicas, 'others'>,
  client: Pick<PeerClient, 'post'>,
): SignsElsewhere & { stop(): void } => {
  const waiting = new Map<string, Sign[]>()
  let timer: NodeJS.Timeout | undefined
  const flush = (): void => {
    timer = undefined
    for (const peer of replicas.others) {
      const signs = waiting.get(peer.id)
      // Nothing is repeated: the heartbeat shows when a replica is away.
      if (signs !== undefined) client.post(peer, signsPath, { signs }).catch(() => undefined)
    }
    waiting.clear()
  }
  return {
    hand: (sign) => {
      if (!replicas.others.some(({ id }) => id === sign.replica)) return
      const signs = waiting.get(sign.replica) ?? []
      if (signs.length >= mostAtOnce) return
      signs.push(sign)
      waiting.set(sign.replica, signs)
      timer ??= setTimeout(flush, gatherMs)
    },
    stop: () => clearTimeout(timer),
  }
}
