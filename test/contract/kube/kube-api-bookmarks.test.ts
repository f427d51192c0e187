// Bookmarks of a watch on which nothing happens: they keep its version young, so that it can go on from there.
import {
  CoreV1Api,
  V1Namespace,
  V1ObjectMeta,
  Watch,
  type KubernetesObject,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startOwnServer, type OwnServer } from '../../support/cluster/own-server.ts'

let server: OwnServer
beforeAll(async () => {
  server = await startOwnServer(inject('postgresUrl'), { bookmarkEveryMs: 20 })
})
afterAll(() => server.remove())

interface Seen {
  readonly type: string
  readonly object: KubernetesObject
}

describe('bookmarks', () => {
  it('tell of writes elsewhere who asked for them, and nobody else', async () => {
    const api = server.kubeConfig.makeApiClient(CoreV1Api)
    const create = async (name: string, labels = {}): Promise<string> => {
      const metadata = Object.assign(new V1ObjectMeta(), { name, labels })
      const head = { apiVersion: 'v1', kind: 'Namespace' }
      const body = Object.assign(new V1Namespace(), head, { metadata })
      const made = await api.createNamespace({ body })
      return made.metadata!.resourceVersion!
    }
    const resourceVersion = await create('before')
    const open = async (query: object): Promise<{ seen: Seen[]; stop: () => void }> => {
      const seen: Seen[] = []
      const request = await new Watch(server.kubeConfig).watch(
        '/api/v1/namespaces',
        { resourceVersion, labelSelector: 'mine', ...query },
        (type: string, object: KubernetesObject) => seen.push({ type, object }),
        () => undefined,
      )
      return {
        seen,
        stop: () => {
          request.abort()
        },
      }
    }
    const asked = await open({ allowWatchBookmarks: true })
    const plain = await open({})
    for (const name of ['first', 'second']) {
      const version = await create(name)
      const last = (): object => ({ type: asked.seen.at(-1)?.type, ...asked.seen.at(-1)?.object })
      await expect.poll(last).toEqual({
        type: 'BOOKMARK',
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { resourceVersion: version },
      })
    }
    await create('shop', { mine: 'yes' })
    await expect.poll(() => plain.seen).not.toEqual([])
    expect(plain.seen.map(({ type, object }) => [type, object.metadata?.name])).toEqual([
      ['ADDED', 'shop'],
    ])
    asked.stop()
    plain.stop()
  })
})
