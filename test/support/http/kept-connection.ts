// Requests one after the other on one kept connection, from a thread of its own: a client in the server's thread
// never sends its next request while the server still writes the answer before it.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

export interface KeptRequest {
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** How often there was each status, or code of an error in its place. */
export type Outcomes = Readonly<Record<string, number>>

const client = `
const { parentPort, workerData } = require('node:worker_threads')
const { Agent, request } = require('node:https')
const { url, ca, requests, rounds } = workerData
const agent = new Agent({ keepAlive: true, maxSockets: 1, ca })
const ask = ({ method, path, body, headers = {} }) =>
  new Promise((resolve) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const options = { method, agent, headers: { ...length, ...headers } }
    const sent = request(new URL(path, url), options, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode))
      answer.once('error', ({ code }) => resolve(code))
    })
    sent.once('error', ({ code }) => resolve(code))
    sent.end(body)
  })
void (async () => {
  const outcomes = {}
  for (let round = 0; round < rounds; round++)
    for (const one of requests) {
      const outcome = await ask(one)
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
  agent.destroy()
  parentPort.postMessage(outcomes)
})()
`

/** Sends all requests in their order, so many times. */
export const onKeptConnection = async (what: {
  readonly url: string
  readonly ca: string
  readonly requests: readonly KeptRequest[]
  readonly rounds: number
}): Promise<Outcomes> => {
  const worker = new Worker(client, { eval: true, workerData: what })
  const [outcomes] = (await once(worker, 'message')) as [Outcomes]
  await worker.terminate()
  return outcomes
}
