import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { objectSchema, renderCrd, structuralSchema } from './crd.ts'
import { crdKinds } from '../../kinds/index.ts'

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
  it('are made for the eight kinds that a cluster can hold', () => {
    expect(crdKinds.map((k) => k.kind).sort()).toEqual([
      'AccessPolicy',
      'Agent',
      'Notifier',
      'Project',
      'Rotation',
      'SecretStore',
      'Stagelet',
      'StagelySecret',
      'TrustedIssuer',
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
      const answers: Record<string, string> = {
        AccessPolicy: 'Usable',
        Agent: 'Ready',
        Notifier: 'Delivering',
        Rotation: 'Ready',
        SecretStore: 'Fresh',
        TrustedIssuer: 'Last',
      }
      const answer = answers[kind.kind] ?? 'In-Sync'
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
