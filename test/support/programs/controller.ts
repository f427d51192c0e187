// A real controller in this process, over TLS on loopback, with its own data folder.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { parseConfig } from '../../../controller/config.ts'
import { startController } from '../../../controller/wire.ts'
import { realClock, type Clock } from '../../../src/kernel/clock.ts'
import { silentLogger, type Logger } from '../../../src/kernel/log.ts'
import { openStore, type Opened } from '../../../src/store/open/open-store.ts'
import { giveEmbeddedDatabase } from '../databases/embedded-database.ts'
import { freshDatabase } from '../databases/fresh-database.ts'
import { localKeyRing } from '../keys.ts'
import { checkRestAnswer } from '../http/rest-answers.ts'
import { api, createAs, objectOf, system } from '../databases/store-fixtures.ts'
import type { TestDatabase } from '../databases/test-database.ts'

const masterKey = Buffer.alloc(32, 9)

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** The body as JSON. */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- a cast, said once
  json<T = Record<string, unknown>>(): T
}

interface RequestInit {
  readonly headers?: Record<string, string>
  readonly body?: unknown
  /** Sent as it is, in place of `body` as JSON. */
  readonly raw?: string | Buffer
}

export interface TestController {
  readonly url: string
  readonly dataDir: string
  readonly token: string
  readonly ca: string
  /** Logged in as the admin unless `headers` says otherwise (`authorization: ''` sends none). */
  call(method: string, path: string, init?: RequestInit): Promise<Answer>
  /** POSTs, and hangs up when `signal` aborts; resolves then, or with the answer. */
  abandon(path: string, init: RequestInit & { readonly signal: AbortSignal }): Promise<void>
  /** Opens a stream; the caller reads and destroys it. */
  open(path: string, headers?: Record<string, string>): Promise<IncomingMessage>
  kubeConfig(): KubeConfig
  /** Path of a kubeconfig file for kubectl. */
  writeKubeConfig(): Promise<string>
  /** Stops the server and keeps the folder. */
  stop(): Promise<void>
  remove(): Promise<void>
}

/** The store of such a controller on a server, as another replica opens it. */
export const openStoreOf = (
  { dataDir }: { readonly dataDir: string },
  databaseUrl: string,
): Promise<Opened> =>
  openStore({
    databaseUrl,
    dataDir,
    keyRing: localKeyRing(masterKey),
    clock: realClock,
    log: silentLogger,
  })

/** An agent that counts as connected for as long as the test lasts: without a stream it would soon be declared gone. */
export const connectAgent = async (
  { store, sql, replicas }: Opened,
  ref: { readonly namespace: string; readonly name: string },
): Promise<void> => {
  const agent = await createAs(store, api, objectOf('Agent', ref.namespace, ref.name))
  await sql.query(
    `INSERT INTO agent_connections (agent_uid, connection, replica, boot)
     SELECT $1, gen_random_uuid(), id, '' FROM replicas WHERE id <> $2 ORDER BY seen_at DESC LIMIT 1`,
    [agent.metadata.uid, replicas.id],
  )
  await store.write(system, {}, (tx) =>
    tx.setConditions({ kind: 'Agent', ...ref }, [
      { type: 'Ready', status: 'True', reason: 'Connected', message: '' },
    ]),
  )
}

/** The database of each data folder that had none given, for another start on it. */
const databases = new Map<string, TestDatabase>()

/** On a database of its own on the tests' server, unless `embedded` or `databaseUrl` says otherwise. */
export const startTestController = async (
  options: {
    databaseUrl?: string
    embedded?: boolean
    dataDir?: string
    argv?: string[]
    env?: Record<string, string | undefined>
    clock?: Clock
    log?: Logger
  } = {},
): Promise<TestController> => {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'stagely-controller-')))
  const isOwn = options.embedded !== true && options.databaseUrl === undefined
  const own = isOwn ? (databases.get(dataDir) ?? (await freshDatabase())) : undefined
  if (own !== undefined) databases.set(dataDir, own)
  const env = {
    STAGELY_SECRET_KEY: masterKey.toString('base64'),
    DATABASE_URL: options.databaseUrl ?? own?.url,
    ...options.env,
  }
  const isFresh = options.dataDir === undefined && env.DATABASE_URL === undefined
  // Without a key a controller wants its folder empty.
  if (isFresh && env.STAGELY_SECRET_KEY !== undefined) giveEmbeddedDatabase(dataDir)
  const argv = ['--data-dir', dataDir, '--listen', '127.0.0.1:0', ...(options.argv ?? [])]
  const running = await startController(
    parseConfig(argv, env),
    options.log ?? silentLogger,
    options.clock ?? realClock,
  )
  const token = (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim()
  const ca = await readFile(join(dataDir, 'ca.crt'), 'utf8')
  const send = (
    method: string,
    path: string,
    { headers, body, raw, signal }: RequestInit & { readonly signal?: AbortSignal },
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
      const all = {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        // Node frames no DELETE body by itself.
        ...(payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) }),
        ...headers,
      }
      const sent: RequestOptions = {
        method,
        ca,
        ...(signal === undefined ? {} : { signal }),
        headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
      }
      const ask = running.url.startsWith('https:') ? httpsRequest : httpRequest
      const request = ask(new URL(path, running.url), sent, resolve)
      // A refused body may end the connection after the answer.
      request.on('error', reject)
      request.end(payload)
    })
  return {
    url: running.url,
    dataDir,
    token,
    ca,
    call: async (method, path, init = {}) => {
      const response = await send(method, path, init)
      const chunks: Buffer[] = []
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
      const text = Buffer.concat(chunks).toString('utf8')
      const reply = { status: response.statusCode ?? 0, headers: response.headers, text }
      checkRestAnswer(method, path, reply)
      return {
        ...reply,
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the same
        json: <T>() => JSON.parse(text) as T,
      }
    },
    abandon: async (path, init) => {
      try {
        const response = await send('POST', path, init)
        await once(response.resume(), 'end', { signal: init.signal })
      } catch (error) {
        if (!init.signal.aborted) throw error
      }
    },
    open: (path, headers = {}) => send('GET', path, { headers }),
    kubeConfig: () => {
      const config = new KubeConfig()
      config.loadFromOptions(kubeConfigOptions(running.url, ca, token))
      return config
    },
    writeKubeConfig: async () => {
      const path = join(dataDir, 'kubeconfig')
      const config = new KubeConfig()
      config.loadFromOptions(kubeConfigOptions(running.url, ca, token))
      await writeFile(path, config.exportConfig(), { mode: 0o600 })
      return path
    },
    stop: () => running.stop(),
    remove: async () => {
      await running.stop()
      await own?.drop()
      databases.delete(dataDir)
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

const kubeConfigOptions = (server: string, ca: string, token: string): object => ({
  clusters: [
    { name: 'stagely', server, caData: Buffer.from(ca).toString('base64'), skipTLSVerify: false },
  ],
  users: [{ name: 'admin', token }],
  contexts: [{ name: 'stagely', cluster: 'stagely', user: 'admin', namespace: 'default' }],
  currentContext: 'stagely',
})
