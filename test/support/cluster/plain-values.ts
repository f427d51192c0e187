// What a cluster would keep and show of a StagelySecret, and this project's own API server never does:
// a plain value.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { StringDecoder } from 'node:string_decoder'
import type { KubeObject } from '../../../src/resources/meta.ts'

export interface PlainValues {
  /** The request without its plain value, which is kept. */
  take(request: IncomingMessage): Promise<IncomingMessage>
  /** Puts what is kept into what the server will answer. */
  show(request: IncomingMessage, response: ServerResponse): void
}

/** Namespace and name of the secrets that are asked for; undefined where none are. */
const askedFor = ({
  url = '',
}: IncomingMessage): { namespace: string; name?: string } | undefined => {
  const path = /\/namespaces\/([^/?]+)\/stagelysecrets(?:\/([^/?]+))?(?:\?|$)/.exec(url)
  if (path === null) return undefined
  return { namespace: path[1]!, ...(path[2] === undefined ? {} : { name: path[2] }) }
}

export const keepPlainValues = (): PlainValues => {
  const values = new Map<string, string>()

  const put = (object: KubeObject): KubeObject => {
    const value = values.get(`${object.metadata.namespace ?? ''}/${object.metadata.name}`)
    return value === undefined ? object : { ...object, spec: { ...object.spec, value } }
  }
  const putIntoLine = (line: string): string => {
    if (values.size === 0 || line === '') return line
    const json = JSON.parse(line) as KubeObject & { items?: KubeObject[]; object?: KubeObject }
    if (json.items !== undefined) return JSON.stringify({ ...json, items: json.items.map(put) })
    if (json.object !== undefined) return JSON.stringify({ ...json, object: put(json.object) })
    return JSON.stringify(json.kind === 'StagelySecret' ? put(json) : json)
  }

  return {
    take: async (request) => {
      const asked = askedFor(request)
      if (asked === undefined || !['POST', 'PUT', 'PATCH'].includes(request.method ?? ''))
        return request
      const body = JSON.parse(await text(request)) as KubeObject
      const { value, ...spec } = (body.spec ?? {}) as { value?: string | null }
      const key = `${asked.namespace}/${asked.name ?? body.metadata.name}`
      if (typeof value === 'string') values.set(key, value)
      else if (value === null || request.method === 'PUT') values.delete(key)
      const left = Buffer.from(JSON.stringify(body.spec === undefined ? body : { ...body, spec }))
      const { method, url, socket, rawHeaders } = request
      const headers = { ...request.headers, 'content-length': String(left.length) }
      const given = { method, url, socket, rawHeaders, headers }
      return Object.assign(Readable.from([left]), given) as unknown as IncomingMessage
    },
    show: (request, response) => {
      if (request.method === 'GET' && askedFor(request) !== undefined)
        changeLines(response, putIntoLine)
    },
  }
}

/** Each line is sent as soon as it is whole; what comes after the last one at the end. */
const changeLines = (response: ServerResponse, change: (line: string) => string): void => {
  const writeHead = response.writeHead.bind(response)
  const write = response.write.bind(response)
  const end = response.end.bind(response)
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const whole = (chunk: string | Uint8Array): string => {
    const lines = (rest + decoder.write(Buffer.from(chunk as string))).split('\n')
    rest = lines.pop() ?? ''
    return lines.map((line) => `${change(line)}\n`).join('')
  }
  Object.assign(response, {
    writeHead: (status: number, headers: OutgoingHttpHeaders = {}) => {
      const left = Object.entries(headers).filter(([name]) => !/^content-length$/i.test(name))
      response.removeHeader('content-length')
      return writeHead(status, Object.fromEntries(left) as never)
    },
    write: (chunk: string | Uint8Array) => {
      const lines = whole(chunk)
      return lines === '' || write(lines, 'utf8')
    },
    end: (chunk: unknown) => {
      const lines = typeof chunk === 'string' || chunk instanceof Uint8Array ? whole(chunk) : ''
      return end(lines + change(rest), 'utf8')
    },
  })
}
