import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { expect, it } from 'vitest'
import type { AppEnv } from '../env.ts'
import { createMetrics } from './metrics.ts'

const env = { outgoing: { headersSent: false } } as unknown as HttpBindings

it('makes no series of what a stranger asks: each route, by each method', async () => {
  const metrics = createMetrics('test')
  const app = new Hono<AppEnv>()
  app.use(metrics.middleware)
  const paths = Array.from({ length: 200 }, (_, i) => `/route-${i}`)
  for (const path of paths) app.all(path, (c) => c.text('who are you', 401))
  app.get('/open', (c) => c.text('ok'))
  const ask = (method: string, path: string): Promise<Response> =>
    Promise.resolve(app.request(path, { method }, env))
  for (const path of [...paths, '/nowhere'])
    for (const method of ['GET', 'DELETE', 'PROPFIND', 'X', 'Y']) await ask(method, path)
  await ask('GET', '/open')
  const text = await metrics.registry.metrics()
  const series = text.match(/^stagely_http_request_seconds_count\{.*$/gm) ?? []
  // 401 and 404, each by GET, DELETE and other; and the one that was answered.
  expect(series).toHaveLength(7)
  expect(text).toContain('route="/open"')
  expect(text).not.toContain('route-')
  expect(text).not.toContain('PROPFIND')
})

it('renders once a second, whoever asks', async () => {
  const clock = { now: 0, monotonic: () => clock.now }
  const metrics = createMetrics('test', clock)
  let rendered = 0
  metrics.watchLeader(
    () => ++rendered > 0,
    () => ({ deposed: 0, refused: 0 }),
  )
  const texts = await Promise.all(Array.from({ length: 50 }, () => metrics.render()))
  expect(new Set(texts).size).toBe(1)
  clock.now = 999
  expect(await metrics.render()).toBe(texts[0])
  expect(rendered).toBe(1)
  clock.now = 1_000
  await metrics.render()
  expect(rendered).toBe(2)
})
