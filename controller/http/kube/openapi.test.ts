import { describe, expect, it } from 'vitest'
import { kubeRoutes } from '../app.ts'
import { openApiDocuments } from './openapi.ts'

interface Operation {
  readonly operationId: string
  readonly parameters: readonly { name: string; in: string }[]
  readonly requestBody?: { content: Record<string, unknown> }
  readonly 'x-kubernetes-action'?: string
  readonly 'x-kubernetes-group-version-kind'?: { kind: string }
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { schemas: Record<string, object> }
}

// Nothing is called: the routes are only read.
const routes = kubeRoutes({} as Parameters<typeof kubeRoutes>[0])
const documents = openApiDocuments(routes, 'v1') as Map<string, Document>
const custom = documents.get('apis/stagely.dev/v1alpha1')!
const core = documents.get('api/v1')!
const item = '/apis/stagely.dev/v1alpha1/namespaces/{namespace}/stagelets/{name}'

/** Every schema node in a structural schema, with its path. */
const nodesOf = (schema: unknown, path: string): [string, Record<string, unknown>][] => {
  const node = schema as Record<string, unknown>
  const children = Object.entries(node['properties'] ?? {}).flatMap(([k, v]) =>
    nodesOf(v, `${path}.${k}`),
  )
  const items = node['items'] === undefined ? [] : nodesOf(node['items'], `${path}[]`)
  return [[path, node], ...children, ...items]
}

describe('the OpenAPI documents', () => {
  it('describe each route that is served, and no other', () => {
    expect([...documents.keys()].sort()).toEqual(['api/v1', 'apis/stagely.dev/v1alpha1'])
    const described = [...documents.values()].flatMap(({ paths }) =>
      Object.entries(paths).flatMap(([path, operations]) =>
        Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
      ),
    )
    const served = routes.map(
      ({ method, path }) => `${method} ${path.replaceAll(/:([a-z]+)/g, '{$1}')}`,
    )
    expect(described.sort()).toEqual(served.sort())
  })

  it('have each path parameter, and a name of its own for each operation', () => {
    for (const { paths } of documents.values()) {
      const operations = Object.entries(paths).flatMap(([path, methods]) =>
        Object.values(methods).map((operation) => ({ path, operation })),
      )
      for (const { path, operation } of operations) {
        const named = operation.parameters.filter((p) => p.in === 'path').map((p) => `{${p.name}}`)
        expect(path.match(/\{[a-z]+\}/g) ?? [], path).toEqual(named)
      }
      const ids = operations.map(({ operation }) => operation.operationId)
      expect(new Set(ids).size).toBe(ids.length)
    }
    expect(custom.paths[`${item}/status`]!['patch']!.operationId).toBe(
      'patchStagelyDevV1alpha1NamespacedStageletStatus',
    )
    expect(core.paths['/api/v1/namespaces']!['post']!.operationId).toBe('createCoreV1Namespace')
  })

  it('give kubectl an inline fieldValidation for each kind, and strategic merge for core/v1 alone', () => {
    const patch = custom.paths[item]!['patch']!
    expect(patch.parameters.map((p) => p.name)).toContain('fieldValidation')
    expect(patch['x-kubernetes-group-version-kind']).toEqual({
      group: 'stagely.dev',
      version: 'v1alpha1',
      kind: 'Stagelet',
    })
    const strategic = 'application/strategic-merge-patch+json'
    expect(JSON.stringify(custom.paths)).not.toContain(strategic)
    const namespace = core.paths['/api/v1/namespaces/{name}']!['patch']!
    expect(Object.keys(namespace.requestBody?.content ?? {})).toContain(strategic)
  })

  it('describe every field, so that kubectl can explain it', () => {
    for (const { components } of documents.values())
      for (const [name, schema] of Object.entries(components.schemas))
        for (const [path, node] of nodesOf(schema, name))
          if (!path.endsWith('[]')) expect(node['description'], path).toBeTypeOf('string')
  })

  it('resolve every reference', () => {
    for (const document of documents.values())
      for (const [, name] of JSON.stringify(document).matchAll(
        /"#\/components\/schemas\/([^"]+)"/g,
      ))
        expect(document.components.schemas).toHaveProperty([name!])
  })

  it('show an Event with its fields at the top level', () => {
    expect(core.components.schemas['io.k8s.api.core.v1.Event']).toHaveProperty(
      'properties.involvedObject',
    )
  })
})
