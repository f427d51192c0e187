import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { crdKinds, objectSchema, renderCrd, structuralSchema } from './crd.ts'
import { openApiDocuments } from './openapi.ts'
import { requireKind } from './registry.ts'

/** Every schema node in a structural schema, with its path. */
const nodesOf = (schema: unknown, path: string): [string, Record<string, unknown>][] => {
  const node = schema as Record<string, unknown>
  const children = Object.entries(node['properties'] ?? {}).flatMap(([k, v]) =>
    nodesOf(v, `${path}.${k}`),
  )
  const items = node['items'] === undefined ? [] : nodesOf(node['items'], `${path}[]`)
  return [[path, node], ...children, ...items]
}

describe('structuralSchema', () => {
  it('keeps bounds, defaults and descriptions, and drops what is no bound', () => {
    const schema = z.strictObject({
      n: z.int().min(1).default(3).describe('How many.'),
      m: z.record(z.string(), z.string()).optional(),
    })
    expect(structuralSchema(schema, 'spec')).toEqual({
      type: 'object',
      properties: {
        n: { type: 'integer', format: 'int64', minimum: 1, default: 3, description: 'How many.' },
        m: { type: 'object', additionalProperties: { type: 'string' } },
      },
    })
  })

  it('refuses what a CRD cannot say', () => {
    expect(() => structuralSchema(z.object({ a: z.union([z.string(), z.int()]) }), 'spec')).toThrow(
      'spec.a',
    )
  })
})

describe('CRDs', () => {
  it('are made for the four kinds that a cluster can hold', () => {
    expect(crdKinds.map((k) => k.kind).sort()).toEqual([
      'Agent',
      'Project',
      'Stagelet',
      'StagelySecret',
    ])
  })

  it.each(crdKinds.map((k) => [k.kind, k] as const))(
    '%s: each node is typed, each field of spec and status is described',
    (_, kind) => {
      for (const [path, node] of nodesOf(objectSchema(kind), '')) {
        expect(node['type'], path).toBeTypeOf('string')
        expect(node['additionalProperties'], path).not.toBe(false)
        if (/^\.(spec|status)\./.test(path) && !path.endsWith('[]'))
          expect(node['description'], path).toBeTypeOf('string')
      }
      expect(renderCrd(kind)).toMatchObject({
        spec: { versions: [{ subresources: { status: {} } }] },
      })
    },
  )

  it.each(crdKinds.map((k) => [k.kind, k] as const))(
    '%s: has a short name, is one of `kubectl get stagely`, and a column says how it is',
    (_, kind) => {
      const answer = kind.kind === 'Agent' ? 'Ready' : 'In-Sync'
      expect(renderCrd(kind)).toMatchObject({
        spec: {
          names: {
            shortNames: [expect.any(String)],
            categories: expect.arrayContaining(['stagely']) as string[],
          },
          versions: [
            {
              additionalPrinterColumns: expect.arrayContaining([
                expect.objectContaining({ name: answer }),
              ]) as object[],
            },
          ],
        },
      })
    },
  )
})

describe('openApiDocuments', () => {
  it('give kubectl an inline fieldValidation for each kind, and no strategic merge', () => {
    const documents = openApiDocuments('v1')
    expect([...documents.keys()].sort()).toEqual(['api/v1', 'apis/stagely.dev/v1alpha1'])
    const text = JSON.stringify([...documents.values()])
    expect(text).not.toContain('strategic')
    const { paths } = documents.get('apis/stagely.dev/v1alpha1') as {
      paths: Record<
        string,
        { patch: { parameters: { name: string }[]; 'x-kubernetes-group-version-kind': object } }
      >
    }
    const { patch } = paths['/apis/stagely.dev/v1alpha1/namespaces/{namespace}/stagelets/{name}']!
    expect(patch.parameters.map((p) => p.name)).toContain('fieldValidation')
    expect(patch['x-kubernetes-group-version-kind']).toEqual({
      group: 'stagely.dev',
      version: 'v1alpha1',
      kind: 'Stagelet',
    })
  })

  it('describe every field, so that kubectl can explain it', () => {
    for (const document of openApiDocuments('v1').values()) {
      const { schemas } = (document as { components: { schemas: object } }).components
      for (const [name, schema] of Object.entries(schemas))
        for (const [path, node] of nodesOf(schema, name))
          if (!path.endsWith('[]')) expect(node['description'], path).toBeTypeOf('string')
    }
  })

  it('resolve every reference', () => {
    for (const document of openApiDocuments('v1').values()) {
      const { schemas } = (document as { components: { schemas: object } }).components
      for (const [, name] of JSON.stringify(document).matchAll(
        /"#\/components\/schemas\/([^"]+)"/g,
      ))
        expect(schemas).toHaveProperty([name!])
    }
  })

  it('show an Event with its fields at the top level', () => {
    expect(requireKind('Event').kind).toBe('Event')
    expect(JSON.stringify(openApiDocuments('v1').get('api/v1'))).toContain('"involvedObject"')
  })
})
