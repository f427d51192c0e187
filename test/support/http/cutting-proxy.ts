// A TCP proxy on a fixed port that can cut its connections in the middle of what is being sent.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface CuttingProxy {
  readonly port: number
  /** Where new connections go from now on. */
  target: number
  /** Cuts each open connection half-way through the next piece that comes from the server. */
  cutMidway(): void
  /** How many connections were cut so. */
  readonly cuts: number
  close(): Promise<void>
}

export const startCuttingProxy = async (target: number): Promise<CuttingProxy> => {
  const open = new Map<Socket, { cutNext: boolean }>()
  const proxy = { port: 0, target, cuts: 0 }
  const server = createServer((client) => {
    const upstream = connect(proxy.target, '127.0.0.1')
    const state = { cutNext: false }
    open.set(client, state)
    const end = (): void => {
      open.delete(client)
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end)
    client.pipe(upstream)
    upstream.on('data', (piece) => {
      if (!state.cutNext) {
        client.write(piece)
        return
      }
      proxy.cuts++
      upstream.destroy()
      client.write(piece.subarray(0, piece.length >> 1), end)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy.port = (server.address() as AddressInfo).port
  return Object.assign(proxy, {
    cutMidway: () => {
      for (const state of open.values()) state.cutNext = true
    },
    close: async () => {
      for (const client of open.keys()) client.destroy()
      server.close()
      await once(server, 'close')
    },
  })
}
