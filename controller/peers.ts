// Other controllers on the same Postgres: announces this one to them, and sends them requests.
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import type { Hono } from 'hono'
import type { Clock } from '../src/kernel/clock.ts'
import { messageOf } from '../src/kernel/errors.ts'
import type { Logger } from '../src/kernel/log.ts'
import type { Replicas } from '../src/store/replicas.ts'
import { isWildcard, type ShownCertificate } from './certificate.ts'
import type { Config } from './config.ts'
import type { LogPeers } from './orders/log-relay.ts'
import type { HeartbeatPeers } from './http/agents/streams/heartbeats.ts'
import type { TaskPeers } from './orders/tasks.ts'
import type { AgentEnv } from './http/agents/requests/refusal.ts'
import type { AgentRoutes } from './http/agents/routes.ts'
import { createPeerClient, type PeerClient } from './http/peers/client.ts'
import { createPeerLogs, mountPeerRoutes } from './http/peers/logs.ts'
import { createHeartbeatPeers } from './http/peers/heartbeats.ts'
import type { SealedSettings } from './identity.ts'

export interface Peers extends Pick<PeerClient, 'isReady' | 'close'> {
  readonly peerLogs: LogPeers & TaskPeers
  readonly heartbeatPeers: HeartbeatPeers
  mount(
    app: Hono<AgentEnv>,
    serves: Pick<AgentRoutes, 'logs' | 'tasks' | 'ask' | 'takeHeartbeat'>,
  ): void
  /** Publishes the address of this replica; to be repeated when its certificate changes. */
  announce(port: number, certificate: Pick<ShownCertificate, 'chainPem'>): Promise<void>
}

const leafOf = (chainPem: string): string =>
  /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/.exec(chainPem)?.[0] ?? chainPem

/**
 * This machine's address in the direction of the database; loopback when the database is on this
 * machine.
 */
const addressTowards = (databaseUrl: string): Promise<string> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(databaseUrl)
    const host = hostname.replace(/^\[|\]$/g, '')
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    const give = (address: string): void => {
      socket.close()
      resolve(address)
    }
    // Connecting a datagram socket sends nothing: it only chooses the route.
    socket.once('error', () => give('127.0.0.1'))
    if (host === '' || host.includes('%')) give('127.0.0.1')
    else socket.connect(Number(port || '5432'), host, () => give(socket.address().address))
  })

const urlOf = async (config: Config, databaseUrl: string, port: number): Promise<string> => {
  if (config.peerUrl !== undefined) return config.peerUrl
  const host = isWildcard(config.host) ? await addressTowards(databaseUrl) : config.host
  const inUrl = host.includes(':') ? `[${host}]` : host
  return `${config.insecureHttp ? 'http' : 'https'}://${inUrl}:${port}`
}

/** undefined with the embedded database, which has one controller only. */
export const preparePeers = async (
  config: Config,
  deps: {
    readonly settings: SealedSettings
    readonly replicas: Replicas
    readonly clock: Clock
    readonly log: Logger
  },
): Promise<Peers | undefined> => {
  const { settings, replicas, clock, log } = deps
  const { databaseUrl } = config
  if (databaseUrl === undefined) return undefined
  const key = await settings.putSealedIfAbsent('peer-key', randomBytes(32))
  const client = createPeerClient(key, clock)
  const heartbeatPeers = createHeartbeatPeers(replicas, client)
  return {
    isReady: (peer) => client.isReady(peer),
    close: () => {
      heartbeatPeers.stop()
      client.close()
    },
    peerLogs: createPeerLogs(replicas, client, key),
    heartbeatPeers,
    mount: (app, serves) => mountPeerRoutes(app, { ...serves, key, self: replicas.id, clock, log }),
    announce: async (port, { chainPem }) => {
      const url = await urlOf(config, databaseUrl, port)
      replicas.announce({ url, certificate: config.insecureHttp ? undefined : leafOf(chainPem) })
      log.info({ url }, 'other controllers reach this one here')
      await replicas
        .beat()
        .catch((error: unknown) =>
          log.warn({ err: messageOf(error) }, 'cannot tell the other replicas where this one is'),
        )
    },
  }
}
