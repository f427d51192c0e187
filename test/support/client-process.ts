// A client for a process of its own: what it encrypts and opens takes no time of the parent's thread.
// The parent forks this file, and tells it what to send.
import { request } from 'node:https'

export interface Order {
  readonly url: string
  readonly ca: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** So many at once. */
  readonly times: number
}

/** Resolves with the status. */
const send = ({ url, ca, method, headers, body }: Order): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { ca, method, headers }, (response) => {
      response.resume().once('end', () => {
        resolve(response.statusCode ?? 0)
      })
    })
    // A refused body may end the connection after the answer.
    sent.on('error', reject)
    sent.end(body)
  })

process.on('message', (order: Order) => {
  void Promise.all(Array.from({ length: order.times }, () => send(order))).then((statuses) =>
    process.send?.(statuses),
  )
})
