// What every route of the REST API does the same way: errors, paging, preconditions, repeats, limits.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestController, type Answer, type TestController } from '../support/controller.ts'

let controller: TestController
const call = (method: string, path: string, body?: unknown, headers = {}): Promise<Answer> =>
  controller.call(method, path, { headers, ...(body === undefined ? {} : { body }) })

interface Problem {
  reason: string
  detail: string
  request_id: string
  errors?: { field: string; reason: string; message: string }[]
}

const makeProject = async (name: string): Promise<string> =>
  (await call('POST', '/api/v1/projects', { name })).json<{ id: string }>().id

beforeAll(async () => {
  controller = await startTestController()
})

afterAll(() => controller.remove())

describe('errors', () => {
  it('are problem+json with every fault and its field', async () => {
    const body = { name: 'No Name', description: 7, colour: 'red' }
    const answer = await call('POST', '/api/v1/projects?limit=2', body)
    expect(answer.status).toBe(422)
    const problem = answer.json<Problem>()
    expect(problem.errors?.map((e) => e.field)).toEqual(['limit', 'name', 'description', 'colour'])
    expect(problem.request_id).toBe(answer.headers['x-request-id'])
  })

  it('of the Kubernetes-style API stay Status objects', async () => {
    const answer = await call('GET', '/api/v1/namespaces/none')
    expect(answer.json()).toMatchObject({ kind: 'Status', code: 404 })
    expect((await call('GET', '/api/v1')).json()).toMatchObject({ kind: 'APIResourceList' })
    expect((await call('GET', '/api/v1/events')).json()).toMatchObject({ kind: 'EventList' })
  })

  it('say what is wrong with the request itself', async () => {
    const send = (headers: Record<string, string>, raw: string | Buffer): Promise<Answer> =>
      controller.call('POST', '/api/v1/projects', { headers, raw })
    const json = { 'content-type': 'application/json' }
    expect((await send({ 'content-type': 'text/plain' }, 'name')).status).toBe(415)
    expect((await send(json, '{"name":')).status).toBe(400)
    expect((await send(json, Buffer.from([0x7b, 0xff, 0x7d]))).status).toBe(400)
    expect((await send(json, `"${'x'.repeat(4 << 20)}"`)).status).toBe(413)
    expect((await send(json, '[]')).json<Problem>().errors).toHaveLength(1)
    expect((await call('GET', '/api/v1/projects', undefined, { authorization: '' })).status).toBe(
      401,
    )
    expect((await call('GET', '/api/v1/projects/default%2Fnone')).status).toBe(404)
    expect((await call('GET', '/api/v1/projects/a/b/c')).status).toBe(404)
  })

  it('name the methods of a path', async () => {
    const answer = await call('PUT', '/api/v1/projects', {})
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('GET, POST, HEAD')
  })
})

describe('projects', () => {
  it('are made, read by id and by name, changed and deleted', async () => {
    const made = await call('POST', '/api/v1/projects', { name: 'shop', description: 'the shop' })
    expect(made.status).toBe(201)
    const project = made.json<{ id: string }>()
    expect(project).toMatchObject({ name: 'shop', team: 'default', description: 'the shop' })
    expect(project.id).toMatch(/^proj_[0-9a-z]{25}$/)
    for (const id of [project.id, 'default%2Fshop'])
      expect((await call('GET', `/api/v1/projects/${id}`)).json()).toMatchObject({ id: project.id })
    const path = `/api/v1/projects/${project.id}`
    const changed = await call('PATCH', path, { description: null })
    expect(changed.json()).not.toHaveProperty('description')
    expect((await call('POST', '/api/v1/projects', { name: 'shop' })).status).toBe(409)
    expect((await call('DELETE', path)).json()).toEqual({ status: 'deleted' })
    expect((await call('GET', path)).status).toBe(404)
  })

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

describe('If-Match', () => {
  it('refuses to overwrite what the caller has not seen', async () => {
    const path = `/api/v1/projects/${await makeProject('etag')}`
    // The status settles within moments of the creation; the tag is that of what was read last.
    const { etag = '' } = (await call('PATCH', path, { description: 'one' })).headers
    const two = await call('PATCH', path, { description: 'two' }, { 'if-match': '"1"' })
    expect(two.status).toBe(412)
    expect(two.json<Problem>().reason).toBe('PreconditionFailed')
    expect((await call('GET', path)).json()).toMatchObject({ description: 'one' })
    expect(etag).toMatch(/^"\d+"$/)
    expect((await call('DELETE', path, undefined, { 'if-match': 'W/"1"' })).status).toBe(400)
    expect((await call('DELETE', path, undefined, { 'if-match': '*' })).status).toBe(200)
  })
})

describe('Idempotency-Key', () => {
  it('answers a repeat as the first time, and does nothing again', async () => {
    const headers = { 'idempotency-key': 'once-1' }
    const send = (): Promise<Answer> => call('POST', '/api/v1/projects', { name: 'once' }, headers)
    const answers = await Promise.all([send(), send(), send()])
    expect(answers.map((a) => a.status)).toEqual([201, 201, 201])
    expect(new Set(answers.map((a) => a.text)).size).toBe(1)
    expect(answers.filter((a) => a.headers['idempotency-replayed'] === 'true')).toHaveLength(2)
    const other = await call('POST', '/api/v1/projects', { name: 'twice' }, headers)
    expect(other.status).toBe(422)
    expect((await call('GET', '/api/v1/projects/default%2Ftwice')).status).toBe(404)
  })

  it('may be used again after a refusal, which changed nothing', async () => {
    const headers = { 'idempotency-key': 'retry-1' }
    const body = { name: 'later', team: 'later-team' }
    expect((await call('POST', '/api/v1/projects', body, headers)).status).toBe(404)
    const metadata = { name: 'later-team' }
    await call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata })
    expect((await call('POST', '/api/v1/projects', body, headers)).status).toBe(201)
  })
})
