// store_*: a store of secrets elsewhere. What 10,000 secrets of one cost while nothing changes, on a real
// Postgres server; and how long a change there takes to a running container, with a notification, over plain
// `docker compose up`. AWS is a stand-in for the first and moto for the second.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { freePort, until } from '../../scripts/lib/processes.ts'
import { pathsIn, startController, type Controller } from '../../scripts/lib/stagely.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { openStore } from '../../src/store/open/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { localKeyRing } from '../support/keys.ts'
import { anyPostgres } from '../support/databases/postgres-server.ts'
import { objectOf } from '../support/databases/store-fixtures.ts'
import { createTestDatabase } from '../support/databases/test-database.ts'
import { openApiClient } from './client.ts'
import type { Row } from './measure.ts'
import { cpuMs, memoryMb, settled } from './proc.ts'

const secrets = 10_000
const inProject = 500
const inPage = 100
const actor = { name: 'bench', source: 'api', authority: 'whole' as const }
const credential = JSON.stringify({ accessKeyId: 'AKIDBENCH', secretAccessKey: 'bench' })

interface StandIn {
  readonly url: string
  calls: number
  close(): void
}

const versionOf = (i: number): string => `version-of-secret-${String(i).padStart(20, '0')}`
const who = `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/bench</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`

const answerTo = (target: string, body: Record<string, unknown>): object => {
  if (target.endsWith('.ListSecrets')) {
    const from = Number(body['NextToken'] ?? 0)
    const SecretList = Array.from({ length: inPage }, (_, i) => ({
      Name: `prod/${from + i}`,
      ARN: `arn:aws:secretsmanager:eu-central-1:1:secret:prod/${from + i}-AbCdEf`,
      SecretVersionsToStages: { [versionOf(from + i)]: ['AWSCURRENT'] },
    }))
    const next = from + inPage
    return { SecretList, ...(next < secrets ? { NextToken: String(next) } : {}) }
  }
  const SecretValues = (body['SecretIdList'] as string[]).map((Name) => ({
    Name,
    VersionId: versionOf(Number(Name.slice(5))),
    SecretString: `value of ${Name}`,
  }))
  return { SecretValues }
}

const textOf = async (message: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const part of message.setEncoding('utf8') as AsyncIterable<string>) text += part
  return text
}

/** AWS with secrets that never change. */
const startStandIn = async (): Promise<StandIn> => {
  const server = createServer((asked, response) => {
    void textOf(asked).then((text) => {
      standIn.calls += 1
      const target = asked.headers['x-amz-target']
      const isSts = target === undefined
      response.setHeader('content-type', isSts ? 'text/xml' : 'application/x-amz-json-1.1')
      const body = isSts ? {} : (JSON.parse(text) as Record<string, unknown>)
      response.end(isSts ? who : JSON.stringify(answerTo(String(target), body)))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const standIn: StandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: 0,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
  return standIn
}

const fill = async (store: Store, url: string): Promise<void> => {
  const projects = Array.from({ length: secrets / inProject }, (_, i) => `p-${i}`)
  for (const [p, project] of projects.entries())
    await store.write(actor, { changeSet: { id: project, last: true } }, async (tx) => {
      await tx.create(objectOf('Project', 'default', project))
      for (let i = p * inProject; i < (p + 1) * inProject; i++) {
        const valueFrom = { external: { store: 'aws', key: `prod/${i}` } }
        const spec = { projectRef: { name: project }, key: `KEY_${i}`, valueFrom }
        await tx.create(objectOf('StagelySecret', 'default', `key-${i}`, spec))
      }
    })
  await store.write(actor, {}, async (tx) => {
    const token = { projectRef: { name: 'p-0' }, key: 'TOKEN', audience: 'Controller' }
    await tx.create(objectOf('StagelySecret', 'default', 'token', { ...token, value: credential }))
    await tx.create(
      objectOf('SecretStore', 'default', 'aws', {
        aws: { region: 'eu-central-1', endpoint: url, stsEndpoint: url },
        auth: { secretRef: { name: 'token' } },
        allow: { projects, remote: ['prod/*'] },
        // The first fetch of all is not what is measured here.
        refresh: { every: '5m', maxCallsPerMinute: 10_000 },
      }),
    )
  })
}

/** Of /metrics; NaN while it is not there. */
const metricOf = ({ url, env }: Controller, name: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(`${url}/metrics`, { ca: readFileSync(env.STAGELY_CA_FILE) }, (answer) => {
      textOf(answer).then((text) => {
        const line = text.split('\n').find((one) => one.startsWith(`${name}{`))
        resolve(Number(line?.slice(line.lastIndexOf(' ') + 1) ?? NaN))
      }, reject)
    })
    sent.once('error', reject)
    sent.end()
  })

/** Resolves at the end of the next look at the whole store. */
const nextLook = async (controller: Controller): Promise<void> => {
  const last = (): Promise<number> =>
    metricOf(controller, 'stagely_stores_last_look_timestamp_seconds')
  const before = await last()
  await until(
    async () => ((await last()) > (Number.isNaN(before) ? 0 : before) ? true : undefined),
    900_000,
    () => new Error('the store was not looked at within 15 minutes'),
    1_000,
  )
}

const path = '/apis/stagely.dev/v1alpha1/namespaces/default/stagelysecrets'

const measure = async (controller: Controller, standIn: StandIn, looks: number): Promise<Row[]> => {
  const api = openApiClient(controller)
  const { pid } = controller.server
  const list = async (query: string): Promise<{ now: number; all: number[] }> => {
    interface Metadata {
      readonly resourceVersion: string
    }
    const { metadata, items } = (await api.call('GET', `${path}${query}`)) as {
      readonly metadata: Metadata
      readonly items: readonly { readonly metadata: Metadata }[]
    }
    const all = items.map((item) => Number(item.metadata.resourceVersion))
    return { now: Number(metadata.resourceVersion), all }
  }
  try {
    // The first one fetches all, and all is judged after it.
    await nextLook(controller)
    await settled(controller.server.pid)
    await nextLook(controller)
    const before = await list('?limit=1')
    const start = { cpu: cpuMs(pid), calls: standIn.calls, at: performance.now() }
    for (let i = 0; i < looks; i++) await nextLook(controller)
    const cpu = cpuMs(pid) - start.cpu
    const minutes = (performance.now() - start.at) / 60_000
    const calls = standIn.calls - start.calls
    const after = await list('')
    const common = { looks, minutes: Number(minutes.toFixed(1)), secrets }
    const writes = after.all.filter((version) => version > before.now).length
    return [
      { name: 'store_10000_calls_per_min', value: calls / minutes, unit: '1/min', ...common },
      {
        name: 'store_10000_idle_cpu_ms_per_min',
        value: cpu / minutes,
        unit: 'ms',
        rss_mb: Math.round(memoryMb(pid, 'VmRSS')),
        ...common,
      },
      {
        name: 'store_look_writes',
        value: writes / looks,
        unit: 'objects',
        writes_of_all_kinds: after.now - before.now,
        ...common,
      },
    ]
  } finally {
    api.close()
  }
}

export const benchIdleStore = async (looks: number): Promise<Row[]> => {
  const postgres = await anyPostgres()
  const dir = mkdtempSync(`${tmpdir()}/stagely-bench-stores-`)
  const masterKey = randomBytes(32)
  const standIn = await startStandIn()
  try {
    const database = await createTestDatabase(postgres.url)
    const opened = await openStore({
      databaseUrl: database.url,
      dataDir: dir,
      keyRing: localKeyRing(masterKey),
      clock: realClock,
      log: silentLogger,
    })
    await fill(opened.store, standIn.url).finally(() => opened.close())
    const controller = await startController(pathsIn(dir), {
      port: await freePort(0),
      databaseUrl: database.url,
      masterKey: masterKey.toString('base64'),
      env: { STAGELY_EGRESS_ALLOW: '127.0.0.1' },
    })
    try {
      return await measure(controller, standIn, looks)
    } finally {
      await controller.server.stop()
      await database.drop()
    }
  } finally {
    standIn.close()
    rmSync(dir, { recursive: true, force: true })
    await postgres.stop()
  }
}
