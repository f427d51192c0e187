// What recorded commands of kubectl find: made by the requests that a kubectl would send, without its process.
import { setTimeout as sleep } from 'node:timers/promises'
import { canonicalJson } from '../../../src/kernel/canonical-json.ts'
import type { TestController } from '../programs/controller.ts'
import { changedStagelet, namespace, stagelet, type Manifest } from './manifests.ts'

export type Setup = (server: TestController) => Promise<void>

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

const pathOf = ({ kind, metadata }: Manifest): string =>
  kind === 'Namespace'
    ? '/api/v1/namespaces'
    : `/apis/stagely.dev/v1alpha1/namespaces/${metadata.namespace}/${kind.toLowerCase()}s`
const pathOfWeb = `${pathOf(stagelet())}/web`

const ok = async (asked: string, answer: ReturnType<TestController['call']>): Promise<void> => {
  const { status, text } = await answer
  if (status >= 300) throw new Error(`${asked}: ${status} ${text}`)
}
const post = (server: TestController, path: string, body: object): Promise<void> =>
  ok(`POST ${path}`, server.call('POST', path, { body }))
const patch = (server: TestController, type: string, path: string, body: object): Promise<void> => {
  const headers = { 'content-type': `application/${type}` }
  return ok(`PATCH ${path}`, server.call('PATCH', path, { body, headers }))
}

const annotated = (object: Manifest) => {
  const all = { ...object, metadata: { annotations: {}, ...object.metadata } }
  const annotations = { [lastApplied]: `${canonicalJson(all)}\n` }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

/** What `kubectl apply` sends for objects that are not there. */
export const applied =
  (...objects: readonly Manifest[]): Setup =>
  async (server) => {
    for (const object of objects) {
      const path = `${pathOf(object)}?fieldManager=kubectl-client-side-apply`
      await post(server, path, annotated(object))
    }
  }

export const nothing: Setup = () => Promise.resolve()
export const web = applied(stagelet())
export const temporary = applied(namespace('probe-tmp'))

/** By `kubectl create`: without the annotation. */
export const created: Setup = (server) =>
  post(server, `${pathOf(stagelet())}?fieldManager=kubectl-create`, stagelet())

/** By `kubectl apply --server-side --field-manager=alice`. */
export const alice: Setup = (server) =>
  patch(server, 'apply-patch+yaml', `${pathOfWeb}?fieldManager=alice&force=false`, stagelet())

export const ready: Setup = async (server) => {
  await web(server)
  const condition = {
    type: 'Probed',
    status: 'True',
    reason: 'Probe',
    message: 'm',
    observedGeneration: 1,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }
  const path = `${pathOfWeb}/status?fieldManager=kubectl-patch`
  await patch(server, 'merge-patch+json', path, { status: { conditions: [condition] } })
}

/** Changed since it was ready. */
export const stale: Setup = async (server) => {
  await ready(server)
  const { metadata, spec } = annotated(changedStagelet)
  await patch(server, 'merge-patch+json', `${pathOfWeb}?fieldManager=kubectl-client-side-apply`, {
    metadata,
    spec,
  })
}

/** Nothing is written by the controller after that, between a command's read and its write. */
export const reported: Setup = async (server) => {
  await web(server)
  for (;;) {
    const { status } = (await server.call('GET', pathOfWeb)).json<{
      status?: { observedGeneration?: number }
    }>()
    if (status?.observedGeneration === 1) return
    await sleep(50)
  }
}

export const held: Setup = async (server) => {
  await web(server)
  const metadata = { finalizers: ['stagely.dev/probe'] }
  await patch(server, 'merge-patch+json', `${pathOfWeb}?fieldManager=kubectl-patch`, { metadata })
}

/** A list that is longer than what goes uncompressed. */
export const gz: Setup = async (server) => {
  await post(server, '/api/v1/namespaces', namespace('gz'))
  await post(server, '/api/v1/projects', { team: 'gz', name: 'shop' })
  const operations = Array.from({ length: 300 }, (_, n) => ({
    op: 'create',
    key: `S_${n}`,
    value: `a recorded value ${n}`,
  }))
  await post(server, '/api/v1/projects/gz%2Fshop/secrets/batch', { operations })
}
