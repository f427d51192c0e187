import { createServer, connect, type Server, type Socket, type AddressInfo } from 'node:net'

/** A TCP relay in front of the controller that can record, cut and refuse. */
export interface Relay {
  readonly port: number
  readonly sockets: Set<Socket>
  /** Bytes to the agent after which the next connection is cut; undefined lets all through. */
  cutAfter: number | undefined
  refuse: boolean
  close(): void
}
export const startRelay = async (target: string): Promise<Relay> => {
  const relay = { sockets: new Set<Socket>(), cutAfter: undefined, refuse: false } as unknown as {
    -readonly [K in keyof Relay]: Relay[K]
  }
  const server: Server = createServer((near) => {
    if (relay.refuse) {
      near.destroy()
      return
    }
    const far = connect(Number(new URL(target).port), '127.0.0.1')
    let passed = 0
    relay.sockets.add(near)
    near.on('data', (chunk: Buffer) => far.write(chunk))
    far.on('data', (chunk: Buffer) => {
      passed += chunk.length
      if (relay.cutAfter !== undefined && passed > relay.cutAfter) {
        near.end(chunk.subarray(0, Math.floor(chunk.length / 2)))
        far.destroy()
        return
      }
      near.write(chunk)
    })
    for (const [a, b] of [
      [near, far],
      [far, near],
    ] as const) {
      a.on('error', () => undefined)
      a.on('close', () => {
        relay.sockets.delete(near)
        b.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  relay.port = (server.address() as AddressInfo).port
  relay.close = () => {
    server.close()
    for (const socket of relay.sockets) socket.destroy()
  }
  return relay
}
