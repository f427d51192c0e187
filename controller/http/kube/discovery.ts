// Discovery, aggregated and legacy. Made once from the registry. A client sends the ETag of its copy
// and gets 304.
import { createHash } from 'node:crypto'
import type { Kind } from '../../../src/resources/define-kind.ts'
import { kinds } from '../../../src/kinds/index.ts'
import type { App, AppContext } from '../env.ts'
import { definitionKind, mountDefinitions } from './definitions.ts'
import { wantsAggregated } from './negotiate.ts'
import { withSlash } from './route.ts'

export const servedKinds: readonly Kind[] = kinds.filter((kind) => kind.internal !== true)

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
/** As in Kubernetes, namespaces cannot be deleted as a collection. */
const clusterVerbs = verbs.filter((verb) => verb !== 'deletecollection')
export const verbsOf = (kind: Kind): readonly string[] => (kind.namespaced ? verbs : clusterVerbs)

const statusVerbs = ['get', 'patch', 'update']
const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

export interface Document {
  readonly body: string
  readonly etag: string
}

export const documentOf = (content: unknown): Document => {
  const body = JSON.stringify(content)
  return { body, etag: `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"` }
}

/** 304 when the client's copy is current. */
export const answerDocument = (
  c: AppContext,
  { body, etag }: Document,
  headers: Record<string, string> = {},
): Response => {
  const all = {
    'content-type': 'application/json',
    etag,
    vary: 'Accept',
    'cache-control': 'public',
    ...headers,
  }
  const held = (c.req.header('if-none-match') ?? '').split(',').map((tag) => tag.trim())
  return held.includes(etag) ? c.body(null, 304, all) : c.body(body, 200, all)
}

/** Sorted by name as in Kubernetes: clients print the kinds of a category in this order. */
const inGroup = (group: string): Kind[] =>
  servedKinds.filter((kind) => kind.group === group).sort((a, b) => (a.plural < b.plural ? -1 : 1))
const optional = (name: string, list: readonly string[]): object =>
  list.length === 0 ? {} : { [name]: list }

/** Core kinds have '' for group and version, as in Kubernetes. */
const responseKind = (kind: Pick<Kind, 'group' | 'version' | 'kind'>): object => ({
  group: kind.group,
  version: kind.group === '' ? '' : kind.version,
  kind: kind.kind,
})

const aggregatedResource = (kind: Kind): object => ({
  resource: kind.plural,
  responseKind: responseKind(kind),
  scope: kind.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: kind.singular,
  verbs: verbsOf(kind),
  ...optional('shortNames', kind.shortNames),
  ...optional('categories', kind.categories),
  ...(kind.status !== undefined && {
    subresources: [{ subresource: 'status', responseKind: responseKind(kind), verbs: statusVerbs }],
  }),
})

type ReadKind = Pick<
  Kind,
  'group' | 'version' | 'kind' | 'plural' | 'singular' | 'shortNames' | 'namespaced'
> & { readonly verbs: readonly string[] }

/** What is served beside the kinds of the registry, and only read. */
const readKinds: readonly ReadKind[] = [
  // `kubectl cluster-info` lists the services of a cluster, and fails when the kind does not exist. The list is always
  // empty.
  {
    group: '',
    version: 'v1',
    kind: 'Service',
    plural: 'services',
    singular: 'service',
    shortNames: [],
    namespaced: true,
    verbs: ['list'],
  },
  definitionKind,
]

const aggregatedRead = (kind: ReadKind): object => ({
  resource: kind.plural,
  responseKind: responseKind(kind),
  scope: kind.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: kind.singular,
  verbs: kind.verbs,
  ...optional('shortNames', kind.shortNames),
})

const legacyRead = ({
  plural,
  singular,
  namespaced,
  kind,
  verbs,
  shortNames,
}: ReadKind): object => ({
  name: plural,
  singularName: singular,
  namespaced,
  kind,
  verbs,
  ...optional('shortNames', shortNames),
})

const noServices = {
  kind: 'ServiceList',
  apiVersion: 'v1',
  // Constant, as the content never changes.
  metadata: { resourceVersion: '1' },
  items: [],
}

const versionOf = (group: string): string =>
  [...servedKinds, ...readKinds].find((kind) => kind.group === group)!.version

const aggregatedResources = (group: string): object[] => [
  ...inGroup(group).map(aggregatedResource),
  ...readKinds.filter((kind) => kind.group === group).map(aggregatedRead),
]

const aggregated = (groups: readonly string[]): object => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: 'apidiscovery.k8s.io/v2',
  metadata: {},
  items: groups.map((group) => ({
    metadata: group === '' ? {} : { name: group },
    versions: [
      {
        version: versionOf(group),
        resources: aggregatedResources(group),
        freshness: 'Current',
      },
    ],
  })),
})

const legacyResources = (kind: Kind): object[] => {
  const common = { namespaced: kind.namespaced, kind: kind.kind }
  const main = {
    name: kind.plural,
    singularName: kind.singular,
    ...common,
    verbs: verbsOf(kind),
    ...optional('shortNames', kind.shortNames),
    ...optional('categories', kind.categories),
  }
  if (kind.status === undefined) return [main]
  return [main, { name: `${kind.plural}/status`, singularName: '', ...common, verbs: statusVerbs }]
}

const resourceList = (groupVersion: string, group: string): object => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: [
    ...inGroup(group).flatMap(legacyResources),
    ...readKinds.filter((kind) => kind.group === group).map(legacyRead),
  ],
})

const groupOf = (group: string): object => {
  const version = versionOf(group)
  const entry = { groupVersion: `${group}/${version}`, version }
  return { name: group, versions: [entry], preferredVersion: entry }
}

/** `/api`, `/apis` and the lists below them, for everybody who is logged in. */
export const mountDiscovery = (app: App): void => {
  const all = [...servedKinds, ...readKinds].map((kind) => kind.group)
  const groups = [...new Set(all)].filter((group) => group !== '')
  const pair = (path: string, whole: object, legacy: object): void => {
    const documents = { whole: documentOf(whole), legacy: documentOf(legacy) }
    app.on('GET', withSlash(path), (c) =>
      wantsAggregated(c.req.header('accept'))
        ? answerDocument(c, documents.whole, { 'content-type': aggregatedType })
        : answerDocument(c, documents.legacy),
    )
  }
  const single = (path: string, content: object): void => {
    const document = documentOf(content)
    app.on('GET', withSlash(path), (c) => {
      wantsAggregated(c.req.header('accept'))
      return answerDocument(c, document)
    })
  }
  pair('/api', aggregated(['']), {
    kind: 'APIVersions',
    apiVersion: 'v1',
    versions: ['v1'],
    serverAddressByClientCIDRs: [],
  })
  pair('/apis', aggregated(groups), {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.map(groupOf),
  })
  single('/api/v1', resourceList('v1', ''))
  for (const path of ['/api/v1/services', '/api/v1/namespaces/:namespace/services'])
    app.get(path, (c) => c.json(noServices))
  mountDefinitions(app)
  for (const group of groups) {
    const version = versionOf(group)
    single(`/apis/${group}`, { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group) })
    single(`/apis/${group}/${version}`, resourceList(`${group}/${version}`, group))
  }
}
