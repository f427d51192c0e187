import { describe, expect, it } from 'vitest'
import { negotiate, wantsAggregated } from './negotiate.ts'

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const groups = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

describe('the answer', () => {
  it.each([
    [undefined, 'object json'],
    ['*/*', 'object json'],
    [`${table},application/json`, 'Table json'],
    [`${table};q=0.5, application/json`, 'object json'],
    ['application/json;q=0.5, application/yaml;q=0.9', 'object yaml'],
    ['*/*, application/yaml', 'object yaml'],
    ['application/json;q=0, application/yaml;q=0.1', 'object yaml'],
    ['Application/JSON', 'object json'],
  ])('to Accept %s is %s', (accept, shown) => {
    const { shape, yaml } = negotiate(accept)
    expect(`${shape} ${yaml ? 'yaml' : 'json'}`).toBe(shown)
  })

  it.each(['text/html', 'application/json;q=0', 'application/vnd.kubernetes.protobuf', ';'])(
    'to Accept %s is a refusal',
    (accept) => {
      for (const ask of [negotiate, wantsAggregated])
        expect(() => ask(accept)).toThrow(expect.objectContaining({ reason: 'NotAcceptable' }))
    },
  )
})

describe('discovery', () => {
  it.each([
    [undefined, false],
    [`${groups},application/json`, true],
    [`${groups.replace('v2', 'v2beta1')},${groups},application/json`, true],
    [`${groups};q=0.1,application/json`, false],
    [`${groups.replace('v2', 'v2beta1')},application/json`, false],
  ])('for Accept %s is in one document: %s', (accept, whole) => {
    expect(wantsAggregated(accept)).toBe(whole)
  })
})
