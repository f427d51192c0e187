// The paths of the OpenAPI v3 documents, made from the server's table of routes.
import { groupVersionKind, refToKind, refToList } from '../../../src/resources/schemas/openapi.ts'
import { refTo } from '../../../src/resources/schemas/openapi-meta.ts'
import type { Schema } from '../../../src/resources/schemas/crd.ts'
import { patchTypesOf } from './patches/patch-types.ts'
import type { KubeRoute, KubeVerb } from './route.ts'

type Json = Record<string, unknown>

/** Kubernetes' names of the verbs in its documents, and the prefixes of operation ids. */
const verbs: Readonly<Partial<Record<KubeVerb, { action: string; id: string; summary: string }>>> =
  {
    list: { action: 'list', id: 'list', summary: 'List or watch objects of kind' },
    create: { action: 'post', id: 'create', summary: 'Create an object of kind' },
    get: { action: 'get', id: 'read', summary: 'Read an object of kind' },
    update: { action: 'put', id: 'replace', summary: 'Replace an object of kind' },
    patch: { action: 'patch', id: 'patch', summary: 'Change or apply an object of kind' },
    delete: { action: 'delete', id: 'delete', summary: 'Delete an object of kind' },
    deletecollection: {
      action: 'deletecollection',
      id: 'deleteCollection',
      summary: 'Delete a selection of objects of kind',
    },
  }

// kubectl does not follow a $ref to a parameter: all parameters are inline.
const query = (type: string, names: readonly string[]): Json[] =>
  names.map((name) => ({ name, in: 'query', schema: { type } }))

const selecting = [
  ...query('string', ['continue', 'fieldSelector', 'labelSelector']),
  ...query('integer', ['limit']),
]
const listing = [
  ...selecting,
  ...query('string', ['resourceVersion', 'resourceVersionMatch']),
  ...query('boolean', ['allowWatchBookmarks', 'sendInitialEvents', 'watch']),
  ...query('integer', ['timeoutSeconds']),
]
const writing = query('string', ['dryRun', 'fieldManager', 'fieldValidation'])
const deleting = [
  ...query('string', ['dryRun', 'propagationPolicy']),
  ...query('integer', ['gracePeriodSeconds']),
  ...query('boolean', ['orphanDependents']),
]
const parametersOf: Readonly<Partial<Record<KubeVerb, readonly Json[]>>> = {
  list: listing,
  create: writing,
  get: query('string', ['resourceVersion']),
  update: writing,
  patch: [...writing, ...query('boolean', ['force'])],
  delete: deleting,
  deletecollection: [...deleting, ...selecting],
}

const pathParameters = (path: string): Json[] =>
  [...path.matchAll(/:([a-z]+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))

const content = (types: Iterable<string>, schema: Schema): Json => ({
  content: Object.fromEntries([...types].map((type) => [type, { schema }])),
})
const plainTypes = ['application/json', 'application/yaml']

const bodyOf = ({ access: { kind, verb } }: KubeRoute): Json => {
  if (verb === 'create' || verb === 'update')
    return { requestBody: { required: true, ...content(plainTypes, refToKind(kind)) } }
  if (verb === 'patch') {
    const body = content(patchTypesOf(kind).keys(), refTo('Patch'))
    return { requestBody: { required: true, ...body } }
  }
  return verb === 'delete' || verb === 'deletecollection'
    ? { requestBody: content(plainTypes, refTo('DeleteOptions')) }
    : {}
}

const answersOf = ({ access: { kind, verb } }: KubeRoute): Json => {
  const object = { description: 'The object.', ...content(plainTypes, refToKind(kind)) }
  const gone = { oneOf: [refTo('Status'), refToKind(kind)] }
  switch (verb) {
    case 'list': {
      const { content: pages } = content(plainTypes, refToList(kind))
      const { content: lines } = content(['application/json;stream=watch'], refTo('WatchEvent'))
      return {
        200: {
          description: 'The list, or changes.',
          content: { ...(pages as Json), ...(lines as Json) },
        },
      }
    }
    case 'create':
      return { 201: object }
    case 'patch':
      return { 200: object, 201: { ...object, description: 'The object, which an apply made.' } }
    case 'delete':
      return { 200: { description: 'It is gone, or waits.', ...content(plainTypes, gone) } }
    case 'deletecollection':
      return { 200: { description: 'What was deleted.', ...content(plainTypes, refToList(kind)) } }
    case 'get':
    case 'update':
    case 'watch':
      return { 200: object }
  }
}

const failure = { description: 'What is wrong.', ...content(['application/json'], refTo('Status')) }

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** Operation ids as in Kubernetes: `listStagelyDevV1alpha1NamespacedStagelet`. */
const idOf = ({ path, access: { kind, subresource = '' } }: KubeRoute, verb: string): string => {
  const group = (kind.group === '' ? 'core' : kind.group).split('.').map(capital).join('')
  const place = path.includes('/:namespace/') ? 'Namespaced' : ''
  const all = kind.namespaced && place === '' ? 'ForAllNamespaces' : ''
  return `${verb}${group}${capital(kind.version)}${place}${kind.kind}${capital(subresource)}${all}`
}

const operationOf = (route: KubeRoute): Json => {
  const { access, path, describes } = route
  const parameters = pathParameters(path)
  if (describes !== undefined) {
    const { id, summary, body, status, answer } = describes
    return {
      operationId: id,
      description: summary,
      parameters,
      ...(body && { requestBody: content(['application/json'], body) }),
      responses: {
        [status]: { description: 'Done.', ...content(['application/json'], answer) },
        default: failure,
      },
    }
  }
  const verb = verbs[access.verb]
  if (verb === undefined) throw new Error(`${path}: OpenAPI has no word for ${access.verb}`)
  return {
    operationId: idOf(route, verb.id),
    description: `${verb.summary} ${access.kind.kind}.`,
    parameters: [...parameters, ...(parametersOf[access.verb] ?? [])],
    ...bodyOf(route),
    responses: { ...answersOf(route), default: failure },
    'x-kubernetes-action': verb.action,
    'x-kubernetes-group-version-kind': groupVersionKind(access.kind),
  }
}

/** `/…/:name` → `/…/{name}`. */
const templateOf = (path: string): string => path.replaceAll(/:([a-z]+)/g, '{$1}')

export const openApiPaths = (routes: readonly KubeRoute[]): Record<string, Json> => {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const operations = (paths[templateOf(route.path)] ??= {})
    operations[route.method.toLowerCase()] = operationOf(route)
  }
  return paths
}
