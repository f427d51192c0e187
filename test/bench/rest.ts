// rest_create, rest_list_1000, bundle_read: with 1 and with 16 clients at once, on a real Postgres
// server as shipped (fsync on). A bundle read opens all 1,000 values of a project's set.
import { Agent, request } from 'node:https'
import {
  openStoreOf,
  startTestController,
  type TestController,
} from '../support/programs/controller.ts'
import { anyPostgres } from '../support/databases/postgres-server.ts'
import { createTestDatabase } from '../support/databases/test-database.ts'
import { cpuAsyncMs, median, percentile, ratioRow, timeAsyncMs, type Row } from './measure.ts'

const secretCount = 1_000

type Send = (method: string, path: string, body?: object) => Promise<string>

const clientOf = ({ url, ca, token }: TestController): { send: Send; close: () => void } => {
  const agent = new Agent({ keepAlive: true, maxSockets: 16, ca })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const send: Send = (method, path, body) =>
    new Promise((resolve, reject) => {
      const sent = request(`${url}/api/v1${path}`, { method, agent, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => {
          if ((response.statusCode ?? 500) < 300) resolve(text)
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
        })
      })
      sent.on('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  return {
    send,
    close: () => {
      agent.destroy()
    },
  }
}

/** Each of the clients does its share, one call after another. */
const rowOf = async (
  name: string,
  clients: number,
  rounds: number,
  work: (call: number) => Promise<unknown>,
): Promise<Row> => {
  const times: number[] = []
  let next = 0
  const client = async (): Promise<void> => {
    while (next < rounds) {
      const call = next++
      times.push(await timeAsyncMs(() => work(call)))
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  const p99 = Number(percentile(times, 0.99).toFixed(2))
  return { name: `${name}_c${clients}_ms`, value: median(times), unit: 'ms', p99 }
}

/** Half of the secrets name an environment each, if there are any. */
const fill = async (send: Send, name: string, environments: readonly string[]): Promise<string> => {
  await send('POST', '/projects', {
    name,
    environments: environments.map((each) => ({ name: each })),
  })
  const project = `/projects/default%2F${name}`
  for (let from = 0; from < secretCount; from += 500) {
    const operations = Array.from({ length: 500 }, (_, i) => ({
      op: 'create',
      key: `KEY_${from + i}`,
      value: `value-of-the-bench-${from + i}`,
      ...(environments.length > 0 &&
        i % 2 === 0 && { environments: [environments[(i / 2) % environments.length]] }),
    }))
    await send('POST', `${project}/secrets/batch`, { operations })
  }
  return project
}

const measure = async (
  controller: TestController,
  databaseUrl: string,
  rounds: number,
): Promise<Row[]> => {
  const { send, close } = clientOf(controller)
  const opened = await openStoreOf(controller, databaseUrl)
  try {
    const project = await fill(send, 'bench', [])
    const environments = ['dev', 'preview', 'production', 'qa', 'staging']
    const divided = await fill(send, 'divided', environments)
    const uid = (await opened.store.get({ kind: 'Project', namespace: 'default', name: 'bench' }))!
      .metadata.uid!
    const { closed } = await opened.store.revisionsOf(uid)
    await send('POST', '/projects', { name: 'made' })
    const rows: Row[] = []
    for (const clients of [1, 16]) {
      const create = (call: number): Promise<unknown> => {
        const body = { key: `NEW_${clients}_${call}`, value: 'value-of-the-bench' }
        return send('POST', '/projects/default%2Fmade/secrets', body)
      }
      const list = (): Promise<unknown> => send('GET', `${project}/secrets`)
      const read = (call: number): Promise<unknown> => {
        const delivery = { stagelet: `bench-${clients}-${call}`, agent: 'bench' }
        return opened.store.openSet(uid, closed, delivery)
      }
      rows.push(await rowOf('rest_create', clients, rounds * 4, create))
      rows.push(await rowOf('rest_list_1000', clients, rounds, list))
      rows.push(await rowOf('bundle_read', clients, rounds, read))
    }
    const lists: [number[], number[]] = [[], []]
    for (let i = 0; i < Math.max(rounds, 200); i += 1)
      for (const [at, of] of [project, divided].entries())
        lists[at]!.push(await cpuAsyncMs(() => send('GET', `${of}/secrets`)))
    rows.push(ratioRow('rest_list_5_environments_ratio', lists))
    return rows
  } finally {
    await opened.close()
    close()
  }
}

export const benchRest = async (rounds: number): Promise<Row[]> => {
  const postgres = await anyPostgres()
  const database = await createTestDatabase(postgres.url)
  try {
    const argv = ['--rate-limit', '0']
    const controller = await startTestController({ databaseUrl: database.url, argv })
    try {
      return await measure(controller, database.url, rounds)
    } finally {
      await controller.remove()
    }
  } finally {
    await database.drop()
    await postgres.stop()
  }
}
