// The network between agent and controller: a TCP relay that can be cut, loudly or silently.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Network {
  readonly port: number
  /** Where it leads. */
  target: number
  /** Every connection is reset, and new ones are refused until mend(). */
  reset(): void
  /** Nothing gets through any more, and nobody is told, until mend(). */
  silence(): void
  mend(): void
  close(): Promise<void>
}

export const startNetwork = async (): Promise<Network> => {
  const sockets = new Set<Socket>()
  let state: 'whole' | 'reset' | 'silent' = 'whole'
  const network = { port: 0, target: 0 }
  const server = createServer((client) => {
    if (state === 'reset') {
      client.on('error', () => undefined).resetAndDestroy()
      return
    }
    const upstream = connect(network.target, '127.0.0.1')
    const end = (): void => {
      for (const socket of [client, upstream]) {
        sockets.delete(socket)
        socket.destroy()
      }
    }
    const pairs = [
      [client, upstream],
      [upstream, client],
    ] as const
    for (const [from, to] of pairs) {
      sockets.add(from)
      from.on('error', end).on('close', end)
      from.on('data', (piece) => {
        if (!to.write(piece)) from.pause()
      })
      to.on('drain', () => {
        if (state !== 'silent') from.resume()
      })
      if (state === 'silent') from.pause()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  network.port = (server.address() as AddressInfo).port
  const dropAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return Object.assign(network, {
    reset: () => {
      state = 'reset'
      dropAll()
    },
    silence: () => {
      state = 'silent'
      for (const socket of sockets) socket.pause()
    },
    mend: () => {
      // A router that was away has forgotten the connections that went through it.
      if (state === 'silent') dropAll()
      state = 'whole'
    },
    close: async () => {
      dropAll()
      server.close()
      await once(server, 'close')
    },
  })
}
