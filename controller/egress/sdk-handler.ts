// Lets a client of AWS's SDK call through the gate: in place of the SDK's own handler of requests.
import { Readable } from 'node:stream'
import { defined } from '../../src/kernel/defined.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { Egress, EgressCall } from './gate.ts'

/** What the SDK gives to a handler. */
interface SdkRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number | undefined
  readonly path: string
  readonly query?: Readonly<Record<string, string | string[] | null>> | undefined
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

interface SdkResponse {
  readonly statusCode: number
  readonly headers: Record<string, string>
  readonly body: Readable
}

export interface SdkHandler {
  handle(
    request: SdkRequest,
    options?: { readonly abortSignal?: unknown },
  ): Promise<{ response: SdkResponse }>
  updateHttpClientConfig(): void
  httpHandlerConfigs(): Record<string, never>
  destroy(): void
}

const urlOf = ({ protocol, hostname, port, path, query = {} }: SdkRequest): string => {
  const asked = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((part) => `${encodeURIComponent(name)}=${encodeURIComponent(part ?? '')}`),
  )
  const at = port === undefined ? hostname : `${hostname}:${port}`
  return `${protocol}//${at}${path}${asked.length === 0 ? '' : `?${asked.join('&')}`}`
}

const bodyOf = (body: unknown): string | Uint8Array | undefined => {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string' || body instanceof Uint8Array) return body
  throw new StagelyError('BadRequest', 'a body that is a stream does not go through the gate')
}

/** Every call of the client goes through the gate. The client must make one attempt only. */
export const sdkHandler = (egress: Egress, ca?: string): SdkHandler => ({
  handle: async (request, options) => {
    const body = bodyOf(request.body)
    const signal = options?.abortSignal
    // The gate gives the answer whole: the length of what is sent, and the host, are its own to say.
    const { host: _host, 'content-length': _length, ...headers } = request.headers
    const {
      status,
      text,
      headers: answered,
    } = await egress.call({
      url: urlOf(request),
      method: request.method as NonNullable<EgressCall['method']>,
      headers,
      ...defined({ body }),
      ...(signal instanceof AbortSignal && { signal }),
      ca,
    })
    const response = { statusCode: status, headers: { ...answered }, body: Readable.from([text]) }
    return { response }
  },
  updateHttpClientConfig: () => undefined,
  httpHandlerConfigs: () => ({}),
  destroy: () => undefined,
})
