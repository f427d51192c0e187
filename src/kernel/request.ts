// One request by Node's own client: over TLS, plain, or to a unix socket. `fetch` costs a process 26 MB.
import http from 'node:http'
import https from 'node:https'

/** A server by its URL, or the path of a request to a unix socket. */
type RequestTarget = URL | { readonly socketPath: string; readonly path: string }

export interface RequestOptions extends https.RequestOptions {
  /** What a request fails with whose connection is silent for `timeout`. */
  readonly late?: () => Error
}

/**
 * Resolves when the head of the answer is there, whatever its status; the caller reads the body. Rejects
 * with the system's error, with what `send` threw or destroyed the request with, or when the
 * connection is silent for `timeout`. `send` sends the body, at once or when it likes.
 */
export const httpRequest = (
  target: RequestTarget,
  { late, ...options }: RequestOptions = {},
  send: (outgoing: http.ClientRequest) => void = (outgoing) => outgoing.end(),
): Promise<http.IncomingMessage> =>
  new Promise((resolve, reject) => {
    const outgoing =
      target instanceof URL
        ? (target.protocol === 'https:' ? https : http).request(target, options, resolve)
        : http.request({ ...options, ...target }, resolve)
    // The agent's limit for unused connections is no limit for a request.
    const { timeout } = options
    if (timeout !== undefined)
      outgoing.on('timeout', () => {
        outgoing.destroy(late?.() ?? new Error(`no answer within ${timeout / 1000} s`))
      })
    outgoing.on('error', reject)
    send(outgoing)
  })

/** All bytes of a stream; fails with `tooLong` where they are more than `most`. */
export const readAllBytes = async (
  stream: AsyncIterable<Buffer>,
  most = Infinity,
  tooLong: () => Error = () => new Error('the answer is too long'),
): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > most) throw tooLong()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export const readBodyText = async (stream: AsyncIterable<Buffer>, most?: number): Promise<string> =>
  (await readAllBytes(stream, most)).toString('utf8')
