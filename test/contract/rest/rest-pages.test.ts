// Every list comes in pages, by the same parameters and with the same answer.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { restRoutes } from '../../../controller/http/rest/table.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'

let controller: TestController
const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
  controller.call(method, path, body === undefined ? {} : { body })

const makeProject = (name: string): Promise<Answer> => call('POST', '/api/v1/projects', { name })

beforeAll(async () => {
  controller = await startTestController()
})

afterAll(() => controller.remove())

describe('projects', () => {
  it('are listed in pages that show one moment', async () => {
    for (const name of ['page-a', 'page-b', 'page-c', 'page-d', 'page-e']) await makeProject(name)
    const names: string[] = []
    let cursor: string | undefined
    do {
      const next = cursor === undefined ? '' : `&cursor=${cursor}`
      const answer = await call('GET', `/api/v1/projects?team=default&limit=2${next}`)
      const page = answer.json<{ projects: { name: string }[]; next_cursor?: string }>()
      expect(page.projects.length).toBeLessThanOrEqual(2)
      names.push(...page.projects.map((project) => project.name))
      cursor = page.next_cursor
      await call('DELETE', '/api/v1/projects/default%2Fpage-e')
    } while (cursor !== undefined)
    expect(names).toEqual(['page-a', 'page-b', 'page-c', 'page-d', 'page-e'])
    expect((await call('GET', '/api/v1/projects?cursor=x')).status).toBe(400)
  })
})

describe('the secrets of a project', () => {
  it('are listed in pages that show one moment, whatever changes here and in other projects', async () => {
    for (const name of ['page-one', 'page-two']) await makeProject(name)
    const at = (project: string): string => `/api/v1/projects/default%2F${project}/secrets`
    const make = (project: string, key: string): Promise<Answer> =>
      call('POST', at(project), { key, value: `of ${project}` })
    for (const key of ['A', 'B', 'C', 'D'])
      for (const project of ['page-one', 'page-two']) await make(project, key)
    const keys: string[] = []
    let cursor: string | undefined
    do {
      const next = cursor === undefined ? '' : `&cursor=${cursor}`
      const answer = await call('GET', `${at('page-one')}?limit=1${next}`)
      const page = answer.json<{ secrets: { key: string }[]; next_cursor?: string }>()
      keys.push(...page.secrets.map(({ key }) => key))
      cursor = page.next_cursor
      if (keys.length !== 1) continue
      const { secrets } = (await call('GET', at('page-one'))).json<{ secrets: { id: string }[] }>()
      await call('DELETE', `${at('page-one')}/${secrets[2]!.id}`)
      for (const project of ['page-one', 'page-two']) await make(project, 'CC')
      const other = (await call('GET', at('page-two'))).json<{ secrets: { id: string }[] }>()
      await call('DELETE', `${at('page-two')}/${other.secrets[2]!.id}`)
    } while (cursor !== undefined)
    expect(keys).toEqual(['A', 'B', 'C', 'D'])
    const now = (await call('GET', at('page-one'))).json<{ secrets: { key: string }[] }>()
    expect(now.secrets.map(({ key }) => key)).toEqual(['A', 'B', 'CC', 'D'])
  })
})

describe('every list', () => {
  type Page = Record<string, unknown[]> & { next_cursor?: string }
  const shop = '/api/v1/projects/default%2Fpaged'
  const ok = async (method: string, path: string, body?: unknown): Promise<void> => {
    const answer = await call(method, path, body)
    expect(answer.status, `${method} ${path}: ${answer.text}`).toBeLessThan(300)
  }
  const page = async (path: string, query: Record<string, string>): Promise<Page> => {
    const separator = path.includes('?') ? '&' : '?'
    const answer = await call('GET', `${path}${separator}${new URLSearchParams(query).toString()}`)
    expect(answer.status, answer.text).toBe(200)
    return answer.json<Page>()
  }

  beforeAll(async () => {
    await makeProject('paged')
    for (const key of ['ONE', 'TWO', 'OLD', 'GONE']) {
      await ok('POST', `${shop}/secrets`, { key, value: `${key} one`, scope: 'no-such-service' })
      await ok('PATCH', `${shop}/secrets/${key.toLowerCase()}.no-such-service`, {
        value: `${key} two`,
      })
      await ok('POST', `${shop}/secrets/${key.toLowerCase()}.no-such-service/reveal`, {})
    }
    // Each batch closes its revision.
    for (const key of ['old', 'gone']) {
      const operations = [{ op: 'delete', id: `${key}.no-such-service` }]
      await ok('POST', `${shop}/secrets/batch`, { operations })
    }
    await ok('POST', '/api/v1/teams', { name: 'paged' })
    for (const name of ['page-ann', 'page-bob']) {
      await ok('POST', '/api/v1/users', { name })
      await ok('PUT', `/api/v1/teams/paged/members/${name}`, { role: 'viewer' })
      await ok('POST', '/api/v1/tokens', { name })
      await ok('POST', '/api/v1/users/page-ann/tokens', { name })
      await ok('POST', '/api/v1/teams/paged/tokens', { name, role: 'viewer' })
    }
  })

  it.each([
    ['/api/v1/users', 'users'],
    ['/api/v1/teams', 'teams'],
    ['/api/v1/teams/paged/members', 'members'],
    ['/api/v1/teams/paged/tokens', 'tokens'],
    ['/api/v1/users/page-ann/tokens', 'tokens'],
    ['/api/v1/tokens', 'tokens'],
    ['/api/v1/audit?action=reveal', 'rows'],
    ['/api/v1/audit/revealed?by=admin', 'secrets'],
    [`${shop}/secrets`, 'secrets'],
    [`${shop}/usage`, 'usage'],
    [`${shop}/deleted-secrets`, 'secrets'],
    [`${shop}/secrets/one.no-such-service/versions`, 'versions'],
    [`${shop}/revisions`, 'revisions'],
  ])('gives in pages of one what it gives at once: %s', async (path, key) => {
    const whole = await page(path, {})
    expect(whole.next_cursor).toBeUndefined()
    const items: unknown[] = []
    let query: Record<string, string> = { limit: '1' }
    for (;;) {
      const { [key]: some = [], next_cursor: cursor } = await page(path, query)
      expect(some).toHaveLength(1)
      items.push(...some)
      if (cursor === undefined) break
      query = { limit: '1', cursor }
    }
    expect(items.length).toBeGreaterThan(1)
    expect(items).toEqual(whole[key])
    const separator = path.includes('?') ? '&' : '?'
    for (const cursor of ['x', 'e30', 'eyJvZiI6Im90aGVyIiwiYWZ0ZXIiOlsiYSJdfQ'])
      expect((await call('GET', `${path}${separator}cursor=${cursor}`)).status).toBe(400)
  })

  it('takes limit and cursor, and says where the next page begins', () => {
    const lists = restRoutes.filter(({ id }) => /^list|^secretUsage$/.test(id))
    expect(lists.length).toBeGreaterThan(12)
    const unpaged = lists.filter(({ query, status, responses }) => {
      const given = query instanceof z.ZodObject ? Object.keys(query.shape) : []
      const schema = responses.get(status)?.schema
      const answer = schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
      return (
        !given.includes('limit') || !given.includes('cursor') || !answer.includes('next_cursor')
      )
    })
    expect(unpaged.map(({ id }) => id)).toEqual([])
  })
})
