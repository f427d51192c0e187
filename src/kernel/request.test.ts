import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBodyText, httpRequest } from './request.ts'

const start = (): Server =>
  createServer((incoming, response) => {
    if (incoming.url === '/silent') return
    response.statusCode = 418
    response.write(`${incoming.method ?? ''} `)
    incoming.pipe(response)
  })

let dir: string
let base: string
const servers: Server[] = []
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stagely-request-'))
  const [port, socket] = [start(), start()]
  servers.push(port, socket)
  await Promise.all([
    new Promise<void>((resolve) => port.listen(0, '127.0.0.1', resolve)),
    new Promise<void>((resolve) => socket.listen(join(dir, 'socket'), resolve)),
  ])
  base = `http://127.0.0.1:${(port.address() as AddressInfo).port}`
})
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  await rm(dir, { recursive: true })
})

describe('a request', () => {
  it('gets the answer of a server, whatever its status', async () => {
    const response = await httpRequest(new URL('/', base), { method: 'POST' }, (outgoing) => {
      outgoing.end('body')
    })
    expect(response.statusCode).toBe(418)
    expect(await readBodyText(response)).toBe('POST body')
  })

  it('gets the answer at a unix socket', async () => {
    const response = await httpRequest({ socketPath: join(dir, 'socket'), path: '/' })
    expect(await readBodyText(response)).toBe('GET ')
  })

  it('reads no more than it may', async () => {
    const response = await httpRequest(new URL('/', base))
    await expect(readBodyText(response, 3)).rejects.toThrow('the answer is too long')
  })

  it('fails where nothing comes for too long, and where the signal aborts', async () => {
    const silent = new URL('/silent', base)
    await expect(httpRequest(silent, { timeout: 20 })).rejects.toThrow('no answer within 0.02 s')
    const late = (): Error => new Error('said nothing')
    await expect(httpRequest(silent, { timeout: 20, late })).rejects.toThrow('said nothing')
    const signal = AbortSignal.timeout(20)
    await expect(httpRequest(silent, { signal })).rejects.toThrow(/abort/)
  })

  it('waits on a connection whose agent ends unused ones', async () => {
    const agent = new Agent({ keepAlive: true, timeout: 20 })
    const signal = AbortSignal.timeout(200)
    const begun = performance.now()
    await expect(httpRequest(new URL('/silent', base), { agent, signal })).rejects.toThrow(/abort/)
    expect(performance.now() - begun).toBeGreaterThan(150)
  })

  it('fails with what its sender throws, or ends it with', async () => {
    const fail = (): never => {
      throw new Error('no body')
    }
    await expect(httpRequest(new URL('/', base), {}, fail)).rejects.toThrow('no body')
    const destroyed = httpRequest(new URL('/', base), {}, (outgoing) => {
      outgoing.destroy(new Error('not now'))
    })
    await expect(destroyed).rejects.toThrow('not now')
  })

  it('fails with what the system says', async () => {
    const nobody = { socketPath: join(dir, 'none'), path: '/' }
    await expect(httpRequest(nobody)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
