// The listening server. TLS 1.3 only, no session tickets: with a leaf and its CA in the first flight
// an idle connection costs 36 KiB instead of 52, and a restart storm could not resume anyway.
import { constants } from 'node:crypto'
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions } from 'node:tls'

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /** undefined: plain HTTP. */
  readonly tls: { readonly chainPem: string; readonly keyPem: string } | undefined
}

export interface Listening {
  readonly address: AddressInfo
  /** Takes no new connection, closes idle ones, and waits for requests that are being answered. */
  close(): Promise<void>
  /** Cuts what is still open. */
  destroy(): void
  /** New connections are shown this certificate. */
  renew(tls: { readonly chainPem: string; readonly keyPem: string }): void
}

const backlog = 4096

/** Rejects when the address cannot be listened on. */
export const listen = async (
  listener: RequestListener,
  options: ListenOptions,
): Promise<Listening> => {
  const server =
    options.tls === undefined ? createHttpServer(listener) : createTlsServer(listener, options.tls)
  // Watches and agent streams are meant to last; a request's head and body are not.
  server.requestTimeout = 60_000
  server.keepAliveTimeout = 65_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: options.host, port: options.port, backlog }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    address: server.address() as AddressInfo,
    close: () => closeServer(server),
    destroy: () => {
      server.closeAllConnections()
    },
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
  minVersion: 'TLSv1.3',
  secureOptions: constants.SSL_OP_NO_TICKET,
})

const closeServer = async (server: Server | HttpsServer): Promise<void> => {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
  })
  // A keep-alive connection that falls idle during the stop is closed as well.
  const timer = setInterval(() => {
    server.closeIdleConnections()
  }, 50)
  server.closeIdleConnections()
  await closed
  clearInterval(timer)
}
