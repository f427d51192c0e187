// Takes heartbeats in front of the rest of the server: a large fleet at rest sends thousands per second, and each
// costs one look into memory and one MAC. A sign for a stream of another replica is passed on there unread, as only
// that replica has the key.
import type { RequestListener } from 'node:http'
import { agentPaths } from '../../../../src/protocol/messages.ts'
import { parseHeartbeat, type Heartbeat } from '../../../../src/protocol/heartbeat.ts'

/** The other replicas. */
export interface HeartbeatPeers {
  /** Never waits. A sign that gets lost is followed by the next one soon. */
  hand(sign: Heartbeat): void
}

export interface Heartbeats {
  /** Answers heartbeats, and gives all other requests to `rest`. */
  inFrontOf(rest: RequestListener): RequestListener
}

interface HeartbeatsDeps {
  /** Name of this replica. */
  readonly self: string
  /** False where the sign is not of a stream here, or came before. */
  readonly heard: (sign: Heartbeat) => boolean
  /** Absent where there is no other replica. */
  readonly peers?: HeartbeatPeers | undefined
}

export const createHeartbeats = ({ self, heard, peers }: HeartbeatsDeps): Heartbeats => {
  const take = (header: string): boolean => {
    const sign = parseHeartbeat(header)
    if (sign === undefined) return false
    if (peers === undefined || sign.replica === self) return heard(sign)
    peers.hand(sign)
    return true
  }
  return {
    inFrontOf: (rest) => (request, response) => {
      if (request.url !== agentPaths.sign || request.method !== 'POST') {
        rest(request, response)
        return
      }
      response.writeHead(take(request.headers.authorization ?? '') ? 204 : 401).end()
    },
  }
}
