// Stands between a program and its database: passes on what they say, holds it back for a while, and cuts
// connections, also after so many bytes.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'

type Said = 'answers' | 'requests'

export class DatabaseRelay {
  /** Of the database, by way of this relay. */
  readonly url: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isSilent = false
  #refuses = false
  #cut: { of: Said; left: number } | undefined
  /** How many connections cutAfter() has cut. */
  cuts = 0

  static async start(databaseUrl: string): Promise<DatabaseRelay> {
    const { hostname, port } = new URL(databaseUrl)
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = new URL(databaseUrl)
    url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    return new DatabaseRelay(server, url.href, { hostname, port: Number(port) })
  }

  private constructor(server: Server, url: string, far: { hostname: string; port: number }) {
    this.url = url
    this.#server = server.on('connection', (near: Socket) => {
      if (this.#refuses) near.destroy()
      else this.#join(near, connect(far.port, far.hostname))
    })
  }

  #join(near: Socket, far: Socket): void {
    for (const [from, to, said] of [
      [near, far, 'requests'],
      [far, near, 'answers'],
    ] as const) {
      this.#sockets.add(from)
      from
        .on('data', (piece) => {
          const passed = this.#passedOf(piece, said)
          if (passed === piece) {
            to.write(piece)
            return
          }
          to.end(passed)
          from.destroy()
        })
        .on('error', () => undefined)
        .on('close', () => {
          this.#sockets.delete(from)
          // What it has said last still arrives.
          to.end()
        })
      if (this.#isSilent) from.pause()
    }
  }

  #passedOf(piece: Buffer, said: Said): Buffer {
    const cut = this.#cut
    if (cut?.of !== said) return piece
    if (piece.length <= cut.left) {
      cut.left -= piece.length
      return piece
    }
    this.#cut = undefined
    this.cuts += 1
    return piece.subarray(0, cut.left)
  }

  /** Of what is said from now on, this many bytes pass; then the connection is cut. */
  cutAfter(bytes: number, of: Said = 'answers'): void {
    this.#cut = { of, left: bytes }
  }

  /** While it is silent it takes connections, and keeps what is said for later. */
  setSilent(isSilent: boolean): void {
    this.#isSilent = isSilent
    for (const socket of this.#sockets) {
      if (isSilent) socket.pause()
      else socket.resume()
    }
  }

  /** Ends all connections; while it refuses, new ones too. */
  setRefusing(refuses: boolean): void {
    this.#refuses = refuses
    if (refuses) this.#end()
  }

  #end(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#end()
    await once(this.#server, 'close')
  }
}
