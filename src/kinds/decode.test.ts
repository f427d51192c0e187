import { describe, expect, it } from 'vitest'
import { decodeObject } from './decode.ts'

const secret = (spec: object, metadata: object = { name: 'db' }) => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata,
  spec: { projectRef: { name: 'shop' }, key: 'DB', ...spec },
})
const faultsOf = (input: unknown): string[] =>
  decodeObject(input).faults.map((f) => `${f.field}: ${f.message}`)

describe('decodeObject', () => {
  it.each([
    ['https://me:pass/word-1@hooks.example.com/s', 'https://…'],
    ['https://hooks.example.com/services/T0 secret-1', 'https://hooks.example.com/…'],
    ['hooks.example.com/services/secret-1', 'hooks.example.com/…'],
    ['ftp://hooks.example.com?token=secret-1', 'ftp://hooks.example.com/…'],
    ['hooks.example.com', 'hooks.example.com'],
  ])('repeats of the refused URL %s its host alone', (url, told) => {
    const objects = [
      ['Notifier', { reasons: ['LeakFound'], webhook: { url } }, 'spec.webhook.url'],
      ['SecretStore', { vault: { address: url }, auth: {} }, 'spec.vault.address'],
    ] as const
    for (const [kind, spec, field] of objects) {
      const input = { apiVersion: 'stagely.dev/v1alpha1', kind, metadata: { name: 'a' }, spec }
      const fault = faultsOf(input).find((text) => text.startsWith(`${field}: `))
      expect(fault).toContain(`${field}: Invalid value: ${JSON.stringify(told)}: must be a URL`)
    }
  })

  it('applies defaults and drops status', () => {
    const { object, faults, unknown } = decodeObject({
      ...secret({ value: 'x' }),
      status: { version: 3 },
    })
    expect(faults).toEqual([])
    expect(unknown).toEqual([])
    expect(object?.spec).toEqual({
      projectRef: { name: 'shop' },
      key: 'DB',
      scope: 'global',
      type: 'env',
      value: 'x',
    })
    expect(object).not.toHaveProperty('status')
  })

  it('takes what it found good as it is, which nobody can change meanwhile', () => {
    const { object } = decodeObject(secret({ value: 'x' }))
    expect(decodeObject(object)).toEqual({ object, faults: [], unknown: [] })
    expect(decodeObject(object).object).toBe(object)
    expect(() => (object!.spec!['key'] = 'not a key')).toThrow(TypeError)
    expect(faultsOf({ ...object, spec: { ...object?.spec, key: 'not a key' } })).toHaveLength(1)
  })

  it('prunes unknown fields wherever nested and names each', () => {
    const { object, unknown } = decodeObject({
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Stagelet',
      extra: 1,
      metadata: { name: 'a', foo: 1, managedFields: [] },
      spec: {
        projectRef: { name: 'shop', x: 1 },
        agentRef: { name: 'box' },
        compose: { directory: '/srv', file: 'a' },
        pausd: true,
      },
    })
    expect(unknown.sort()).toEqual(
      ['extra', 'metadata.foo', 'spec.compose.file', 'spec.pausd', 'spec.projectRef.x'].sort(),
    )
    expect(object?.spec).toMatchObject({ compose: { directory: '/srv', onChange: 'Hold' } })
    expect(object?.spec).not.toHaveProperty('pausd')
  })

  it('reports all faults at once in the words of Kubernetes', () => {
    const faults = faultsOf({
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Stagelet',
      metadata: { name: 'Bad_Name', labels: { a: 1, b: 'not valid!' }, annotations: { on: true } },
      spec: {
        projectRef: { name: 'shop' },
        compose: { directory: 'srv', files: [7, ''], onChange: 'Fast' },
      },
    })
    expect(faults).toContainEqual(
      expect.stringMatching(/^metadata.name: Invalid value: "Bad_Name"/),
    )
    expect(faults).toContainEqual(expect.stringMatching(/^metadata.labels.a: .*quote it/))
    expect(faults).toContainEqual(
      expect.stringMatching(/^metadata.labels: Invalid value: "not valid!"/),
    )
    expect(faults).toContainEqual(expect.stringMatching(/^metadata.annotations.on: .*quote it/))
    expect(faults).toContain('spec.agentRef: Required value')
    expect(faults).toContainEqual(
      expect.stringMatching(/^spec.compose.files\[0\]: Invalid value: "integer": .*quote it/),
    )
    expect(faults).toContain(
      'spec.compose.onChange: Unsupported value: "Fast": supported values: "Hold", "Deploy"',
    )
    expect(faults).toHaveLength(9)
  })

  it('refuses a wrong or missing apiVersion and kind', () => {
    expect(faultsOf({})).toEqual(['apiVersion: Required value', 'kind: Required value'])
    expect(faultsOf({ apiVersion: 'v2', kind: 'Project' })[0]).toMatch(/Unsupported value: "v2"/)
    expect(faultsOf({ apiVersion: 'v1', kind: 'Pod' })[0]).toMatch(/Unsupported value: "Pod"/)
    expect(faultsOf('text')).toHaveLength(1)
  })

  it.each([
    ['a missing key', { key: undefined, value: 'hush-hush' }, /^spec\.key: Required value$/],
    ['a number', { value: 12345678 }, /quote it/],
    ['a boolean', { value: true }, /quote it/],
    ['null', { value: null }, /quote it/],
    ['both ways', { value: 'hush-hush', valueBase64: 'aHVzaA==' }, /at most one/],
    ['a NUL', { value: 'hush-hush\0' }, /NUL/],
    ['bytes that are not UTF-8', { valueBase64: '//79' }, /use type: file/],
    ['bad base64', { valueBase64: 'hush hush !' }, /base64/],
    ['half a byte of base64', { valueBase64: 'aHVza' }, /base64/],
    ['more than Linux passes', { value: 'hush-hush'.repeat(20_000) }, /Too long/],
    [
      'a file that is too big',
      { type: 'file', file: { path: './a' }, value: 'hush'.repeat(300_000) },
      /Too long/,
    ],
    ['a file without a place', { type: 'file', value: 'hush-hush' }, /file.path or file.target/],
    ['file with type env', { file: { path: './a' }, value: 'hush-hush' }, /only with type: file/],
    ['a bare mode', { type: 'file', file: { path: './a', mode: 600 } }, /quote it: "0600"/],
  ])('refuses %s and never repeats the value', (_, spec, message) => {
    const faults = faultsOf(secret(spec))
    expect(faults.join('\n')).toMatch(message)
    expect(faults.join('\n')).not.toMatch(/hush|12345678|true|aHVz|\/\/79/)
  })

  it('takes null for absent in its rules too', () => {
    const nulls = { valueFrom: null, file: null, pattern: null, references: null }
    expect(faultsOf(secret({ value: 'hush-hush', ...nulls }))).toEqual([])
    const generate = { keypair: 'ed25519', length: null }
    expect(faultsOf(secret({ valueFrom: { generate, secretRef: null } }))).toEqual([])
  })

  it('lets KEY=VALUE and its NUL fill exactly 131072 bytes', () => {
    expect(faultsOf(secret({ value: 'x'.repeat(131_072 - 4) }))).toEqual([])
    expect(faultsOf(secret({ value: 'x'.repeat(131_072 - 3) }))).toHaveLength(1)
  })

  it('takes a generated name, and core kinds', () => {
    expect(faultsOf(secret({}, { generateName: 'db-' }))).toEqual([])
    expect(faultsOf(secret({}, {}))).toEqual([
      'metadata.name: Required value: name or generateName is required',
    ])
    expect(
      faultsOf({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team.a' } }),
    ).toHaveLength(1)
    expect(faultsOf({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a' } })).toEqual(
      [],
    )
  })

  it('names the fields of an event as it has them, at the top', () => {
    const involvedObject = { kind: 'Stagelet', name: 'web', namespace: 'default' }
    const event = { reason: 'R', message: 'm', type: 'Normal', count: 'x', odd: 1 }
    const { faults, unknown } = decodeObject({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e', namespace: 'default' },
      involvedObject,
      ...event,
      lastTimestamp: 'today',
      type: 'Odd',
      series: {},
    })
    expect(faults.map((f) => f.field)).toEqual([
      'type',
      'lastTimestamp',
      'count',
      'series.count',
      'series.lastObservedTime',
    ])
    expect(unknown).toEqual(['odd'])
  })

  it('takes labels and annotations without a value for empty ones', () => {
    const { object, faults } = decodeObject({
      ...secret({}),
      metadata: { name: 'x', namespace: 'default', labels: { a: null }, annotations: { b: null } },
    })
    expect(faults).toEqual([])
    expect(object?.metadata).toMatchObject({ labels: { a: '' }, annotations: { b: '' } })
  })

  it('counts labels, annotations, finalizers and their bytes before it looks at one of them', () => {
    const many = Array.from({ length: 90_000 }, (_, i) => `not valid! ${i}`)
    const texts = Object.fromEntries(many.map((key) => [key, '']))
    const faultsIn = (metadata: object): string[] =>
      faultsOf({ ...secret({}), metadata: { name: 'x', namespace: 'default', ...metadata } })
    expect(faultsIn({ labels: texts, finalizers: many })).toEqual([
      'metadata.labels: Too long: may not be more than 10000 entries',
      'metadata.finalizers: Too long: may not be more than 10000 entries',
    ])
    expect(faultsIn({ annotations: texts })).toEqual([
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ])
  })

  it('names 1,000 unknown fields and faults, and no more', () => {
    const odd = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`odd${i}`, 1]))
    const metadata = { name: 'x', namespace: 'default' }
    const { unknown } = decodeObject({ ...secret(odd), ...odd, metadata: { ...metadata, ...odd } })
    expect(unknown).toHaveLength(3_000)
    const finalizers = Array.from({ length: 3_000 }, () => 7)
    expect(
      decodeObject({ ...secret({}), metadata: { ...metadata, finalizers } }).faults,
    ).toHaveLength(1_000)
  })

  it('looks at no value of a part that has far too many', () => {
    const odd = Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`odd${i}`, null]))
    expect(faultsOf(secret(odd))).toEqual(['spec: Too long: may not hold more than 20000 values'])
  })

  it('checks the references to owners as Kubernetes does', () => {
    const owner = { apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u' }
    const ownedBy = (...ownerReferences: object[]): ReturnType<typeof decodeObject> =>
      decodeObject({
        ...secret({}),
        metadata: { name: 'x', namespace: 'default', ownerReferences },
      })
    expect(ownedBy(owner).object?.metadata.ownerReferences).toEqual([owner])
    expect(ownedBy({ ...owner, odd: 1 }).unknown).toEqual(['metadata.ownerReferences[0].odd'])
    expect(ownedBy({ ...owner, uid: '' }).faults).toMatchObject([
      { field: 'metadata.ownerReferences[0].uid' },
    ])
    const both = ownedBy({ ...owner, controller: true }, { ...owner, uid: 'v', controller: true })
    expect(both.faults).toMatchObject([{ field: 'metadata.ownerReferences' }])
  })
})
