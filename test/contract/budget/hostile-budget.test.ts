// Hostile requests of somebody who has a token, or none, while an admin writes and /healthz is asked.
// The budget: test/support/served.ts.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Order } from '../../support/client-process.ts'
import { bundled } from '../../support/bundled.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'
import {
  askHealth,
  attempts,
  expectServed as expectServedBy,
  slowestOf,
} from '../../support/served.ts'
import { soak } from '../../support/soak.ts'
import { createTestDatabase } from '../../support/databases/test-database.ts'

const base = '/apis/stagely.dev/v1alpha1/namespaces/default'
const selfReviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
const apiVersion = 'stagely.dev/v1alpha1'

const secretsOf = (count: number): object[] =>
  Array.from({ length: count }, (_, i) => ({
    apiVersion,
    kind: 'StagelySecret',
    metadata: { name: `reviewed-${i}` },
    spec: { projectRef: { name: 'shop' }, key: `REVIEWED_${i}`, value: `a long value ${i}` },
  }))

const times = <T>(count: number, fn: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => fn(i)))

/** Its own thread sends what is long. */
const startClient = (): ChildProcess => fork(bundled('client-process.ts'))
const sendBy = async (client: ChildProcess, order: Order): Promise<number[]> => {
  client.send(order)
  const ended = once(client, 'exit').then(([code]: unknown[]) => {
    throw new Error(`the client ended with ${String(code)}`)
  })
  const [statuses] = (await Promise.race([once(client, 'message'), ended])) as [number[]]
  return statuses
}

const databases = [
  ['PGlite', (): string | undefined => undefined],
  ['a Postgres server', (): string | undefined => inject('postgresUrl')],
] as const

for (const [name, serverUrl] of databases.slice(0, soak(1, databases.length))) {
  describe(`hostile requests on ${name}`, { timeout: 180_000 }, () => {
    let database: Awaited<ReturnType<typeof createTestDatabase>> | undefined
    let server: TestController
    let client: ChildProcess
    let developer: string
    let strangers = 0

    const health = (): Promise<void> => askHealth(server)
    const expectServed = (attack: () => Promise<unknown>): Promise<void> =>
      expectServedBy({ server, project: 'shop' }, attack)

    const call = (
      method: string,
      path: string,
      init: { raw?: string; body?: unknown; type?: string; token?: string } = {},
    ): Promise<Answer> =>
      server.call(method, path, {
        ...(init.raw === undefined ? {} : { raw: init.raw }),
        ...(init.body === undefined ? {} : { body: init.body }),
        headers: {
          authorization: `Bearer ${init.token ?? developer}`,
          'content-type': init.type ?? 'application/json',
        },
      })

    const review = (objects: unknown[], signal: AbortSignal): Promise<unknown> =>
      server.abandon(`${base}/changesetreviews`, {
        body: { kind: 'ChangeSetReview', spec: { objects } },
        headers: { authorization: `Bearer ${developer}` },
        signal,
      })

    /** Sent so many times at once, by a thread of its own. */
    const postAtOnce = (
      plural: string,
      { body, count, token }: { body: string; count: number; token: string },
    ): Promise<number[]> =>
      sendBy(client, {
        url: `${server.url}${base}/${plural}`,
        ca: server.ca,
        method: 'POST',
        body,
        times: count,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      })

    /** Of developers who have spent nothing of their budgets of work: one for each attempt. */
    const unspent: string[] = []
    /** Is known from its first request on, and so is not put off beside tokens that open nothing. */
    const tokenOf = async (name: string): Promise<string> => {
      const body = { name, role: 'developer' }
      const made = await server.call('POST', '/api/v1/teams/default/tokens', { body })
      const { token } = made.json<{ token: string }>()
      expect((await call('GET', `${base}/projects`, { token })).status).toBe(200)
      return token
    }

    beforeAll(async () => {
      client = startClient()
      const url = serverUrl()
      database = url === undefined ? undefined : await createTestDatabase(url)
      server = await startTestController({
        ...(database === undefined ? { embedded: true } : { databaseUrl: database.url }),
        argv: ['--failure-limit', '2'],
      })
      const project = { apiVersion, kind: 'Project', metadata: { name: 'shop' }, spec: {} }
      expect((await server.call('POST', `${base}/projects`, { body: project })).status).toBe(201)
      developer = await tokenOf('attacker')
      for (let i = 0; i < attempts; i += 1) unspent.push(await tokenOf(`attacker-${i}`))
    })
    afterAll(async () => {
      client.disconnect()
      await server.remove()
      await database?.drop()
    })

    it('of selectors of 15,000 commas, 16 at once, are refused', () =>
      expectServed(async () => {
        const query = `labelSelector=${','.repeat(15_000)}`
        const answers = await times(16, () => call('GET', `${base}/projects?${query}`))
        expect(answers.map(({ status }) => status)).toEqual(Array(16).fill(400))
      }))

    it('of YAML of 98,000 signs and of merged aliases, 4 of each at once, are refused', () =>
      expectServed(async () => {
        const flow = `{${Array.from({ length: 49_000 }, (_, i) => `k${i}: 1`).join()}}`
        const pairs = Array.from({ length: 2_000 }, (_, i) => `k${i}: 1`).join()
        const merges = `a: &a {${pairs}}\nb:\n${'  - <<: *a\n'.repeat(1_000)}`
        const type = 'application/yaml'
        const answers = await times(4, async () => [
          await call('POST', selfReviews, { raw: flow, type }),
          await call('POST', `${base}/stagelysecrets`, { raw: flow, type }),
          await call('POST', `${base}/stagelysecrets`, { raw: merges, type }),
        ])
        expect(answers.flat().map(({ status }) => status)).toEqual(Array(12).fill(413))
      }))

    it('of 12 long reviews at once hold no more bytes than the budget of bodies', () =>
      expectServed(async () => {
        const objects = [{ kind: 'Project', metadata: { name: 'x' }, spec: 'x'.repeat(4_000_000) }]
        const body = JSON.stringify({ kind: 'ChangeSetReview', spec: { objects } })
        const statuses = await postAtOnce('changesetreviews', { body, count: 12, token: developer })
        expect(statuses).toHaveLength(12)
        for (const status of statuses) expect([201, 429]).toContain(status)
      }))

    it('of four reviews of many objects, whose clients leave, hold up no write and are given up', async () => {
      const objects = secretsOf(serverUrl() === undefined ? 1_000 : 2_000)
      await expectServed(() => times(4, () => review(objects, AbortSignal.timeout(3_000))))
      const small = await call('POST', `${base}/changesetreviews`, {
        body: { kind: 'ChangeSetReview', spec: { objects: secretsOf(2) } },
      })
      expect(small.json<{ status: { changes: unknown[] } }>().status.changes).toHaveLength(2)
      expect((await server.call('GET', '/readyz')).text).toBe('ok')
      const listed = await server.call('GET', `${base}/stagelysecrets`)
      expect(listed.text).not.toContain('reviewed-')
    })

    it('of 90,000 labels that are none, 6 at once, and of 15,000 faults are refused', () =>
      expectServed(async () => {
        const labels = Array.from({ length: 90_000 }, (_, i) => `"-${i}":""`).join()
        const files = `[${'1,'.repeat(15_000)}1]`
        const objectWith = (metadata: string, spec: string): string =>
          `{"apiVersion":"${apiVersion}","kind":"Stagelet","metadata":{"name":"w"${metadata}},"spec":${spec}}`
        const bodies = [
          objectWith(`,"labels":{${labels}}`, '{}'),
          objectWith('', `{"compose":{"files":${files}}}`),
        ]
        for (const body of bodies) {
          const given = { body, count: 6, token: server.token }
          expect(await postAtOnce('stagelets', given)).toEqual(Array(6).fill(422))
        }
      }))

    it('of strangers, on ever other routes by ever other methods, make the metrics no dearer', () =>
      expectServed(async () => {
        const metrics = async (): Promise<string> => (await server.call('GET', '/metrics')).text
        const before = (await metrics()).length
        const methods = ['GET', 'PUT', 'PROPFIND', 'SEARCH']
        await times(200, (i) =>
          server.call(methods[i % 4]!, `/api/v1/projects/p${i}/secrets`, {
            headers: { authorization: '' },
          }),
        )
        await expect.poll(async () => (await metrics()).length - before).toBeLessThan(30_000)
      }))

    it('of agents that are none, 16 at once, are refused', () =>
      expectServed(async () => {
        const answers = await times(16, () => call('POST', '/agent/v1/join', { body: {} }))
        for (const { status } of answers) expect(status).toBeGreaterThanOrEqual(400)
      }))

    it('with tokens that open nothing are put off, but for whoever was known before', async () => {
      expect((await call('GET', `${base}/projects`)).status).toBe(200)
      await expectServed(async () => {
        const answers: Answer[] = []
        for (let round = 0; round < 3; round++)
          answers.push(
            ...(await times(16, () =>
              call('GET', `${base}/projects`, { token: `spt_${(strangers += 1)}` }),
            )),
          )
        const last = answers.at(-1)!
        expect([last.status, Number(last.headers['retry-after']) > 0]).toEqual([429, true])
      })
      expect((await call('GET', `${base}/projects`)).status).toBe(200)
    })

    /** In environments that have to differ. */
    const dependent = {
      'a thousand others refer to': Array.from({ length: 1_000 }, (_, i) => ({
        key: `URL_${i}`,
        references: true,
        value: `https://\${BASE}/${i}`,
      })),
      'a hundred others follow': Array.from({ length: 100 }, (_, i) => ({
        key: `SAME_${i}`,
        value_from: { secretRef: { name: 'followed-base' } },
      })),
    }
    it.each(Object.entries(dependent))('of a value that %s, 3 at once', async (_, others) => {
      const project = others.length > 100 ? 'referred' : 'followed'
      const name = `${project}-base`
      const post = async (path: string, body: unknown): Promise<void> => {
        const answer = await server.call('POST', path, { body })
        expect(answer.status, answer.text.slice(0, 500)).toBeLessThan(300)
      }
      const environments = [
        { name: 'production' },
        { name: 'preview', differs_from: ['production'] },
      ]
      await post('/api/v1/projects', { name: project, environments })
      const spec = { projectRef: { name: project }, key: 'BASE', environments: ['preview'] }
      await post(`${base}/stagelysecrets`, {
        apiVersion,
        kind: 'StagelySecret',
        metadata: { name },
        spec: { ...spec, value: 'the first value' },
      })
      const inPreview = { op: 'create', scope: 'global', environments: ['preview'] }
      for (let from = 0; from < others.length; from += 500)
        await post(`/api/v1/projects/default%2F${project}/secrets/batch`, {
          operations: others.slice(from, from + 500).map((one) => ({ ...inPreview, ...one })),
        })
      let given = 0
      await expectServed(() =>
        times(3, async () => {
          const body = { spec: { value: `a new value ${(given += 1)}` } }
          const type = 'application/merge-patch+json'
          const path = `${base}/stagelysecrets/${name}`
          expect([200, 429]).toContain((await call('PATCH', path, { body, type })).status)
        }),
      )
    })

    it('of batches of 500 changes, 12 of one person at once, are done one by one, and then put off', async () => {
      const path = '/api/v1/projects/default%2Fshop/secrets/batch'
      const post = (operations: object[], token: string, dry_run = false): Promise<Answer> =>
        call('POST', path, { body: { operations, dry_run }, token })
      const keys = Array.from({ length: 500 }, (_, i) => `KEY_${i}`)
      const made = await post(
        keys.map((key) => ({ op: 'create', key, value: `a value of ${key}` })),
        server.token,
      )
      expect(made.status).toBe(200)
      const { results } = made.json<{ results: { id: string }[] }>()
      const read = async (): Promise<void> => {
        expect((await server.call('GET', '/api/v1/projects/default%2Fshop')).status).toBe(200)
      }
      // A read has more turns than /healthz, and waits in each.
      const isOver = ([ofHealth = 0, ofRead = 0]: number[]): boolean =>
        ofHealth > 100 || ofRead > 500
      const seen: number[][] = []
      do {
        const person = unspent[seen.length]!
        const flood = times(12, (i) =>
          post(
            results.map(({ id }) => ({ op: 'update', id, value: `${seen.length}-${i} of ${id}` })),
            person,
            i > 0,
          ),
        )
        const slowest = await Promise.all([slowestOf(health, flood), slowestOf(read, flood)])
        seen.push(slowest)
        const answers = await flood
        const statuses = new Set(answers.map(({ status }) => status))
        expect(statuses).toEqual(new Set([200, 429]))
        for (const { status, headers } of answers)
          if (status === 429) expect(Number(headers['retry-after'])).toBeGreaterThan(0)
      } while (isOver(seen.at(-1)!) && seen.length < attempts)
      expect(isOver(seen.at(-1)!), JSON.stringify(seen)).toBe(false)
      // A small request of the same person is no part of it.
      expect((await call('GET', `${base}/projects`)).status).toBe(200)
    })
  })
}
