// KV version 2 of Vault at the mount `secret`, without TLS: for a controller that is a process, and may reach loopback.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface PlainVault {
  readonly url: string
  /** Another version of a key, whose value is at the property `/value`. */
  readonly put: (key: string, value: string) => void
  readonly close: () => void
}

type Answer = readonly [status: number, body: unknown]
const refused: Answer = [403, { errors: [] }]
const absent: Answer = [404, { errors: [] }]
const info = { created_time: '2026-11-28T12:00:00Z', deletion_time: '', destroyed: false }

export const startPlainVault = async (token: string): Promise<PlainVault> => {
  const values = new Map<string, string[]>()
  const listed = (prefix: string): Answer => {
    const found = [...values.keys()].filter((one) => one.startsWith(prefix))
    const names = found.map((one) => one.slice(prefix.length).replace(/^([^/]+\/).*$/, '$1'))
    return names.length === 0 ? absent : [200, { data: { keys: [...new Set(names)] } }]
  }
  const answer = ({ pathname, searchParams }: URL): Answer => {
    if (pathname.endsWith('/lookup-self'))
      return [200, { data: { display_name: 'reader', ttl: 0, renewable: false } }]
    const [, part = '', key = ''] = /^\/v1\/secret\/(metadata|data)\/?(.*)$/.exec(pathname) ?? []
    if (searchParams.has('list')) return listed(key)
    const versions = values.get(key)
    if (versions === undefined) return absent
    if (part === 'metadata') {
      const all = Object.fromEntries(versions.map((_, i) => [i + 1, info]))
      return [200, { data: { current_version: versions.length, versions: all } }]
    }
    const metadata = { version: versions.length, ...info }
    return [200, { data: { data: { value: versions.at(-1) }, metadata } }]
  }
  const server = createServer((request, response) => {
    const isKnown = request.headers['x-vault-token'] === token
    const [status, body] = isKnown ? answer(new URL(request.url ?? '', 'http://vault')) : refused
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    put: (key, value) => {
      values.set(key, [...(values.get(key) ?? []), value])
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
