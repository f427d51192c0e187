// Watchers of @kubernetes/client-node through all that can go wrong, on real Postgres: thousands of
// writes by 16 writers while the server restarts, watches are cut mid-line, one transaction stays open for two
// seconds, and the change feed is compacted. Nothing is missed, nothing comes twice.
import { randomUUID } from 'node:crypto'
import { Agent as HttpsAgent, request } from 'node:https'
import {
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  Watch,
  type KubernetesObject,
} from '@kubernetes/client-node'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { startCuttingProxy, type CuttingProxy } from '../../support/http/cutting-proxy.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import type { TestDatabase } from '../../support/databases/test-database.ts'
import { soak } from '../../support/soak.ts'

const apiVersion = 'stagely.dev/v1alpha1'
const path = `/apis/${apiVersion}/namespaces/default/agents`
const writes = soak(250, 20_000)
const writers = 16
const namesPerWriter = soak(6, 40)

let database: TestDatabase
let server: TestController
let proxy: CuttingProxy
let sql: pg.Client

const portOf = (): number => Number(new URL(server.url).port)
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

beforeAll(async () => {
  database = await freshDatabase()
  server = await startTestController({ databaseUrl: database.url })
  proxy = await startCuttingProxy(portOf())
  sql = new pg.Client({ connectionString: database.url })
  await sql.connect()
})
afterAll(async () => {
  await sql.end()
  await proxy.close()
  await server.remove()
  await database.drop()
})

const configThroughProxy = (): KubeConfig => {
  const direct = server.kubeConfig()
  const config = new KubeConfig()
  config.loadFromOptions({
    clusters: [{ ...direct.clusters[0]!, server: `https://127.0.0.1:${proxy.port}` }],
    users: direct.users,
    contexts: direct.contexts,
    currentContext: direct.currentContext,
  })
  return config
}

const keepAlive = new HttpsAgent({ keepAlive: true, maxSockets: writers })
const send = (method: string, url: string, body?: unknown): Promise<number> =>
  new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body)
    const headers = {
      authorization: `Bearer ${server.token}`,
      'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
      'content-length': String(Buffer.byteLength(text)),
    }
    const options = { method, ca: server.ca, agent: keepAlive, headers }
    const sent = request(new URL(url, server.url), options, (response) => {
      response.resume().once('end', () => {
        resolve(response.statusCode ?? 0)
      })
    })
    sent.once('error', reject)
    sent.end(text)
  })

/** 16 writers that create, change and delete; what a restart interrupts is tried again. */
/** They write on until `end` is called. */
const startWriters = (): { written: () => number; end: () => Promise<void> } => {
  let written = 0
  let isOver = false
  const write = async (writer: number): Promise<void> => {
    for (let i = 0; !isOver; i++) {
      const name = `w${writer}-${i % namesPerWriter}`
      const round = Math.floor(i / namesPerWriter)
      const [method, url, body]: [string, string, unknown?] =
        round % 4 === 0
          ? ['POST', path, { apiVersion, kind: 'Agent', metadata: { name } }]
          : round % 4 === 3
            ? ['DELETE', `${path}/${name}`]
            : ['PATCH', `${path}/${name}`, { metadata: { labels: { round: String(round) } } }]
      for (;;) {
        try {
          const status = await send(method, url, body)
          if (status < 300) written++
          else if (![404, 409].includes(status)) throw new Error(`${method}: ${status}`)
          break
        } catch {
          await sleep(50)
        }
      }
    }
  }
  const all = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  return {
    written: () => written,
    end: async () => {
      isOver = true
      await all
    },
  }
}

interface Segment {
  /** Version of the list that it follows on. */
  readonly from: number
  readonly seen: number[]
}

/** A watcher as the documents describe it: list, watch from there, go on after the last version seen; list again on 410. */
const followRaw = (
  config: KubeConfig,
): { segments: Segment[]; last: () => number; stop: () => void } => {
  const segments: Segment[] = []
  let open: AbortController | undefined
  let stopped = false
  const last = (): number => segments.at(-1)?.seen.at(-1) ?? segments.at(-1)?.from ?? 0
  const list = async (): Promise<void> => {
    const { metadata } = await KubernetesObjectApi.makeApiClient(config).list(
      apiVersion,
      'Agent',
      'default',
    )
    segments.push({ from: Number(metadata?.resourceVersion), seen: [] })
  }
  const watch = (): Promise<void> =>
    new Promise((resolve) => {
      let expired = false
      const onEvent = (type: string, object: KubernetesObject & { code?: number }): void => {
        if (type === 'ERROR') expired = object.code === 410
        else if (type !== 'BOOKMARK')
          segments.at(-1)!.seen.push(Number(object.metadata?.resourceVersion))
      }
      const onEnd = (): void => {
        if (expired) void list().then(resolve, resolve)
        else resolve()
      }
      new Watch(config)
        .watch(path, { resourceVersion: String(last()) }, onEvent, onEnd)
        .then((request) => {
          open = request
        }, onEnd)
    })
  const run = async (): Promise<void> => {
    await list()
    while (!stopped) {
      await watch()
      await sleep(20)
    }
  }
  void run()
  return {
    segments,
    last,
    stop: () => {
      stopped = true
      open?.abort()
    },
  }
}

/** What an informer keeps, by name. The informer of 1.4 stops on errors: it is started again. */
const followByInformer = async (
  config: KubeConfig,
): Promise<{ copy: Map<string, string>; stop(): Promise<void> }> => {
  const api = KubernetesObjectApi.makeApiClient(config)
  const copy = new Map<string, string>()
  let stopped = false
  const informer = makeInformer<KubernetesObject>(config, path, () =>
    api.list(apiVersion, 'Agent', 'default'),
  )
  const keep = ({ metadata }: KubernetesObject): void => {
    copy.set(metadata?.name ?? '', metadata?.resourceVersion ?? '')
  }
  informer.on('add', keep)
  informer.on('update', keep)
  informer.on('delete', ({ metadata }) => copy.delete(metadata?.name ?? ''))
  const again = (): void => {
    if (!stopped) void sleep(50).then(() => informer.start().catch(again))
  }
  informer.on('error', again)
  await informer.start()
  return {
    copy,
    stop: async () => {
      stopped = true
      await informer.stop()
    },
  }
}

const restart = async (meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<void> => {
  await server.stop()
  await meanwhile()
  server = await startTestController({ databaseUrl: database.url, dataDir: server.dataDir })
  proxy.target = portOf()
}

/** A transaction of another process that takes its version first and commits two seconds later. */
const holdOpen = async (): Promise<void> => {
  await sql.query('BEGIN')
  const { rows } = await sql.query<{ rv: string }>('UPDATE counters SET rv = rv + 1 RETURNING rv')
  const rv = Number(rows[0]!.rv)
  const uid = randomUUID()
  const metadata = { uid, name: 'held', namespace: 'default', resourceVersion: String(rv) }
  const body = JSON.stringify({ apiVersion, kind: 'Agent', metadata, spec: {} })
  await sql.query(
    `INSERT INTO objects (uid, kind, namespace, name, rv, source, body)
     VALUES ($1, 'Agent', 'default', 'held', $2, 'api', $3)`,
    [uid, rv, body],
  )
  await sql.query(
    `INSERT INTO changes (rv, type, kind, namespace, name, uid, source, body, created_at)
     VALUES ($1, 'ADDED', 'Agent', 'default', 'held', $2, 'api', $3, $4)`,
    [rv, uid, body, Date.now()],
  )
  await sleep(2_000)
  await sql.query('COMMIT')
}

describe('watchers', () => {
  it('miss nothing and see nothing twice', { timeout: 200_000 + writes * 100 }, async () => {
    const config = configThroughProxy()
    const raw = followRaw(config)
    const informer = await followByInformer(config)
    await expect.poll(() => raw.segments.length).toBe(1)
    const { written, end } = startWriters()
    const reached = async (share: number): Promise<void> => {
      while (written() < writes * share) await sleep(20)
    }
    const known = new Set<number>()
    const note = async (): Promise<void> => {
      const { rows } = await sql.query<{ rv: string }>(
        "SELECT rv FROM changes WHERE kind = 'Agent'",
      )
      for (const { rv } of rows) known.add(Number(rv))
    }

    /** Both who follow are cut off in the midst of a line. */
    const cut = async (): Promise<void> => {
      const before = proxy.cuts
      await expect
        .poll(() => {
          proxy.cutMidway()
          return proxy.cuts
        })
        .toBeGreaterThanOrEqual(before + 2)
    }

    await reached(0.1)
    await cut()
    await reached(0.3)
    await holdOpen()
    await reached(0.5)
    await restart()
    await reached(0.6)
    await cut()
    await reached(0.75)
    await note()
    const caughtUp = Math.max(...known)
    await expect.poll(raw.last).toBeGreaterThanOrEqual(caughtUp)
    let unseen = -written()
    await restart(async () => {
      await note()
      // As compaction leaves it, after ten minutes away.
      await sql.query('DELETE FROM changes')
      await sql.query('UPDATE counters SET rv = rv + 1, compacted_rv = rv + 1')
    })
    await expect.poll(() => raw.segments.length).toBe(2)
    unseen += written()
    await reached(1 + unseen / writes)
    await end()
    await note()

    const list = async (): Promise<{ version: number; items: Map<string, string> }> => {
      const answer = await server.call('GET', path)
      const { metadata, items } = answer.json<{
        metadata: { resourceVersion: string }
        items: { metadata: { name: string; resourceVersion: string } }[]
      }>()
      const entries = items.map((i) => [i.metadata.name, i.metadata.resourceVersion] as const)
      return { version: Number(metadata.resourceVersion), items: new Map(entries) }
    }
    const { items } = await list()
    const newest = Math.max(...known)
    await expect.poll(raw.last).toBeGreaterThanOrEqual(newest)
    const sorted = (map: ReadonlyMap<string, string>): [string, string][] => [...map].sort()
    await expect.poll(() => sorted(informer.copy)).toEqual(sorted(items))
    raw.stop()
    await informer.stop()

    expect(proxy.cuts).toBeGreaterThanOrEqual(4)
    expect(items.has('held')).toBe(true)
    // One list at the start and one after the compaction; in between every change once, in order.
    expect(raw.segments.length).toBe(2)
    for (const { from, seen } of raw.segments) {
      const until = seen.at(-1) ?? from
      const happened = [...known].filter((rv) => rv > from && rv <= until).sort((a, b) => a - b)
      expect(seen).toEqual(happened)
    }
    const counted = raw.segments.reduce((sum, { seen }) => sum + seen.length, 0)
    console.info(
      `${counted} of ${written()} writes seen, each once and in order; ${proxy.cuts} cuts`,
    )
    // What was written around the compaction, until both had listed again, is in the list alone.
    expect(counted).toBeGreaterThan((written() - unseen) * soak(0.8, 0.9))
  })
})
