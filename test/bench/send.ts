// Requests to a controller, as the benches make them.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import type { Connection } from '../../scripts/lib/stagely.ts'

export type Send = (method: string, url: string, body?: object) => Promise<string>

/** Requests with the admin's token over kept connections, with the text of the answer; rejects for any status of 300 or more. */
export const sender = (
  { url, env }: Connection,
  connections: number,
): { send: Send; close: () => void } => {
  const ca = readFileSync(env.STAGELY_CA_FILE)
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ca })
  const send: Send = (method, target, body) =>
    new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${env.STAGELY_TOKEN}`,
        'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
      }
      const sent = request(`${url}${target}`, { method, agent, headers }, (response) => {
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.once('end', () => {
          const { statusCode = 0 } = response
          if (statusCode < 300) resolve(Buffer.concat(pieces).toString())
          else reject(new Error(`${method} ${target}: ${statusCode}`))
        })
      })
      sent.once('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  return {
    send,
    close: () => {
      agent.destroy()
    },
  }
}
