// Connections that send the head of a request and half of its body, and then nothing.
import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface SlowBodies {
  /** The status of each connection that was answered. */
  statuses(): number[]
  close(): void
}

export const sendSlowBodies = async (
  count: number,
  target: {
    readonly url: string
    readonly path: string
    readonly headers?: Record<string, string>
  },
  body: Buffer = Buffer.alloc(65_536, 'x'),
): Promise<SlowBodies> => {
  const { hostname, port, protocol } = new URL(target.url)
  const head = [
    `POST ${target.path} HTTP/1.1`,
    'host: localhost',
    `content-length: ${body.length}`,
    ...Object.entries(target.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ]
  const open = async (): Promise<{ socket: Socket; said: string[] }> => {
    const to = { host: hostname, port: Number(port) }
    const isTls = protocol === 'https:'
    const socket = isTls ? connectTls({ ...to, rejectUnauthorized: false }) : connectPlain(to)
    const said: string[] = []
    socket.on('data', (data: Buffer) => said.push(data.toString('latin1')))
    socket.on('error', () => undefined)
    await once(socket, isTls ? 'secureConnect' : 'connect')
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    socket.write(body.subarray(0, body.length / 2))
    return { socket, said }
  }
  const opened = await Promise.all(Array.from({ length: count }, open))
  return {
    statuses: () =>
      opened
        .map(({ said }) => Number(/^HTTP\/1\.1 (\d+)/.exec(said.join(''))?.[1]))
        .filter((status) => !Number.isNaN(status)),
    close: () => {
      for (const { socket } of opened) socket.destroy()
    },
  }
}
