import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/resources/meta.ts'
import { inReferenceGroups, inReferenceOrder } from './reference-order.ts'

const secret = (key: string, spec: object = {}): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata: { name: key.toLowerCase() },
  spec: { projectRef: { name: 'shop' }, key, ...spec },
})
const template = (key: string, value: string): KubeObject =>
  secret(key, { references: true, value })

describe('the order of writes', () => {
  it('puts each secret after those that it refers to, and sealed ones last', () => {
    const sealed = secret('S', { references: true, sealedValue: 'hpke1:0' })
    const given = [
      template('C', '${B}'),
      sealed,
      template('B', '${db/A}'),
      secret('A'),
      secret('D'),
    ]
    const keys = inReferenceOrder(given).map(({ spec }) => spec?.['key'])
    expect(keys).toEqual(['A', 'D', 'B', 'C', 'S'])
  })

  it('puts into one group what refers to nothing else in it', () => {
    const given = [template('C', '${B}'), template('B', '${db/A}'), secret('A'), secret('D')]
    const keys = inReferenceGroups(given).map((group) => group.map(({ spec }) => spec?.['key']))
    expect(keys).toEqual([['A', 'D'], ['B'], ['C']])
    const many = Array.from({ length: 800 }, (_, i) => template(`URL_${i}`, `\${P_${i}}`))
    expect(inReferenceGroups(many).map((group) => group.length)).toEqual([800])
  })

  it('leaves a circle to the server to refuse', () => {
    expect(inReferenceOrder([template('A', '${B}'), template('B', '${A}')])).toHaveLength(2)
  })
})
