// What goes wrong between a cluster and its source, by the proxy that is between them.
import type { TestCluster } from './cluster.ts'

export interface WireFault {
  /** How often it is still to happen. */
  left(): number
  over(): void
}

export const wireFaults: Record<string, (cluster: TestCluster) => WireFault> = {
  'the server restarts': (cluster) => {
    let left = 1
    void cluster.restart().then(() => left--)
    return { left: () => left, over: () => undefined }
  },
  'a watch is cut in the middle of a line': (cluster) => {
    let left = 4
    const over = cluster.fault((request, response) => {
      if (left === 0 || !request.url?.includes('watch=true')) return false
      left--
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"type":"ADDED","object":{"kind":"Project","metad')
      setTimeout(() => response.destroy(), 20)
      return true
    })
    cluster.cut()
    return { left: () => left, over }
  },
  'watches are too old (410)': (cluster) => {
    let left = 4
    const over = cluster.fault((request, response) => {
      if (left === 0 || !request.url?.includes('watch=true')) return false
      left--
      const object = {
        kind: 'Status',
        code: 410,
        reason: 'Expired',
        message: 'too old',
        metadata: {},
      }
      // Both ways of saying it are in use.
      if (left % 2 === 0) response.writeHead(410).end(JSON.stringify(object))
      else response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`)
      return true
    })
    cluster.cut()
    return { left: () => left, over }
  },
  'the server asks for patience (429)': (cluster) => {
    let left = 6
    const over = cluster.fault((_, response) => {
      if (left === 0) return false
      left--
      response.writeHead(429, { 'retry-after': '1', 'content-type': 'application/json' })
      response.end('{"kind":"Status","reason":"TooManyRequests","message":"slow down"}')
      return true
    })
    cluster.cut()
    return { left: () => left, over }
  },
  'a watch comes slowly, in small pieces': (cluster) => {
    let left = 4
    const over = cluster.fault((request, response) => {
      if (left === 0 || !/stagelysecrets\?.*watch=true/.test(request.url ?? '')) return false
      left--
      void cluster.api.list('StagelySecret').then(async ({ items }) => {
        const lines = items.map((object) => JSON.stringify({ type: 'MODIFIED', object }))
        const bytes = Buffer.from(`${lines.join('\n')}\n`)
        for (let at = 0; at < bytes.length; at += 97) {
          response.write(bytes.subarray(at, at + 97))
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
        response.end()
      })
      return true
    })
    cluster.cut()
    return { left: () => left, over }
  },
  'the server fails (500) and the token is expired (401)': (cluster) => {
    let left = 6
    const over = cluster.fault((_, response) => {
      if (left === 0) return false
      left--
      response.writeHead(left % 2 === 0 ? 500 : 401).end('no')
      return true
    })
    cluster.cut()
    return { left: () => left, over }
  },
  'events come twice and out of order': (cluster) => {
    let left = 4
    const over = cluster.fault((request, response) => {
      if (
        left === 0 ||
        !request.url?.includes('stagelysecrets') ||
        !request.url.includes('watch=true')
      )
        return false
      left--
      void cluster.api.list('StagelySecret').then(({ items }) => {
        const lines = [...items, ...items.toReversed()].map(
          (object) => `${JSON.stringify({ type: 'MODIFIED', object })}\n`,
        )
        response.end(lines.join(''))
      })
      return true
    })
    cluster.cut()
    return { left: () => left, over }
  },
}
