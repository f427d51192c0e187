// Takes heartbeats in front of the rest of the server: a large fleet at rest sends thousands per second, and each
// costs one look into memory and one MAC. A heartbeat for a stream of another replica is passed on unread, as only
// that replica has the key.
import type { RequestListener } from 'node:http'
import { agentPaths } from '../../../../src/protocol/messages.ts'
import { parseHeartbeat, type Heartbeat } from '../../../../src/protocol/heartbeat.ts'

/** The other replicas. */
export interface HeartbeatPeers {
  /** Never waits. After a lost heartbeat the next one comes soon. */
  passOn(heartbeat: Heartbeat): void
}

export interface Heartbeats {
  /** Answers heartbeats, and gives all other requests to `rest`. */
  inFrontOf(rest: RequestListener): RequestListener
}

interface HeartbeatsDeps {
  /** Name of this replica. */
  readonly self: string
  /** False where no stream here has this agent, or the heartbeat came before. */
  readonly acceptHere: (heartbeat: Heartbeat) => boolean
  /** Absent where there is no other replica. */
  readonly peers?: HeartbeatPeers | undefined
}

export const createHeartbeats = ({ self, acceptHere, peers }: HeartbeatsDeps): Heartbeats => {
  const accept = (header: string): boolean => {
    const heartbeat = parseHeartbeat(header)
    if (heartbeat === undefined) return false
    if (peers === undefined || heartbeat.replica === self) return acceptHere(heartbeat)
    peers.passOn(heartbeat)
    return true
  }
  return {
    inFrontOf: (rest) => (request, response) => {
      if (request.url !== agentPaths.sign || request.method !== 'POST') {
        rest(request, response)
        return
      }
      response.writeHead(accept(request.headers.authorization ?? '') ? 204 : 401).end()
    },
  }
}
