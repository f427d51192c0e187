import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import * as z from 'zod'
import { crdKinds } from '../../src/kinds/index.ts'
import { servedKind } from '../output/kinds.ts'
import { explainFields, manifestSchema } from './fields.ts'

describe('the explanation of a field', () => {
  const stagelet = servedKind('Stagelet')

  it('of a kind says what it is, and which fields it has', () => {
    const text = explainFields(stagelet, [], false)
    expect(text).toMatch(
      /^KIND: {5}Stagelet\nVERSION: {2}stagely.dev\/v1alpha1\n\nDESCRIPTION:\n {2}\S/,
    )
    expect(text).toMatch(/\n {2}spec\t<Object> -required-\n {4}What should be\.\n/)
  })

  it('goes through lists and maps', () => {
    const project = servedKind('Project')
    const text = explainFields(project, ['spec', 'environments', 'inherits'], false)
    expect(text).toMatch(/\nFIELD: inherits <string>\n[^]*\n {2}One of: .*Nothing/)
    expect(explainFields(project, ['spec', 'environments'], false)).toContain('<[]Object>')
    expect(explainFields(servedKind('Rotation'), ['spec', 'outputs'], false)).toContain(
      '<map[string]string>',
    )
  })

  it('shows all fields below, by names and types alone', () => {
    const text = explainFields(stagelet, ['spec'], true)
    expect(text).toMatch(/\n {2}compose\t<Object> -required-\n {4}\w+\t</)
  })

  it('names the fields where there is no such field', () => {
    expect(() => explainFields(stagelet, ['spec', 'compose', 'toString'], false)).toThrow(
      /^stagelets\.spec\.compose has no field "toString": it has .*directory/,
    )
  })
})

describe('the schema for editors', () => {
  const schema = z.fromJSONSchema(manifestSchema(crdKinds) as z.core.JSONSchema.JSONSchema)
  const isValid = (manifest: unknown): boolean => schema.safeParse(manifest).success
  const read = (path: string): unknown[] =>
    parseAllDocuments(readFileSync(new URL(`../../docs/examples/${path}`, import.meta.url), 'utf8'))
      .map((document) => document.toJS() as unknown)
      .filter((manifest) => (manifest as { kind?: string } | null)?.kind !== 'Namespace')

  it.each(['shop/shop.yaml', 'shop/secrets.example.yaml'])('takes the manifests of %s', (path) => {
    const manifests = read(path)
    expect(manifests.length).toBeGreaterThan(0)
    expect(manifests.filter((manifest) => !isValid(manifest))).toEqual([])
  })

  it('refuses unknown fields, kinds and values, and a status', () => {
    const agent = { apiVersion: 'stagely.dev/v1alpha1', kind: 'Agent', metadata: { name: 'web-1' } }
    expect(isValid({ ...agent, spec: { drained: true } })).toBe(true)
    expect(isValid({ ...agent, spec: { drained: 'yes' } })).toBe(false)
    expect(isValid({ ...agent, spec: { drain: true } })).toBe(false)
    expect(isValid({ ...agent, spec: {}, status: {} })).toBe(false)
    expect(isValid({ ...agent, kind: 'Agents', spec: {} })).toBe(false)
    expect(isValid({ ...agent, metadata: {}, spec: {} })).toBe(false)
  })
})
