// Readers and writers of a running controller, by REST: what they were answered is what must hold.
import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import type { World } from './programs/processes.ts'

interface RestAnswer {
  readonly status: number
  readonly body: Record<string, unknown>
}

export type Rest = (method: string, path: string, body?: object) => Promise<RestAnswer>

/** Calls of the REST API as the admin. Rejects only where there was no answer at all. */
export const restOf = async (world: World): Promise<Rest> => {
  const ca = await readFile(join(world.controllerDir, 'ca.crt'))
  const token = (await readFile(join(world.controllerDir, 'admin-token'), 'utf8')).trim()
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ca })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const sent = request(`${world.url}/api/v1${path}`, { method, agent, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.once('error', reject)
        response.on('end', () => {
          const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
          resolve({ status: response.statusCode ?? 0, body })
        })
      })
      sent.once('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
}

export interface Load {
  /** True while answers may be missing, because the controller was killed. */
  mayBeAway: boolean
  /** Ends it. Throws when anything was refused, or an acknowledged value is not there. */
  stop(): Promise<{ reads: number; writes: number }>
}

/** Of each reader and writer, ms: they are not to keep processors busy. */
const restMs = 500

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** One writer for each key and as many readers; `project` holds the keys LOAD_0, LOAD_1 … already. */
export const startLoad = (rest: Rest, project: string, keys: number): Load => {
  const wrong: string[] = []
  const counts = { reads: 0, writes: 0 }
  const acknowledged = new Map<string, number>()
  const sent = new Map<string, number>()
  let on = true
  const load = { mayBeAway: false }

  /** Undefined where nobody answered, which is told unless the controller was killed just now. */
  const ask = async (...call: Parameters<Rest>): Promise<RestAnswer | undefined> => {
    const wasAway = load.mayBeAway
    try {
      const answer = await rest(...call)
      if (answer.status === 200) return answer
      wrong.push(`${call[0]} ${call[1]}: ${answer.status} ${JSON.stringify(answer.body)}`)
    } catch (error) {
      if (!wasAway && !load.mayBeAway) wrong.push(`${call[0]} ${call[1]}: ${String(error)}`)
    }
    await pause(restMs)
    return undefined
  }
  const numberOf = (answer: RestAnswer): number =>
    Number(String(answer.body['value']).split(' ').at(-1))
  const path = (key: string): string => `/projects/${project}/secrets/${key}`

  const write = async (key: string): Promise<void> => {
    for (let i = 1; on; i++) {
      sent.set(key, i)
      if ((await ask('PATCH', path(key), { value: `load value ${i}` })) === undefined) continue
      acknowledged.set(key, i)
      counts.writes++
      await pause(restMs)
    }
  }
  /** What is read is no older than what was acknowledged before, and was really written. */
  const check = async (key: string): Promise<void> => {
    const least = acknowledged.get(key) ?? 0
    const answer = await ask('POST', `${path(key)}/reveal`, {})
    if (answer === undefined) return
    counts.reads++
    const found = numberOf(answer)
    if (!(found >= least && found <= (sent.get(key) ?? 0)))
      wrong.push(`${key}: read ${found}, acknowledged was ${least}`)
  }
  const read = async (key: string): Promise<void> => {
    while (on) {
      await check(key)
      await pause(restMs)
    }
  }
  const names = Array.from({ length: keys }, (_, i) => `load-${i}.global`)
  const running = names.flatMap((name) => [write(name), read(name)])
  return Object.assign(load, {
    stop: async () => {
      on = false
      await Promise.all(running)
      for (const name of names) await check(name)
      if (wrong.length > 0) throw new Error(wrong.slice(0, 10).join('\n'))
      return counts
    },
  })
}
