// What stands before several controllers: passes TCP on in turns, to those whose /readyz says yes.
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Balancer {
  readonly port: number
  close(): Promise<void>
}

export interface Target {
  readonly host: string
  readonly port: number
}

const lookEveryMs = 1_000
const patienceMs = 1_000

/** By a connection that is kept: a handshake costs more than the question. */
const isReady = ({ host, port }: Target, agent: Agent): Promise<boolean> =>
  new Promise((resolve) => {
    const sent = request(
      { host, port, path: '/readyz', rejectUnauthorized: false, agent, timeout: patienceMs },
      (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      },
    )
    sent.on('timeout', () => sent.destroy())
    sent.on('error', () => {
      resolve(false)
    })
    sent.end()
  })

const open = async ({ host, port }: Target): Promise<Socket | undefined> => {
  const socket = connect({ host, port, timeout: patienceMs })
  socket.on('error', () => undefined)
  const reached = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => {
      resolve(true)
    })
    for (const event of ['timeout', 'close'] as const)
      socket.once(event, () => {
        resolve(false)
      })
  })
  socket.setTimeout(0)
  if (reached) return socket
  socket.destroy()
  return undefined
}

export const startBalancer = async (targets: readonly Target[]): Promise<Balancer> => {
  const ready = new Set<Target>()
  const sockets = new Set<Socket>()
  let turn = 0
  let closing = false
  const look = async (target: Target): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (!closing) {
      if (await isReady(target, agent)) ready.add(target)
      else ready.delete(target)
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
    }
    agent.destroy()
  }
  const looking = Promise.all(targets.map(look))

  const serve = async (client: Socket): Promise<void> => {
    client.on('error', () => undefined)
    sockets.add(client)
    client.once('close', () => sockets.delete(client))
    const first = turn++
    for (let i = 0; i < targets.length; i++) {
      const target = targets[(first + i) % targets.length]!
      if (!ready.has(target)) continue
      const upstream = await open(target)
      if (upstream === undefined) continue
      if (client.destroyed) {
        upstream.destroy()
        return
      }
      client.once('close', () => upstream.destroy())
      upstream.once('close', () => client.destroy())
      client.pipe(upstream).pipe(client)
      return
    }
    client.destroy()
  }

  const server = createServer({ noDelay: true }, (client) => void serve(client))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      closing = true
      for (const socket of sockets) socket.destroy()
      server.close()
      await looking
    },
  }
}
