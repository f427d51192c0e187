// DELETE: what goes, what stays, and what the options of a request may say.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'
import { envelope, field, protobuf } from '../../support/kubectl/protobuf.ts'

const projects = '/apis/stagely.dev/v1alpha1/namespaces/default/projects'
const path = (name: string): string => `${projects}/${name}`

interface Wire {
  metadata: { name: string; uid: string }
}

let server: TestController
const fresh = async (name: string, labels: Record<string, string> = {}): Promise<Wire> => {
  const body = {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'Project',
    metadata: { name, labels },
    spec: {},
  }
  return (await server.call('POST', projects, { body })).json<Wire>()
}

beforeAll(async () => {
  server = await startTestController()
})
afterAll(() => server.remove())

describe('a DELETE', () => {
  it('lets an object go, and says Status with its uid', async () => {
    const made = await fresh('gone')
    const wrong = { preconditions: { uid: 'other' } }
    expect((await server.call('DELETE', path('gone'), { body: wrong })).status).toBe(409)
    expect(
      (
        await server.call('DELETE', path('gone'), {
          body: { kind: 'DeleteOptions', apiVersion: 'v1', dryRun: ['All'] },
        })
      ).status,
    ).toBe(200)
    expect((await server.call('DELETE', path('gone'))).json()).toMatchObject({
      status: 'Success',
      details: { name: 'gone', group: 'stagely.dev', kind: 'projects', uid: made.metadata.uid },
    })
    expect((await server.call('DELETE', path('gone'))).status).toBe(404)
  })

  it('of a rotation warns that no credential is ended', async () => {
    const rotations = projects.replace('projects', 'rotations')
    const spec = {
      projectRef: { name: 'shop' },
      outputs: { current: 'current' },
      rotator: { generate: {} },
    }
    const body = {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Rotation',
      metadata: { name: 'signing' },
      spec,
    }
    expect((await server.call('POST', rotations, { body })).status).toBe(201)
    const { status, headers } = await server.call('DELETE', `${rotations}/signing`)
    expect([status, String(headers['warning'])]).toEqual([
      200,
      expect.stringContaining('rotation signing: no credential is ended'),
    ])
  })

  it('refuses to let go under options that it does not know', async () => {
    const made = await fresh('options')
    for (const [body, field] of [
      [{ propagationPolicy: 'Sideways' }, 'propagationPolicy'],
      [{ dryRun: ['Some'] }, 'dryRun[0]'],
      [{ dryRun: 'All' }, 'dryRun'],
      [{ preconditions: { uid: 5 } }, 'preconditions.uid'],
    ] as const) {
      const answer = await server.call('DELETE', path('options'), { body })
      expect(answer.json(), field).toMatchObject({
        code: 422,
        message: expect.stringContaining('DeleteOptions.meta.k8s.io') as string,
        details: { causes: [{ field }] },
      })
    }
    const query = await server.call('DELETE', `${path('options')}?propagationPolicy=Sideways`)
    expect(query.status).toBe(422)
    const read = await server.call('GET', path('options'))
    expect(read.json<Wire>().metadata.uid).toBe(made.metadata.uid)
    const good = { propagationPolicy: 'Foreground', gracePeriodSeconds: 0 }
    expect((await server.call('DELETE', path('options'), { body: good })).status).toBe(200)
  })

  it('reads the options of a DELETE as protobuf too', async () => {
    const made = await fresh('protobuf')
    const remove = (...fields: Buffer[]): Promise<Answer> => {
      const raw = envelope('DeleteOptions', ...fields)
      return server.call('DELETE', path('protobuf'), { raw, headers: protobuf })
    }
    expect((await remove(field(5, 'All'))).status).toBe(200)
    expect((await remove(field(2, field(1, 'other')))).status).toBe(409)
    expect((await remove(field(4, 'Sideways'))).status).toBe(422)
    const { uid } = made.metadata
    expect((await server.call('GET', path('protobuf'))).json<Wire>().metadata.uid).toBe(uid)
    expect((await remove(field(2, field(1, uid)), field(4, 'Background'))).json()).toMatchObject({
      status: 'Success',
      details: { uid },
    })
  })

  it('deletes a selection', async () => {
    await fresh('kept')
    await fresh('sel-a', { batch: '1' })
    await fresh('sel-b', { batch: '1' })
    const other = { preconditions: { uid: 'other' } }
    const selection = `${projects}?labelSelector=batch%3D1`
    expect((await server.call('DELETE', selection, { body: other })).status).toBe(409)
    const deleted = async (query: string): Promise<string[]> => {
      const answer = await server.call('DELETE', `${selection}${query}`)
      return answer.json<{ items: Wire[] }>().items.map((p) => p.metadata.name)
    }
    expect(await deleted('&limit=1')).toEqual(['sel-a'])
    expect(await deleted('')).toEqual(['sel-b'])
    expect((await server.call('GET', path('kept'))).status).toBe(200)
  })

  it('leaves a namespace that stagelets use, and a project by REST, until they go or go along', async () => {
    const make = async (place: string, body: object): Promise<void> => {
      expect((await server.call('POST', place, { body })).status).toBe(201)
    }
    const root = '/apis/stagely.dev/v1alpha1/namespaces/busy'
    const apiVersion = 'stagely.dev/v1alpha1'
    const compose = { directory: '/srv/busy' }
    await make('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'busy' },
    })
    await make(`${root}/projects`, {
      apiVersion,
      kind: 'Project',
      metadata: { name: 'p' },
      spec: {},
    })
    await make(`${root}/stagelets`, {
      apiVersion,
      kind: 'Stagelet',
      metadata: { name: 'user' },
      spec: { projectRef: { name: 'p' }, agentRef: { name: 'a' }, compose },
    })
    const refused = async (place: string): Promise<void> => {
      const answer = await server.call('DELETE', place)
      expect([answer.status, answer.text], place).toEqual([
        409,
        expect.stringContaining('stagelets user use it: delete these first'),
      ])
    }
    await refused('/api/v1/namespaces/busy')
    await refused('/api/v1/teams/busy')
    await refused('/api/v1/projects/busy%2Fp')
    expect((await server.call('GET', `${root}/stagelets/user`)).status).toBe(200)
    const foreground = '/api/v1/namespaces/busy?propagationPolicy=Foreground'
    expect((await server.call('DELETE', foreground)).status).toBe(200)
    const left = await server.call('GET', `${root}/stagelets/user`)
    expect(left.status === 404 || left.text.includes('deletionTimestamp')).toBe(true)
  })

  it('deletes namespaces one by one, as discovery says', async () => {
    const all = await server.call('DELETE', '/api/v1/namespaces')
    expect(all.status).toBe(405)
    const { resources } = (await server.call('GET', '/api/v1')).json<{
      resources: { name: string; verbs: string[] }[]
    }>()
    const verbs = resources.find(({ name }) => name === 'namespaces')!.verbs
    expect(verbs).toContain('delete')
    expect(verbs).not.toContain('deletecollection')
  })
})
