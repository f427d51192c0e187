import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../src/resources/meta.ts'
import { inReferenceOrder } from './reference-order.ts'

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

  it('leaves a circle to the server to refuse', () => {
    expect(inReferenceOrder([template('A', '${B}'), template('B', '${A}')])).toHaveLength(2)
  })
})
