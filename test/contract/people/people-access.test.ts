// What members see of the Kubernetes-style API: with real kubectl, in lists, pages and watches.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mergeKubeconfig } from '../../../cli/connect/kubeconfig-file.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { eventually } from '../../support/eventually.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { shortGo } from '../../support/short-go.ts'

const run = promisify(execFile)
const group = '/apis/stagely.dev/v1alpha1'

describe('a member of one team', () => {
  let controller: TestController
  let ann: string

  const admin = async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ token: string }> => {
    const answer = await controller.call(method, path, body === undefined ? {} : { body })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer.json()
  }
  const asAnn = (): { headers: Record<string, string> } => ({
    headers: { authorization: `Bearer ${ann}` },
  })
  const namesIn = async (path: string): Promise<string[]> => {
    const answer = await controller.call('GET', path, asAnn())
    const { items } = answer.json<{ items: { metadata: { namespace?: string; name: string } }[] }>()
    return items.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`)
  }
  const makeProject = (namespace: string, name: string): Promise<unknown> =>
    admin('POST', `${group}/namespaces/${namespace}/projects`, {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Project',
      metadata: { name },
    })
  const role = (value: string): Promise<unknown> =>
    admin('PUT', '/api/v1/teams/red/members/ann', { role: value })

  beforeAll(async () => {
    controller = await startTestController()
    for (const name of ['blue', 'red']) {
      await admin('POST', '/api/v1/teams', { name })
      for (const project of ['one', 'two']) await makeProject(name, project)
    }
    await admin('POST', '/api/v1/users', { name: 'ann' })
    await role('viewer')
    ann = (await admin('POST', '/api/v1/users/ann/tokens', { name: 'laptop' })).token
  })
  afterAll(() => controller.remove())

  it('finds only what is theirs in lists, pages, counts and namespaces', async () => {
    expect(await namesIn(`${group}/projects`)).toEqual(['red/one', 'red/two'])
    expect(await namesIn('/api/v1/namespaces')).toEqual(['/red'])
    const page = await controller.call('GET', `${group}/projects?limit=1`, asAnn())
    const { metadata } = page.json<{
      metadata: { continue: string; remainingItemCount: number; resourceVersion: string }
    }>()
    expect(metadata.remainingItemCount).toBe(1)
    await makeProject('red', 'three')
    const next = `${group}/projects?limit=5&continue=${encodeURIComponent(metadata.continue)}`
    expect(await namesIn(next)).toEqual(['red/two'])
  })

  const readUntil = (stream: IncomingMessage, part: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let text = ''
      const read = (chunk: Buffer): void => {
        text += chunk.toString()
        if (!text.includes(part)) return
        stream.off('data', read)
        resolve(text)
      }
      stream.on('data', read)
      stream.once('error', reject)
    })

  it('sees only what is theirs in a watch, which ends when the role changes', async () => {
    const list = await controller.call('GET', `${group}/projects`, asAnn())
    const { metadata } = list.json<{ metadata: { resourceVersion: string } }>()
    const path = `${group}/projects?watch=true&resourceVersion=${metadata.resourceVersion}`
    const stream = await controller.open(path, asAnn().headers)
    const read = readUntil(stream, '"seen"')
    await makeProject('blue', 'hidden')
    await makeProject('red', 'seen')
    expect(await read).not.toContain('hidden')
    const ended = once(stream, 'end')
    stream.resume()
    await role('developer')
    await ended
    await role('viewer')
  })

  it('sees nothing of a team that had the name of theirs before', async () => {
    const makeTeam = (): Promise<unknown> => admin('POST', '/api/v1/teams', { name: 'again' })
    await makeTeam()
    await makeProject('again', 'bygone')
    await makeProject('again', 'later')
    const listed = await controller.call('GET', `${group}/namespaces/again/projects?limit=1`)
    const { metadata } = listed.json<{
      metadata: { resourceVersion: string; continue: string }
    }>()
    await admin('DELETE', '/api/v1/namespaces/again')
    // The second in which a team was deleted is the next one's only where both are the same.
    await realClock.sleep(1_100)
    const there = async (): Promise<number> =>
      (await controller.call('GET', '/api/v1/namespaces/again')).status
    await eventually(there).toBe(404)
    await makeTeam()
    await admin('PUT', '/api/v1/teams/again/members/ann', { role: 'auditor' })
    const version = metadata.resourceVersion
    const token = encodeURIComponent(metadata.continue)
    for (const where of [`${group}/namespaces/again/projects`, `${group}/projects`]) {
      for (const query of [
        `resourceVersion=${version}&resourceVersionMatch=Exact`,
        `continue=${token}`,
      ]) {
        const page = await controller.call('GET', `${where}?${query}`, asAnn())
        expect([page.status, page.text]).toEqual([410, expect.not.stringContaining('bygone')])
      }
      const path = `${where}?watch=true&resourceVersion=${version}&timeoutSeconds=2`
      const watch = await controller.call('GET', path, asAnn())
      expect(watch.text).toContain('"code":410')
      expect(watch.text).not.toMatch(/bygone|later/)
    }
    const cursor = await controller.call('GET', `/api/v1/projects?cursor=${token}`, asAnn())
    expect([cursor.status, cursor.text]).toEqual([410, expect.not.stringContaining('bygone')])
    const stream = await controller.open('/api/v1/stream', {
      ...asAnn().headers,
      'last-event-id': version,
    })
    const seen = readUntil(stream, '"name":"fresh"')
    await makeProject('again', 'fresh')
    const frames = await seen
    stream.destroy()
    expect(frames).toContain('event: reset')
    expect(frames).not.toMatch(/bygone|later/)
    const audit = await controller.call('GET', '/api/v1/audit?namespace=again', asAnn())
    expect(audit.text).toContain('fresh')
    expect(audit.text).not.toMatch(/bygone|later/)
    const exported = await controller.call('GET', '/api/v1/audit/export', asAnn())
    expect(exported.text).not.toMatch(/bygone|later/)
  })

  it('works with kubectl as the role says, in its own words', async () => {
    const file = join(controller.dataDir, 'ann.kubeconfig')
    await mergeKubeconfig(file, {
      name: 'stagely',
      cluster: {
        server: controller.url,
        'certificate-authority-data': Buffer.from(controller.ca).toString('base64'),
      },
      user: { token: ann },
      context: { cluster: 'stagely', user: 'stagely', namespace: 'red' },
    })
    const kubectl = async (...args: string[]): Promise<string> => {
      const env = { PATH: process.env['PATH'] ?? '', HOME: controller.dataDir, KUBECONFIG: file }
      const done = await run('kubectl', args, { env: { ...shortGo, ...env } }).catch(
        (error: unknown) => error,
      )
      const { stdout = '', stderr = '' } = done as { stdout?: string; stderr?: string }
      return stdout + stderr
    }
    expect(await kubectl('get', 'projects', '-A', '-o', 'name')).not.toContain('hidden')
    expect(await kubectl('get', 'project', 'one', '-o', 'name')).toBe('project.stagely.dev/one\n')
    expect(await kubectl('delete', 'project', 'one')).toContain(
      'Error from server (Forbidden): projects.stagely.dev "one" is forbidden: User "ann" cannot delete resource "projects" in API group "stagely.dev" in the namespace "red"',
    )
    expect(await kubectl('get', 'projects', '-n', 'blue')).toContain(
      'Error from server (Forbidden): projects.stagely.dev is forbidden: User "ann" cannot list resource "projects" in API group "stagely.dev" in the namespace "blue"',
    )
    const manifest = join(controller.dataDir, 'team.yaml')
    await writeFile(manifest, 'apiVersion: v1\nkind: Namespace\nmetadata: {name: green}\n')
    expect(await kubectl('create', '-f', manifest)).toContain('at the cluster scope')
    expect(await kubectl('auth', 'can-i', 'get', 'stagelets.stagely.dev')).toBe('yes\n')
    expect(await kubectl('auth', 'can-i', 'delete', 'stagelets.stagely.dev')).toContain('no')
    expect(await kubectl('auth', 'whoami')).toContain('stagely:red:viewer')
  })

  it('lets a deployer write and start what an operator may only keep running', async () => {
    const tokenOf = async (name: string): Promise<string> =>
      (await admin('POST', '/api/v1/teams/red/tokens', { name, role: name })).token
    const tokens = { deployer: await tokenOf('deployer'), operator: await tokenOf('operator') }
    const ask = async (
      role: keyof typeof tokens,
      method: string,
      path: string,
      body?: unknown,
    ): Promise<number> => {
      const type =
        method === 'PATCH' && path.startsWith('/apis/')
          ? 'application/merge-patch+json'
          : 'application/json'
      const headers = { authorization: `Bearer ${tokens[role]}`, 'content-type': type }
      const asked = body === undefined ? { headers } : { headers, body }
      return (await controller.call(method, path, asked)).status
    }
    const secrets = '/api/v1/projects/red%2Fone/secrets'
    const secret = { key: 'BY_CI', value: 'of-the-pipeline' }
    expect(await ask('operator', 'POST', secrets, secret)).toBe(403)
    expect(await ask('deployer', 'POST', secrets, secret)).toBe(201)
    for (const role of ['deployer', 'operator'] as const) {
      expect(await ask(role, 'GET', secrets)).toBe(200)
      expect(await ask(role, 'POST', `${secrets}/by-ci.global/reveal`)).toBe(403)
    }
    expect(await ask('deployer', 'GET', '/api/v1/teams/red/members')).toBe(403)

    await admin('POST', `${group}/namespaces/red/agents`, {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Agent',
      metadata: { name: 'box' },
      spec: {},
    })
    const stack = { team: 'red', name: 'one', project: 'one', agent: 'box' }
    const stagelet = { ...stack, compose: { directory: '/srv/one' } }
    expect(await ask('operator', 'POST', '/api/v1/stagelets', stagelet)).toBe(403)
    expect(await ask('deployer', 'POST', '/api/v1/stagelets', stagelet)).toBe(201)
    const rest = '/api/v1/stagelets/red%2Fone'
    const kube = `${group}/namespaces/red/stagelets/one`
    const elsewhere = { compose: { directory: '/srv/two' } }
    const steered = (redeploy: string) => ({
      metadata: { annotations: { 'stagely.dev/redeploy': redeploy } },
    })
    const patch = async (role: keyof typeof tokens): Promise<number[]> => [
      await ask(role, 'PATCH', rest, { paused: true }),
      await ask(role, 'PATCH', rest, { paused: true, ...elsewhere }),
      await ask(role, 'PATCH', kube, { spec: { paused: null } }),
      await ask(role, 'PATCH', kube, { ...steered('one'), spec: { paused: true } }),
      await ask(role, 'PATCH', kube, steered(role)),
      await ask(role, 'PATCH', kube, { spec: elsewhere }),
      await ask(role, 'PATCH', kube, { spec: { paused: true, ...elsewhere } }),
      await ask(role, 'POST', '/api/v1/projects/red%2Fone/rollout/pause'),
    ]
    expect(await patch('deployer')).toEqual([403, 403, 403, 403, 200, 403, 403, 403])
    expect(await patch('operator')).toEqual([200, 403, 200, 200, 200, 403, 403, 200])
    expect(await ask('deployer', 'GET', `${rest}/logs`)).toBe(403)
    expect(await ask('operator', 'DELETE', kube)).toBe(403)
    expect(await ask('deployer', 'DELETE', kube)).toBe(200)
  })

  it('tells a machine, which is of one team only, where it may look', async () => {
    const body = { name: 'ci', role: 'viewer' }
    const { token } = await admin('POST', '/api/v1/teams/red/tokens', body)
    const headers = { authorization: `Bearer ${token}` }
    const answer = await controller.call('GET', `${group}/namespaces/default/projects`, { headers })
    expect([answer.status, answer.text]).toEqual([403, expect.stringContaining('only: -n red')])
  })

  it('asks what it may in any form, and hears which part of a question is none', async () => {
    const ask = (spec: unknown): ReturnType<TestController['call']> =>
      controller.call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
        body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec },
        ...asAnn(),
      })
    const projects = { namespace: 'red', verb: 'list', group: 'stagely.dev', resource: 'projects' }
    expect((await ask({ resourceAttributes: projects })).json()).toMatchObject({
      status: { allowed: true },
    })
    const path = { path: '/openapi/v3', verb: 'get' }
    expect((await ask({ resourceAttributes: null, nonResourceAttributes: path })).json()).toEqual(
      expect.objectContaining({ status: expect.objectContaining({ allowed: true }) as unknown }),
    )
    const refused: [unknown, string][] = [
      [{ resourceAttributes: null }, 'spec'],
      [{ resourceAttributes: projects, nonResourceAttributes: path }, 'spec'],
      ['text', 'spec'],
      [{ resourceAttributes: { verb: 7 } }, 'spec.resourceAttributes.verb'],
      [{ nonResourceAttributes: { path: 5, verb: 'get' } }, 'spec.nonResourceAttributes.path'],
    ]
    for (const [spec, field] of refused) {
      const answer = await ask(spec)
      expect(answer.status, answer.text).toBe(422)
      expect(answer.json()).toMatchObject({ details: { causes: [{ field }] } })
    }
    const rules = await controller.call(
      'POST',
      '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
      { body: { kind: 'SelfSubjectRulesReview', spec: { namespace: 5 } }, ...asAnn() },
    )
    expect(rules.json()).toMatchObject({
      code: 422,
      details: { causes: [{ field: 'spec.namespace' }] },
    })
  })

  it('may deploy as a developer, and change nothing else of a stagelet', async () => {
    await admin('POST', `${group}/namespaces/red/stagelets`, {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Stagelet',
      metadata: { name: 'shop' },
      spec: {
        projectRef: { name: 'one' },
        agentRef: { name: 'box' },
        compose: { directory: '/srv/shop' },
        ttl: '72h',
      },
    })
    await role('developer')
    const patch = async (body: object): Promise<number> => {
      const headers = { ...asAnn().headers, 'content-type': 'application/merge-patch+json' }
      const path = `${group}/namespaces/red/stagelets/shop`
      return (await controller.call('PATCH', path, { headers, body })).status
    }
    const annotations = { 'stagely.dev/redeploy': '2026-01-01T00:00:00Z' }
    expect(await patch({ metadata: { annotations } })).toBe(200)
    expect(await patch({ metadata: { annotations, labels: { a: 'b' } } })).toBe(403)
    expect(await patch({ metadata: { annotations: { 'stagely.dev/extend': 'x\n7d' } } })).toBe(200)
    expect(await patch({ metadata: { annotations: { 'stagely.dev/extend': 'y\n7s' } } })).toBe(422)
    expect(await patch({ spec: { paused: true } })).toBe(403)
    await role('viewer')
    expect(await patch({ metadata: { annotations: { 'stagely.dev/redeploy': 'x' } } })).toBe(403)
  })

  it('is out at once when disabled, streams too', async () => {
    const stream = await controller.open(`${group}/projects?watch=true`, asAnn().headers)
    const ended = once(stream, 'end')
    stream.resume()
    await admin('PATCH', '/api/v1/users/ann', { disabled: true })
    expect((await controller.call('GET', `${group}/projects`, asAnn())).status).toBe(401)
    await ended
  })
})
