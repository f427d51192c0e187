// The listening server. TLS 1.3 only, without session tickets: then an idle connection takes 36 KiB
// instead of 52 (with a leaf and its CA in the first flight). After a restart clients could not resume
// sessions anyway.
import { constants } from 'node:crypto'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContextOptions } from 'node:tls'

interface HttpServerOptions {
  readonly host: string
  readonly port: number
  /** undefined: plain HTTP. */
  readonly tls: { readonly chainPem: string; readonly keyPem: string } | undefined
}

export interface HttpServer {
  readonly address: AddressInfo
  /** Accepts no new connection, closes idle ones, and waits for running requests. */
  close(): Promise<void>
  /** Closes all remaining connections. */
  destroy(): void
  /** Presents this certificate to new connections. */
  renew(tls: { readonly chainPem: string; readonly keyPem: string }): void
}

/** Gives requests so many ms to end, then cuts the remaining connections. */
export const closeWithin = async (server: HttpServer | undefined, ms: number): Promise<void> => {
  if (server === undefined) return
  const timer = setTimeout(() => server.destroy(), ms)
  await server.close()
  clearTimeout(timer)
}

const backlog = 4096

/** Rejects when it cannot listen on the address. */
export const startHttpServer = async (
  listener: RequestListener,
  options: HttpServerOptions,
): Promise<HttpServer> => {
  const server =
    options.tls === undefined ? createHttpServer(listener) : createTlsServer(listener, options.tls)
  // Limits the time for a request's head and body, not that of the answer: watches and agent streams
  // last.
  server.requestTimeout = 60_000
  server.keepAliveTimeout = 65_000
  server.on('request', dropUnread)
  if ('setSecureContext' in server) server.on('secureConnection', readThroughStream)
  const unused = followUnused(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: options.host, port: options.port, backlog }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    address: server.address() as AddressInfo,
    close: () => closeServer(server, unused),
    destroy: () => server.closeAllConnections(),
    renew: (tls) => {
      if ('setSecureContext' in server) server.setSecureContext(tlsOptions(tls))
    },
  }
}

const createTlsServer = (
  listener: RequestListener,
  tls: { chainPem: string; keyPem: string },
): HttpsServer => createHttpsServer(tlsOptions(tls), listener)

const tlsOptions = (tls: { chainPem: string; keyPem: string }): SecureContextOptions => ({
  cert: tls.chainPem,
  key: tls.keyPem,
  // Clients give no certificate. Without this, Node reads all public authorities for them at the start: 40 ms.
  ca: [],
  minVersion: 'TLSv1.3',
  secureOptions: constants.SSL_OP_NO_TICKET,
})

/**
 * Node's parser takes the data of a connection beside its stream until something else listens to the stream too. Over
 * TLS it then fails with HPE_PAUSED, and Node resets the connection: a large answer that is not written out pauses the
 * parser within the first record of the next request, and the other records that were read with it still reach it.
 * The stream keeps them until the parser goes on.
 */
const readThroughStream = (socket: Duplex): void => {
  socket.on('data', () => undefined)
}

/** So much of a body that is refused unread is still received, so that its connection can be used again. */
const patienceBytes = 32 * 1024 * 1024

/** Node reads and drops what is left of a body after the answer; not without end. */
const dropUnread = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
  if (incoming.method === 'GET' || incoming.method === 'HEAD') return
  outgoing.once('finish', () => {
    if (incoming.complete) return
    let dropped = 0
    incoming.on('data', (chunk: Buffer) => {
      dropped += chunk.length
      if (dropped > patienceBytes) incoming.destroy()
    })
  })
}

/** Connections without a request so far. Browsers keep some ready; for Node they are not idle. */
const followUnused = (server: Server | HttpsServer): ReadonlySet<Duplex> => {
  const unused = new Set<Duplex>()
  server.on('setSecureContext' in server ? 'secureConnection' : 'connection', (socket: Duplex) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  server.on('request', ({ socket }) => unused.delete(socket))
  return unused
}

const closeServer = async (
  server: Server | HttpsServer,
  unused: ReadonlySet<Duplex>,
): Promise<void> => {
  const closeIdle = (): void => {
    server.closeIdleConnections()
    for (const socket of unused) socket.destroy()
  }
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  // Closes connections that become idle during the stop.
  const timer = setInterval(closeIdle, 50)
  closeIdle()
  await closed
  clearInterval(timer)
}
