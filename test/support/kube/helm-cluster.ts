// As much of a cluster as Helm asks before an install or an upgrade: which kinds there are, and Secrets
// for `lookup`.
import { createServer } from 'node:http'
import { close, listen, plainKubeConfig } from '../cluster/own-server.ts'
import type { Rendered } from './helm.ts'

export interface HelmCluster {
  /** Text of a kubeconfig. */
  readonly kubeconfig: string
  /** Is there from now on, as Helm has put it there for a release `stagely`. */
  install(secret: Rendered): void
  stop(): Promise<void>
}

/** Serves the kinds of `objects`. */
export const startHelmCluster = async (objects: readonly Rendered[]): Promise<HelmCluster> => {
  const secrets = new Map<string, Rendered>()
  const versions = [...new Set(objects.map((o) => o.apiVersion))]
  const resourcesOf = (apiVersion: string): object => ({
    kind: 'APIResourceList',
    groupVersion: apiVersion,
    resources: [...new Set(objects.filter((o) => o.apiVersion === apiVersion).map((o) => o.kind))]
      .map((kind) => ({ kind, name: `${kind.toLowerCase()}s`, namespaced: true }))
      .map((resource) => ({ ...resource, singularName: '', verbs: ['get', 'list'] })),
  })
  const groups = versions
    .filter((apiVersion) => apiVersion.includes('/'))
    .map((groupVersion) => {
      const [name, version] = groupVersion.split('/')
      return { name, versions: [{ groupVersion, version }] }
    })
  const answers: Record<string, object> = {
    '/version': { major: '1', minor: '34', gitVersion: 'v1.34.0' },
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups },
    '/api/v1': resourcesOf('v1'),
  }
  for (const { versions: served } of groups)
    for (const { groupVersion } of served)
      answers[`/apis/${groupVersion}`] = resourcesOf(groupVersion)

  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0]!
    const secret = secrets.get(
      /^\/api\/v1\/namespaces\/default\/secrets\/(.+)$/.exec(path)?.[1] ?? '',
    )
    const answer = answers[path] ?? secret
    const gone = {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'NotFound',
      code: 404,
    }
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? gone))
  })
  const port = await listen(server, 0)
  return {
    kubeconfig: plainKubeConfig(port).exportConfig(),
    install: (secret) => {
      const release = { name: 'stagely', namespace: 'default' }
      const annotations = Object.fromEntries(
        Object.entries(release).map(([key, value]) => [`meta.helm.sh/release-${key}`, value]),
      )
      const { metadata } = secret
      secrets.set(metadata.name, { ...secret, metadata: { ...metadata, annotations } } as Rendered)
    },
    stop: () => close(server),
  }
}
